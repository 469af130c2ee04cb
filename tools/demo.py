"""The tour: a load balancer that carries traffic, made with the official client, step by step. See `make demo`."""

import fcntl
import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from tools.stage import PROGRAMS, ROOT, WEB_PORT, Answer, Load, Stage, StageError, end

FOLDER = Path(os.environ.get("DEMO_FOLDER") or ROOT / ".state")
STATE = FOLDER / "demo"
LOG = FOLDER / "demo.log"
SHOWN = ("id", "name", "protocol", "vip_address", "address", "provisioning_status")
BOLD, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")


class Tour:
    """What was seen on the way, for the last page."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.address = ""
        self.port = 80
        self.timings: list[tuple[str, str]] = []
        self.complaints: list[str] = []

    def time(self, what: str, seconds: float) -> None:
        self.timings.append((what, f"{seconds * 1000:.0f} ms"))

    def require(self, true: bool, complaint: str) -> None:
        if not true:
            self.complaints.append(complaint)
            say(f"FAILED: {complaint}")


def title(text: str) -> None:
    print(f"\n{BOLD}==> {text}{PLAIN}", flush=True)


def say(text: str) -> None:
    print(f"    {text}", flush=True)


def environment(stage: Stage) -> dict[str, str]:
    """The official client's; whatever cloud the caller works with otherwise stays out of it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    return kept | {"OS_AUTH_TYPE": "none", "OS_ENDPOINT": stage.endpoint}


def openstack(stage: Stage, command: str, columns: Sequence[str] = SHOWN) -> None:
    """Runs `openstack loadbalancer COMMAND`, and shows it and what it answers. Raises StageError."""
    words = ["openstack", "loadbalancer", *shlex.split(command)]
    print(f"{BOLD}  $ {shlex.join(words)}{PLAIN}", flush=True)
    format_ = ["-f", "yaml"] if columns else []
    done = subprocess.run(
        [str(PROGRAMS / words[0]), *words[1:], *format_, *(word for name in columns for word in ("-c", name))],
        env=environment(stage),
        capture_output=True,
        text=True,
        check=False,
    )
    for line in done.stdout.splitlines():
        say(f"{DIM}{line}{PLAIN}")
    if done.returncode:
        raise StageError(f"the client failed: {done.stderr.strip()}")


def serve(tour: Tour) -> None:
    title("Starting `octavia serve`")
    seconds = tour.stage.start(port=9876)
    for line in tour.stage.said:
        say(line)
    say(f"ready at {tour.stage.endpoint} after {seconds:.1f} s")
    tour.time("octavia serve is ready", seconds)


def create(tour: Tour) -> None:
    stage = tour.stage
    # Unprivileged processes on the host's own network cannot have port 80.
    tour.port = 80 if stage.own_network or os.geteuid() == 0 else 8000
    title("A load balancer, with the official client")
    openstack(stage, "create --name demo --vip-subnet-id demo")
    found = stage.call("GET", "/v2/lbaas/loadbalancers?name=demo")["loadbalancers"][0]
    tour.address = found["vip_address"]
    title("Two web servers to balance between")
    addresses = [stage.start_member(number) for number in (1, 2)]
    say(", ".join(f"web{number} at {address}:{WEB_PORT}" for number, address in enumerate(addresses, 1)))
    title("A listener, a pool, its members. There is no need to wait: a busy load balancer takes further changes")
    openstack(stage, f"listener create --name web --protocol HTTP --protocol-port {tour.port} demo")
    openstack(stage, "pool create --name webs --listener web --protocol HTTP --lb-algorithm ROUND_ROBIN")
    for number, address in enumerate(addresses, 1):
        openstack(stage, f"member create --name web{number} --address {address} --protocol-port {WEB_PORT} webs")
    openstack(
        stage,
        "healthmonitor create --name check --type HTTP --delay 1 --timeout 1 --max-retries 2 webs",
        ("id", "type"),
    )


def ask(tour: Tour) -> None:
    title(f"Requests to http://{tour.address}:{tour.port}/")
    load = tour.stage.load(tour.address, tour.port, threads=1, pause=0.01)
    try:
        load.until(lambda answer: not answer.failed)
        start = len(load.answers)
        load.until(lambda _: len(load.answers) >= start + 20)
    finally:
        answers = load.stop()
    count = Counter(answer.who for answer in answers[start : start + 20])
    say("who answered 20 requests: " + ", ".join(f"{who} {times}" for who, times in sorted(count.items())))
    tour.require(set(count) == {"web1", "web2"}, f"web1 and web2 should have answered, but it was {dict(count)}")


def add_member(tour: Tour, load: Load) -> None:
    title("A third member, while requests go on")
    before = len(load.answers)
    address = tour.stage.start_member(3)
    openstack(tour.stage, f"member create --name web3 --address {address} --protocol-port {WEB_PORT} webs")
    first = load.until(lambda answer: answer.who == "web3")
    time.sleep(0.5)
    seconds = first.ended - accepted(tour.stage.log)
    during = load.answers[before:]
    failed = [answer.who for answer in during if answer.failed]
    say(f"web3 answered {seconds * 1000:.0f} ms after it was accepted; {len(failed)} of {len(during)} requests failed")
    tour.time("a member added: first answer", seconds)
    tour.timings.append(("a member added: failed requests", f"{len(failed)} of {len(during)}"))
    tour.require(not failed, f"adding a member must not cost a request: {failed[:3]}")


def accepted(log: Path) -> float:
    """When the API answered the last POST of a member, in monotonic seconds; its own dates know no milliseconds."""
    line = [line for line in log.read_text().splitlines() if "POST" in line and "/members: 201" in line][-1]
    then = datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f").astimezone().timestamp()
    return then - time.time() + time.monotonic()


def kill_haproxy(tour: Tour, load: Load) -> None:
    title("HAProxy is killed")
    victims = tour.stage.haproxies()
    tour.require(bool(victims), "no HAProxy process was found")
    killed = time.monotonic()
    for pid in victims:
        end(pid, signal.SIGKILL)
    say(f"kill -9 {' '.join(map(str, victims))}")
    back = load.until(lambda answer: answer.began > killed and not answer.failed)
    seconds = back.ended - killed
    time.sleep(0.5)
    failed = [answer for answer in load.answers if answer.failed and answer.ended >= killed]
    say(f"the agent started it again: an answer {seconds * 1000:.0f} ms after the kill, {len(failed)} requests failed")
    tour.time("HAProxy killed: next answer", seconds)


def under_load(tour: Tour) -> None:
    load = tour.stage.load(tour.address, tour.port)
    try:
        load.until(lambda answer: not answer.failed)
        add_member(tour, load)
        kill_haproxy(tour, load)
    finally:
        load.stop()


def first_answer(tour: Tour) -> None:
    """A load balancer with all its children in one request, until it answers."""
    title("All in one request, and timed: from the POST to the first answer")
    stage, port = tour.stage, tour.port
    member = {"address": stage.member_address(1), "protocol_port": WEB_PORT}
    pool = {"name": "all", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", "members": [member]}
    listener = {"protocol": "HTTP", "protocol_port": port, "default_pool": pool}
    body = {"name": "at-once", "vip_subnet_id": stage.subnet()["id"], "listeners": [listener]}
    began = time.monotonic()
    made = stage.call("POST", "/v2/lbaas/loadbalancers", {"loadbalancer": body})["loadbalancer"]
    load = stage.load(made["vip_address"], port, threads=1, pause=0.002)
    try:
        first: Answer = load.until(lambda answer: not answer.failed)
    finally:
        load.stop()
    say(f"{made['vip_address']} answered after {(first.ended - began) * 1000:.0f} ms")
    tour.time("created in one request: first answer", first.ended - began)
    openstack(stage, "delete --cascade at-once", ())
    gone(stage, f"/v2/lbaas/loadbalancers/{made['id']}")


def gone(stage: Stage, path: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while stage.exists(path):
        if time.monotonic() > deadline:
            raise StageError(f"{path} is still there after {seconds:g} s")
        time.sleep(0.05)


def look(tour: Tour) -> None:
    title("What the control plane says")
    openstack(tour.stage, "stats show demo", ("active_connections", "bytes_in", "bytes_out", "total_connections"))
    print(f"{BOLD}  $ octavia status demo{PLAIN}")
    program = [str(PROGRAMS / "octavia"), "status", "--endpoint", tour.stage.endpoint, "demo"]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines()[:10]:
        say(f"{DIM}{line}{PLAIN}")
    tour.require(done.returncode == 0, f"octavia status failed: {done.stderr.strip()}")


def summary(tour: Tour) -> None:
    title("Timings")
    for what, how_long in tour.timings:
        say(f"{what:<40} {how_long:>10}")


def by_hand(tour: Tour) -> None:
    title("Go on by hand, in another terminal")
    curl = shlex.join(tour.stage.inside(["curl", f"http://{tour.address}:{tour.port}/"]))
    for line in (
        f"cd {ROOT} && . .venv/bin/activate",
        f"export OS_AUTH_TYPE=none OS_ENDPOINT={tour.stage.endpoint}",
        "openstack loadbalancer list",
        "openstack loadbalancer status show demo",
        "octavia status demo",
        curl,
        f"less {LOG}",
    ):
        say(line)


STEPS: tuple[Callable[[Tour], None], ...] = (serve, create, ask, under_load, first_answer, look, summary)


def walk(tour: Tour, *, stay: bool) -> None:
    for step in STEPS:
        step(tour)
    if stay:
        by_hand(tour)
        print("\nIt stays up until Ctrl-C, which removes everything.", flush=True)
        signal.pause()


@contextmanager
def alone() -> Iterator[None]:
    """One tour at a time in this clone. Raises StageError."""
    LOG.parent.mkdir(exist_ok=True)
    with locked(LOG.parent / "demo.lock"):
        yield


@contextmanager
def locked(path: Path) -> Iterator[IO[str]]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StageError("another demo runs in this clone; end it first") from None
        yield lock


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def tidy(stage: Stage) -> None:
    """Nothing is left, and nobody can interrupt that."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    title("Removing everything")
    stage.clear()


def main() -> int:
    # SIGINT as well: a shell starts what it puts in the background with that one ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    tour = Tour(Stage(STATE, LOG))
    try:
        with alone():
            LOG.unlink(missing_ok=True)
            # What an interrupted tour may have left.
            tour.stage.clear()
            try:
                walk(tour, stay=os.environ.get("ONESHOT", "") in ("", "0"))
            except KeyboardInterrupt:
                print()
            except Exception:
                tour.stage.keep_agents_logs()
                raise
            finally:
                tidy(tour.stage)
    except (StageError, OSError, subprocess.SubprocessError, urllib.error.URLError) as error:
        print(f"\nerror: {error}\nThe daemon's log is {LOG}.", file=sys.stderr)
        return 1
    print("\nThe tour failed." if tour.complaints else f"\nDone. Nothing is left but .venv and {LOG}.")
    return 1 if tour.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
