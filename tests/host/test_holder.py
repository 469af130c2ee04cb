"""The holder, as somebody sees it who has no privileges."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from octavia.host import holder, processes
from octavia.host.processes import Process
from tests.host import needs

pytestmark = needs.unprivileged
PREPARE = """
import json, os, socket, subprocess
from pathlib import Path
from octavia.host import holder, links, namespaces, processes
state = Path(os.environ["STATE"])
"""
ENTER = """
outside = socket.create_server(("127.0.0.1", 0))
os.chdir("/tmp")
held = holder.ensure(state)
assert holder.ensure(state) == held
holder.enter(held)
"""


@pytest.fixture
def state() -> Iterator[Path]:
    with needs.folder_of_others() as folder:
        yield folder / "state"
        holder.remove(folder / "state")


def told(state: Path, script: str, *, prepare: str = PREPARE) -> Any:
    """What the script, which an unprivileged user runs, prints as JSON in its last line."""
    done = needs.run_unprivileged(prepare + script, STATE=str(state))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def found(state: Path) -> Process:
    process = holder.find(state)
    assert process is not None
    return process


def test_who_enters_is_root_there(state: Path) -> None:
    script = """
before = socket.if_nameindex()
links.ensure_bridge("octbtest", ["198.18.0.1/20"])
Path("/run/mine").write_text("x")
print(json.dumps([os.getuid(), os.getcwd(), [name for _, name in before], links.exists("octbtest")]))
"""
    assert told(state, script, prepare=PREPARE + ENTER) == [0, "/tmp", ["lo"], True]


def test_the_holder_outlives_who_made_it(state: Path) -> None:
    script = 'links.ensure_bridge("octbtest")\nprint(held.pid)'
    pid = told(state, script, prepare=PREPARE + ENTER)
    assert found(state).pid == pid
    again = 'print(json.dumps([held.pid, links.exists("octbtest")]))'
    assert told(state, again, prepare=PREPARE + ENTER) == [pid, True]


def test_commands_run_inside(state: Path) -> None:
    script = """
held = holder.ensure(state)
os.chdir("/tmp")
argv = holder.exec_argv(held, ["sh", "-c", "id -u; pwd; ls -A /run; ls /proc/self/ns/net"])
done = subprocess.run(argv, capture_output=True, text=True, check=True)
same = subprocess.run(holder.exec_argv(held, ["readlink", "/proc/self/ns/net"]), capture_output=True, text=True)
print(json.dumps([done.stdout.split()[:2], same.stdout.strip() == os.readlink(f"/proc/{held.pid}/ns/net")]))
"""
    assert told(state, script) == [["0", "/tmp"], True]


def test_sockets_opened_before_are_reached_from_outside(state: Path) -> None:
    script = """
outside.settimeout(5)
port = outside.getsockname()[1]
try:
    socket.create_connection(("127.0.0.1", port), timeout=1).close()
    inside = True
except OSError:
    inside = False
Path(os.environ["STATE"], "port").write_text(str(port))
print(json.dumps([inside, port > 0]))
"""
    assert told(state, script, prepare=PREPARE + ENTER) == [False, True]


def test_amphorae_live_in_there(state: Path) -> None:
    script = """
path = namespaces.ensure("octavia-test")
links.ensure_bridge("octbtest", ["198.18.0.1/20"])
links.ensure_link("octbtest", "octptest", path, "net0", "02:00:00:00:00:09", ["198.18.0.9/20"])
with namespaces.entered(path):
    server = socket.create_server(("198.18.0.9", 80))
client = socket.create_connection(("198.18.0.9", 80), timeout=5)
print(json.dumps([client.getpeername()[0], namespaces.there("octavia-test")]))
client.close(); server.close(); outside.close()
"""
    assert told(state, script, prepare=PREPARE + ENTER) == ["198.18.0.9", True]
    assert not Path("/run/netns/octavia-test").exists()


def test_remove_ends_whatever_is_inside(state: Path) -> None:
    script = """
argv = holder.exec_argv(holder.ensure(state), ["sleep", "100"])
print(processes.spawn(argv, cwd=Path("/"), log=state / "log").pid)
"""
    inside = processes.identify(told(state, script))
    assert inside is not None
    process = found(state)
    # nsenter joins one namespace after the other.
    needs.until(lambda: processes.arguments(inside.pid) == ("sleep", "100"))
    holder.remove(state)
    holder.remove(state)
    assert not processes.alive(process)
    assert not processes.alive(inside)
    assert holder.find(state) is None


def test_a_dead_holder_is_replaced_and_its_leftovers_ended(state: Path) -> None:
    script = """
argv = holder.exec_argv(holder.ensure(state), ["sleep", "100"])
print(processes.spawn(argv, cwd=Path("/"), log=state / "log").pid)
"""
    inside = processes.identify(told(state, script))
    assert inside is not None
    needs.until(lambda: processes.arguments(inside.pid) == ("sleep", "100"))
    first = found(state)
    processes.end(first, grace=1)
    assert told(state, "print(holder.ensure(state).pid)") == found(state).pid != first.pid
    assert not processes.alive(inside)


def test_who_has_a_second_thread_is_told_that_it_cannot(state: Path) -> None:
    script = """
held = holder.ensure(state)
processes.reaper()
try:
    holder.enter(held)
    print('"entered"')
except OSError as error:
    print(json.dumps(str(error)))
"""
    assert "thread" in told(state, script)


def test_a_holder_that_is_gone_cannot_be_entered(state: Path) -> None:
    script = """
held = holder.ensure(state)
processes.end(held, grace=1)
os.waitpid(held.pid, 0) if processes.status(held.pid) else None
try:
    holder.enter(held)
except ProcessLookupError as error:
    print(json.dumps(str(error)))
"""
    assert "gone" in told(state, script)


def test_a_machine_that_forbids_it_says_so(state: Path) -> None:
    script = """
os.environ["PATH"] = "/nonexistent"
try:
    holder.ensure(state)
except OSError as error:
    print(json.dumps(str(error)))
"""
    assert "unshare" in told(state, script)
