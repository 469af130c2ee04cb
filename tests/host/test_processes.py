"""Processes: told apart, started apart, watched, ended."""

import os
import queue
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from octavia.host import namespaces, processes
from octavia.host.processes import Process, Watch
from tests.host import needs

PROMPT = 0.2
"""Seconds; a watcher is called within milliseconds, but the machine may be busy."""


@pytest.fixture
def watch() -> Iterator[Watch]:
    made = Watch("test")
    yield made
    made.close()


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    process = spawn(tmp_path, "exec sleep 100")
    yield process
    processes.end(process, grace=1)


def spawn(folder: Path, script: str, **given: object) -> Process:
    return processes.spawn(["sh", "-c", script], cwd=folder, log=folder / "log", **given)  # type: ignore[arg-type]


def spawn_stubborn(folder: Path) -> Process:
    """A process that ignores SIGTERM already when this returns."""
    process = spawn(folder, "trap '' TERM; echo deaf; exec sleep 100")
    needs.until(lambda: "deaf" in (folder / "log").read_text())
    return process


def test_we_identify_ourselves() -> None:
    own = processes.identify(os.getpid())
    assert own is not None
    assert own.pid == os.getpid()
    assert processes.alive(own)


def test_a_reused_pid_is_somebody_else(sleeper: Process) -> None:
    earlier = Process(sleeper.pid, sleeper.started - 1)
    assert not processes.alive(earlier)
    processes.end(earlier, grace=0)
    assert processes.alive(sleeper)


def test_a_zombie_is_nobody() -> None:
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert processes.status(child.pid) is not None
        assert processes.identify(child.pid) is None
    assert processes.identify(child.pid) is None


def test_a_spawned_process_stands_alone(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)
    (tmp_path / "log").write_text("before\n")
    script = f"echo $PWD $NAME; readlink /proc/$$/fd/0; ls /proc/$$/fd; echo x >/proc/self/fd/{writing}; exec sleep 100"
    process = spawn(tmp_path, script, env={"NAME": "value", "PATH": os.environ["PATH"]}, pass_fds=[writing])
    os.close(writing)
    assert os.read(reading, 10) == b"x\n"
    os.close(reading)
    try:
        assert os.getsid(process.pid) == process.pid
        lines = (tmp_path / "log").read_text().splitlines()
        assert lines[:3] == ["before", f"{tmp_path} value", "/dev/null"]
        assert set(lines[3:]) == {"0", "1", "2", str(writing)}
    finally:
        processes.end(process, grace=1)


def test_what_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        processes.spawn(["/nonexistent"], cwd=tmp_path, log=tmp_path / "log")


def test_no_zombie_is_left_though_nobody_watches(tmp_path: Path) -> None:
    process = spawn(tmp_path, "exit 3")
    needs.until(lambda: processes.status(process.pid) is None)


def test_a_spawned_process_survives_us(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path; from octavia.host import processes as p\n"
        f"here = Path({str(tmp_path)!r})\n"
        "p.remember(here / 'record', p.spawn(['sleep', '100'], cwd=here, log=here / 'log'))"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, cwd=needs.ROOT)
    process = processes.recall(tmp_path / "record")
    assert process is not None
    processes.end(process, grace=1)
    assert not processes.alive(process)


@needs.namespaces
def test_a_process_starts_inside_a_namespace(tmp_path: Path) -> None:
    name = namespaces.name_for(str(uuid.uuid4()))
    try:
        process = spawn(tmp_path, "exec sleep 100", namespace=namespaces.ensure(name))
        assert processes.in_namespace(namespaces.path_of(name)) == [process]
        assert processes.in_namespace(namespaces.path_of(name).stat().st_ino) == [process]
        processes.end(process, grace=1)
        assert processes.in_namespace(namespaces.path_of(name)) == []
    finally:
        namespaces.remove(name)
    assert processes.in_namespace(namespaces.path_of(name)) == []


def test_our_own_namespace_holds_us() -> None:
    assert processes.identify(os.getpid()) in processes.in_namespace(Path("/proc/self/ns/net"))


def test_end_asks_first(tmp_path: Path) -> None:
    process = spawn(tmp_path, "trap 'echo asked; exit' TERM; echo ready; while :; do sleep 0.01; done")
    needs.until(lambda: "ready" in (tmp_path / "log").read_text())
    processes.end(process, grace=5)
    assert not processes.alive(process)
    assert "asked" in (tmp_path / "log").read_text()


def test_end_kills_when_the_grace_is_over(tmp_path: Path) -> None:
    process = spawn_stubborn(tmp_path)
    began = time.monotonic()
    processes.end(process, grace=0.1)
    assert 0.1 <= time.monotonic() - began < 2
    assert not processes.alive(process)


def test_one_grace_for_all(tmp_path: Path) -> None:
    several = [spawn_stubborn(folder) for folder in folders(tmp_path, 3)]
    began = time.monotonic()
    processes.end_all(several, grace=0.3)
    assert time.monotonic() - began < 0.9
    assert not any(map(processes.alive, several))


def folders(parent: Path, count: int) -> list[Path]:
    made = [parent / str(number) for number in range(count)]
    for folder in made:
        folder.mkdir()
    return made


def test_a_stopped_process_ends_too(sleeper: Process) -> None:
    os.kill(sleeper.pid, signal.SIGSTOP)
    processes.end(sleeper, grace=0.05)
    assert not processes.alive(sleeper)


def test_ending_what_is_gone_is_no_error(sleeper: Process) -> None:
    processes.end(sleeper, grace=1)
    processes.end(sleeper, grace=1)
    assert processes.wait(sleeper, 0)


def test_wait_says_whether_it_is_gone(sleeper: Process) -> None:
    assert not processes.wait(sleeper, 0.01)
    os.kill(sleeper.pid, signal.SIGKILL)
    assert processes.wait(sleeper, 5)


def test_the_watch_calls_promptly(watch: Watch, sleeper: Process) -> None:
    exits: queue.Queue[Process] = queue.Queue()
    watch.add(sleeper, exits.put)
    os.kill(sleeper.pid, signal.SIGKILL)
    assert exits.get(timeout=PROMPT) == sleeper


def test_the_watch_sees_those_who_are_not_our_children(watch: Watch, tmp_path: Path) -> None:
    parent = spawn(tmp_path, "sleep 100 & echo $!; exit")
    needs.until(lambda: not processes.alive(parent))
    orphan = processes.identify(int((tmp_path / "log").read_text()))
    assert orphan is not None
    exits: queue.Queue[Process] = queue.Queue()
    watch.add(orphan, exits.put)
    os.kill(orphan.pid, signal.SIGTERM)
    assert exits.get(timeout=PROMPT) == orphan


def test_the_watch_calls_for_those_who_had_gone_before(watch: Watch, sleeper: Process) -> None:
    processes.end(sleeper, grace=1)
    exits: queue.Queue[Process] = queue.Queue()
    watch.add(sleeper, exits.put)
    assert exits.get(timeout=PROMPT) == sleeper


def test_a_watcher_that_fails_harms_no_other(watch: Watch, sleeper: Process, caplog: pytest.LogCaptureFixture) -> None:
    exits: queue.Queue[Process] = queue.Queue()

    def fail(_: Process) -> None:
        raise ValueError("no")

    watch.add(sleeper, fail)
    watch.add(sleeper, exits.put)
    processes.end(sleeper, grace=1)
    assert exits.get(timeout=PROMPT) == sleeper
    needs.until(lambda: "a watcher failed" in caplog.text)


def test_moments_come_in_their_order(watch: Watch) -> None:
    called: queue.Queue[int] = queue.Queue()
    for number, seconds in ((3, 0.06), (1, 0.0), (2, 0.03)):
        watch.later(seconds, lambda number=number: called.put(number))  # type: ignore[misc]
    assert [called.get(timeout=1) for _ in range(3)] == [1, 2, 3]


def test_a_closed_watch_calls_nobody(sleeper: Process) -> None:
    watch = Watch("closing")
    exits: queue.Queue[object] = queue.Queue()
    watch.add(sleeper, exits.put)
    watch.later(0.01, lambda: exits.put("moment"))
    watch.close()
    watch.close()
    watch.add(sleeper, exits.put)
    watch.later(0, lambda: exits.put("late"))
    processes.end(sleeper, grace=1)
    with pytest.raises(queue.Empty):
        exits.get(timeout=0.05)


def test_a_watch_leaves_no_descriptor_behind(sleeper: Process) -> None:
    processes.reaper()
    before = sorted(os.listdir("/proc/self/fd"))
    watch = Watch("tidy")
    watch.add(sleeper, lambda _: None)
    watch.close()
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_a_record_names_a_living_process(tmp_path: Path, sleeper: Process) -> None:
    record = tmp_path / "record"
    assert processes.recall(record) is None
    processes.remember(record, sleeper)
    assert processes.recall(record) == sleeper
    record.write_text(record.read_text().replace(processes.boot_id(), "another boot"))
    assert processes.recall(record) is None
    record.write_text("{")
    assert processes.recall(record) is None
    processes.remember(record, sleeper)
    processes.end(sleeper, grace=1)
    assert processes.recall(record) is None


def test_a_process_tells_its_arguments_and_environment(sleeper: Process) -> None:
    needs.until(lambda: processes.arguments(sleeper.pid) == ("sleep", "100"))
    assert f"PATH={os.environ['PATH']}" in processes.environment(sleeper.pid)
    processes.end(sleeper, grace=1)
    assert processes.arguments(sleeper.pid) == ()
