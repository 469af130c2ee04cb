"""The `octavia` command: its help, its refusals in one sentence, and how `octavia serve` ends."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import with_stand_ins
from tests.e2e.stage import Stage

Done = subprocess.CompletedProcess[str]
COMMANDS = ("serve", "exec", "status", "destroy", "db", "db upgrade", "db raise-epoch")


def octavia(*words: object) -> Done:
    """The command as it is typed on this machine: only for what touches nothing but the folder given."""
    argv = [sys.executable, "-m", "octavia.cli", *map(str, words)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def told(done: Done) -> str:
    """The one sentence that a command which cannot be done ends with."""
    assert done.returncode == 1, done
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done
    assert re.fullmatch(r"octavia: .+[.)/]", lines[0]), done
    return lines[0]


# --- without a server ---------------------------------------------------------------------------------------------


def test_help_names_every_command() -> None:
    done = octavia("--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert command.split()[0] in done.stdout
    assert octavia("--version").stdout.startswith("octavia ")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    done = octavia(*command.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: octavia {command}")


@pytest.mark.parametrize(
    "words", ["", "dance", "destroy", "db", "serve --bind-port many", "serve --bind-port 65536", "serve now"]
)
def test_a_line_that_is_no_command_is_answered_with_the_usage(words: str) -> None:
    done = octavia(*words.split())
    assert done.returncode == 2
    assert done.stderr.startswith("usage: octavia")


FAULTS = {
    "bind_port = many": "bind_port",
    "bind_port = 65536": "bind_port",
    "bind_host = 0.0.0.0": "without authentication the API listens on a loopback address only",
    "bind_host =": "bind_host",
    "auth_strategy = keystone": "keystone",
    "auth_strategy = magic": "auth_strategy",
}


@pytest.mark.parametrize(("line", "about"), FAULTS.items())
def test_a_fault_in_the_configuration_is_told(tmp_path: Path, line: str, about: str) -> None:
    file = tmp_path / "octavia.conf"
    file.write_text(f"[api_settings]\n{line}\n")
    done = octavia("serve", "--config-file", file, "--state-path", tmp_path / "state")
    assert about in told(done)
    assert not (tmp_path / "state").exists()


def test_a_configuration_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert "absent.conf" in told(octavia("serve", "--config-file", tmp_path / "absent.conf"))
    broken = tmp_path / "broken.conf"
    broken.write_text("[api_settings\nbind_port")
    assert "broken.conf" in told(octavia("serve", "--config-file", broken))
    broken.write_bytes(b"\xff\xfe")
    assert "broken.conf" in told(octavia("serve", "--config-file", broken))


@pytest.mark.parametrize(("option", "value"), [("--bind-host", "0.0.0.0"), ("--bind-host", "192.0.2.1")])
def test_noauth_on_an_address_for_everybody_is_refused(tmp_path: Path, option: str, value: str) -> None:
    done = octavia("serve", option, value, "--state-path", tmp_path / "state")
    assert "loopback" in told(done)


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = octavia("serve", "--bind-port", port, "--state-path", tmp_path / "state")
    assert f"127.0.0.1:{port} cannot be listened on" in told(done)


def test_status_without_a_server_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as once:
        port = once.getsockname()[1]
    assert "Is `octavia serve` running?" in told(octavia("status", "--endpoint", f"http://127.0.0.1:{port}"))
    assert "is no URL" in told(octavia("status", "--endpoint", "here"))


def test_exec_without_a_command_is_told(tmp_path: Path) -> None:
    assert "no command given" in told(octavia("exec"))
    assert "no command given" in told(octavia("exec", "--"))
    absent = octavia("exec", "--state-path", tmp_path, "--", "no-such-program")
    assert "no-such-program cannot be run" in told(absent)


def test_the_database_alone(tmp_path: Path) -> None:
    state = ["--state-path", str(tmp_path / "state")]
    first, again = octavia("db", "upgrade", *state), octavia("db", "upgrade", *state)
    assert (first.returncode, first.stdout) == (0, again.stdout)
    assert "schema version" in first.stdout
    epochs = [int(re.findall(r"\d+", octavia("db", "raise-epoch", *state).stdout)[0]) for _ in range(2)]
    assert epochs[1] == epochs[0] + 1


def test_destroying_what_never_was(tmp_path: Path) -> None:
    done = octavia("destroy", "--all", "--state-path", tmp_path / "state")
    assert (done.returncode, done.stdout) == (0, f"There is nothing in {tmp_path / 'state'}.\n")


# --- beside a server ----------------------------------------------------------------------------------------------


def beside(stage: Stage, *words: str) -> Done:
    return stage.run([*stage.command, *words], check=False)


def state_of(stage: Stage) -> list[str]:
    return ["--state-path", str(stage.state / "state")]


def test_a_second_server_on_the_folder_is_refused(shared_stage: Stage) -> None:
    done = beside(shared_stage, "serve", "--bind-port", "9877", *state_of(shared_stage))
    assert "works on" in told(done)
    assert "--state-path" in done.stderr


def test_destroying_under_a_server_is_refused(shared_stage: Stage) -> None:
    assert "Stop it with" in told(beside(shared_stage, "destroy", "--all", *state_of(shared_stage)))
    assert shared_stage.call("GET", "/loadbalancers") is not None


def test_exec_passes_on_what_the_command_says(shared_stage: Stage) -> None:
    done = beside(shared_stage, "exec", *state_of(shared_stage), "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")


def test_status_tells_what_is_going_on(shared_stage: Stage) -> None:
    stage = shared_stage
    assert beside(stage, "status").stdout == "There are no load balancers.\n"
    made = stage.create()
    overview = beside(stage, "status")
    assert re.search(rf"{made['id']}  ACTIVE +\w+ +lb  .+", overview.stdout), overview
    for name in (made["id"], "lb"):
        shown = beside(stage, "status", name)
        assert shown.returncode == 0
        assert f"amphora        {stage.amphorae()[0]} at " in shown.stdout
        assert "Everything is as wished." in shown.stdout
    assert "there is no load balancer nobody" in told(beside(stage, "status", "nobody"))
    stage.call("DELETE", f"/loadbalancers/{made['id']}?cascade=true")


# --- how it ends --------------------------------------------------------------------------------------------------


def test_sigterm_finishes_the_request_in_flight(root_stage: Stage) -> None:
    stage = root_stage
    assert stage.serving is not None
    body = json.dumps({"loadbalancer": {"vip_subnet_id": stage.subnet(), "name": "late"}}).encode()
    with stage.near(), socket.create_connection(("127.0.0.1", stage.port), timeout=30) as client:
        client.sendall(
            b"POST /v2/lbaas/loadbalancers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        assert client.recv(1000).startswith(b"HTTP/1.1 100 ")
        stage.serving.send_signal(signal.SIGTERM)
        stage.until(lambda: refused(stage.port), "no new connections")
        client.sendall(body)
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert answer.status == 201
        made = json.loads(answer.read())["loadbalancer"]
        answer.close()
    assert stage.serving.wait(timeout=30) == 0
    stage.kill()
    stage.serve()
    assert stage.active(made["id"])["name"] == "late"


def refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionError as error:
        return isinstance(error, ConnectionRefusedError)  # a reset is a socket on its way to be closed
    return False


def test_amphorae_outlive_the_server_and_the_next_one_adopts_them(stage: Stage) -> None:
    """Ctrl-C reaches the whole process group of `octavia serve`; no amphora is in it."""
    made = stage.create(stage.host(1))
    amphora = stage.amphorae()[0]
    before = [stage.pid_of(amphora, what) for what in ("agent", "master", "worker")]
    traffic = stage.traffic(made["vip_address"])
    for number in (signal.SIGINT, signal.SIGTERM):
        assert ended(stage, number).endswith("the load balancers go on serving\n")
        assert stage.get(made["vip_address"]) == "m1"
        stage.serve()
        stage.call("PUT", f"/loadbalancers/{made['id']}", {"loadbalancer": {"name": f"after {number}"}})
        stage.active(made["id"])
        assert [stage.pid_of(amphora, what) for what in ("agent", "master", "worker")] == before
        assert stage.amphorae() == [amphora]
    assert traffic.stop()["failures"] == {}


def ended(stage: Stage, number: signal.Signals) -> str:
    """What `octavia serve` says at its end."""
    assert stage.serving is not None
    assert stage.serving.stdout is not None
    os.killpg(stage.serving.pid, number)
    assert stage.serving.wait(timeout=30) == 0
    said = str(stage.serving.stdout.read())
    stage.kill()
    return said


# --- with stand-ins -----------------------------------------------------------------------------------------------


@pytest.fixture
def noop_stage() -> Iterator[Stage]:
    yield from with_stand_ins()


def test_with_stand_ins_everything_is_accepted_and_becomes_active(noop_stage: Stage) -> None:
    stage = noop_stage
    wish: dict[str, Any] = {"vip_subnet_id": "7548a719-347d-579c-9cfe-3cecbded0cb1", "name": "lb"}
    made = stage.call("POST", "/loadbalancers", {"loadbalancer": wish}, status=201)["loadbalancer"]
    listener = {"loadbalancer_id": made["id"], "protocol": "TERMINATED_HTTPS", "protocol_port": 443}
    listener["default_tls_container_ref"] = "http://keys/v1/secrets/one"
    stage.call("POST", "/listeners", {"listener": listener}, status=201)
    stage.active(made["id"])
    assert stage.amphorae() == []
    stage.call("DELETE", f"/loadbalancers/{made['id']}?cascade=true", status=204)
    stage.until(lambda: not stage.call("GET", "/loadbalancers")["loadbalancers"], "it is gone")
