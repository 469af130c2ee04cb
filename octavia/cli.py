"""The `octavia` command: arguments, help and output. What a subcommand needs is imported when it is called."""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from octavia import __version__

DEFAULT_ENDPOINT = "http://127.0.0.1:9876"


class Stop(Exception):
    """The command ends with this sentence for the person who called it."""


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 0 when it is done, 1 with one sentence on stderr when it cannot be."""
    # Where Debian keeps haproxy and ip; an ordinary user's PATH does not name it.
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    arguments = parser().parse_args(argv)
    call: Callable[[argparse.Namespace], int] = arguments.call
    try:
        return call(arguments)
    except Stop as stop:
        print(f"octavia: {stop}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="octavia",
        description="A load balancer service: the OpenStack Load Balancer API v2 over HAProxy.",
        epilog="Start with `octavia serve`; the official client then works with "
        f"OS_AUTH_TYPE=none OS_ENDPOINT={DEFAULT_ENDPOINT}.",
    )
    top.add_argument("--version", action="version", version=f"octavia {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_serve(commands)
    add_api(commands)
    add_controller(commands)
    add_exec(commands)
    add_status(commands)
    add_destroy(commands)
    add_db(commands)
    return top


def common() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--config-file", action="append", default=[], type=Path, metavar="FILE", help="an octavia.conf; may be repeated"
    )
    shared.add_argument(
        "--state-path",
        type=Path,
        metavar="DIR",
        help="where everything is kept (default: /var/lib/octavia for root, ~/.local/state/octavia for others)",
    )
    return shared


def add_serve(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    serve = commands.add_parser(
        "serve",
        parents=[common()],
        help="run everything in one process",
        description="API, controller and health in one process, with an embedded database. Ctrl-C or SIGTERM finishes "
        "what is in flight and leaves the load balancers serving; the next start adopts them.",
    )
    add_binding(serve)
    serve.set_defaults(call=call_serve)


def add_binding(command: argparse.ArgumentParser) -> None:
    command.add_argument("--bind-host", metavar="ADDRESS", help="where the API listens (default 127.0.0.1)")
    command.add_argument("--bind-port", type=port, metavar="PORT", help="the API's port (default 9876)")


def add_api(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    api = commands.add_parser(
        "api",
        parents=[common()],
        help="run the API alone, in several processes",
        description="Forks workers ([api_settings] api_workers, api_threads) that serve the API and do nothing else. "
        "`octavia serve` or `octavia controller` has to run on the same database; it finds what was asked for here "
        "within about a second. Any number of these may run, on other machines too where the database is MariaDB. With "
        "SQLite they work beside `octavia serve` on one state folder, as the same user: many readers at once, one "
        "writer at a time. It needs no privileges. Where the controller is another user, or elsewhere, "
        "[controller_worker] compute_driver must say what amphorae are there. SIGTERM or Ctrl-C finishes what is in "
        "flight.",
    )
    add_binding(api)
    api.set_defaults(call=call_api)


def add_controller(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    controller = commands.add_parser(
        "controller",
        parents=[common()],
        help="run everything but the API in one process",
        description="As `octavia serve`, for an API that is elsewhere (`octavia api`). One for each database: amphorae "
        "are made on the machine that it runs on.",
    )
    controller.set_defaults(call=call_controller)


def port(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port: give a number from 1 to 65535, or 0 for a free one.")
    return number


def add_exec(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = commands.add_parser(
        "exec",
        parents=[common()],
        help="run a command where the VIPs can be reached",
        description="With root that is this host itself; without, it is inside the namespaces of `octavia serve`. "
        "Example: octavia exec -- curl http://198.18.0.2/",
    )
    run.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- CMD", help="the command and its arguments")
    run.set_defaults(call=call_exec)


def add_status(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    status = commands.add_parser(
        "status",
        help="what the control plane is doing with each load balancer, and why",
        description="Asks the operators' part of the API, so it works from another machine too.",
    )
    status.add_argument("load_balancer", nargs="?", metavar="LB", help="an id or a name; all, if not given")
    status.add_argument(
        "--endpoint",
        default=os.environ.get("OS_ENDPOINT", DEFAULT_ENDPOINT),
        metavar="URL",
        help="the API (default: OS_ENDPOINT, else %(default)s)",
    )
    status.set_defaults(call=call_status)


def add_destroy(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    destroy = commands.add_parser(
        "destroy",
        parents=[common()],
        help="remove everything that was ever made here",
        description="Ends every amphora and removes its namespaces, links, bridges and files, and the database. "
        "`octavia serve` must have been stopped.",
    )
    destroy.add_argument("--all", action="store_true", required=True, help="yes, everything")
    destroy.set_defaults(call=call_destroy)


def add_db(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    db = commands.add_parser("db", help="look after the database")
    verbs = db.add_subparsers(dest="verb", required=True, metavar="VERB")
    upgrade = verbs.add_parser("upgrade", parents=[common()], help="bring the schema to this version's")
    upgrade.set_defaults(call=call_db_upgrade)
    epoch = verbs.add_parser(
        "raise-epoch",
        parents=[common()],
        help="after restoring a backup: make the agents obey this database again",
        description="Agents refuse a controller whose lease is older than what they have seen. A database that was put "
        "back to an earlier copy looks like one; a raised epoch says that it is the truth now.",
    )
    epoch.set_defaults(call=call_raise_epoch)


def call_serve(arguments: argparse.Namespace) -> int:
    from octavia import main as wiring

    return guarded(
        lambda: wiring.serve(
            arguments.config_file, arguments.state_path, bind_host=arguments.bind_host, bind_port=arguments.bind_port
        )
    )


def call_api(arguments: argparse.Namespace) -> int:
    from octavia import apart

    return guarded(
        lambda: apart.api(
            arguments.config_file, arguments.state_path, bind_host=arguments.bind_host, bind_port=arguments.bind_port
        )
    )


def call_controller(arguments: argparse.Namespace) -> int:
    from octavia import main as wiring

    return guarded(lambda: wiring.controller(arguments.config_file, arguments.state_path))


def call_exec(arguments: argparse.Namespace) -> int:
    from octavia import main as wiring

    argv = arguments.argv[1:] if arguments.argv[:1] == ["--"] else arguments.argv
    if not argv:
        raise Stop("no command given. Example: octavia exec -- curl http://198.18.0.2/")
    return guarded(lambda: wiring.execute(arguments.config_file, arguments.state_path, argv))


def call_destroy(arguments: argparse.Namespace) -> int:
    from octavia import main as wiring

    return guarded(lambda: wiring.destroy(arguments.config_file, arguments.state_path))


def call_db_upgrade(arguments: argparse.Namespace) -> int:
    from octavia import main as wiring

    return guarded(lambda: wiring.upgrade(arguments.config_file, arguments.state_path))


def call_raise_epoch(arguments: argparse.Namespace) -> int:
    from octavia import main as wiring

    return guarded(lambda: wiring.raise_epoch(arguments.config_file, arguments.state_path))


def guarded(work: Callable[[], int]) -> int:
    """Runs it; what the operator can mend ends the command with its sentence, not with a traceback."""
    from octavia.places import CannotStart

    try:
        return work()
    except CannotStart as error:
        raise Stop(str(error)) from None


def call_status(arguments: argparse.Namespace) -> int:
    found = asked(arguments.endpoint, "/v2/octavia/loadbalancers")["loadbalancers"]
    wanted = arguments.load_balancer
    if wanted is None:
        print_overview(found)
        return 0
    chosen = [row for row in found if wanted in (row["load_balancer_id"], row["name"])]
    if not chosen:
        raise Stop(f"there is no load balancer {wanted}. `octavia status` lists all.")
    for row in chosen:
        print_progress(row)
    return 0


def asked(endpoint: str, path: str) -> Any:
    """What the API answers to a GET."""
    url = endpoint.rstrip("/") + path
    if not url.startswith(("http://", "https://")):
        raise Stop(f"{endpoint} is no URL; it must start with http:// or https://.")
    token = os.environ.get("OS_TOKEN")
    request = urllib.request.Request(url, headers={"X-Auth-Token": token} if token else {})  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the scheme was checked above
            return json.load(answer)
    except urllib.error.HTTPError as error:
        hint = ". Set OS_TOKEN to an administrator's token." if error.code in (401, 403) else ""
        raise Stop(f"{url} answered {error.code}: {error.reason}{hint}") from None
    except (OSError, ValueError) as error:
        raise Stop(
            f"{url} does not answer ({error}). Is `octavia serve` running? Set OS_ENDPOINT or --endpoint."
        ) from None


def print_overview(rows: list[dict[str, Any]]) -> None:
    if not rows:
        print("There are no load balancers.")
    for row in rows:
        said = row["sentences"][0]["sentence"] if row["sentences"] else "Not visited yet."
        print(
            f"{row['load_balancer_id']}  {row['provisioning_status']:<14} {row['operating_status']:<8} "
            f"{row['name'] or '-'}  {row['fault'] or said}"
        )


def print_progress(row: dict[str, Any]) -> None:
    lease = f"{row['lease_holder']} until {row['lease_expires']}" if row["lease_holder"] else "free"
    print(f"load balancer  {row['load_balancer_id']}  {row['name']}")
    print(f"status         {row['provisioning_status']}, {row['operating_status']}")
    print(f"generation     {row['generation']} wished, {row['observed']} in force")
    print(f"last edit      request {row['request_id'] or '-'}, user {row['user_id'] or '-'}")
    print(f"lease          {lease} (epoch {row['epoch']}, token {row['token']})")
    if row["fault"]:
        print(f"fault          {row['fault']} (visits that failed in a row: {row['failures']})")
    for amphora in row["amphorae"]:
        fate = f", condemned: {amphora['condemned']}" if amphora["condemned"] else ""
        heard = amphora["heard_at"] or "never"
        print(f"amphora        {amphora['id']} at {amphora['lb_network_ip'] or '-'}, last heard {heard}{fate}")
    for said in row["sentences"]:
        print(f"{said['at']}  {said['sentence']}")


if __name__ == "__main__":
    sys.exit(main())
