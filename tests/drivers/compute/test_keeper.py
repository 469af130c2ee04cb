"""Agents are kept alive."""

import logging
import queue
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from octavia.drivers.compute import keeper as keeping
from octavia.drivers.compute.keeper import Keeper
from octavia.host import processes
from octavia.host.processes import Process
from tests.host.needs import until

ID = "an amphora"
PATIENCE = 5.0


class Launcher:
    """Starts what its script says, and remembers what it has started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.script = "exec sleep 1000"
        self.fault: OSError | None = None
        self.started: queue.Queue[Process] = queue.Queue()
        self.last: Process | None = None

    def __call__(self, amphora_id: str) -> Process:
        if self.fault is not None:
            raise self.fault
        argv = ["sh", "-c", self.script]
        self.last = processes.spawn(argv, cwd=self.folder, log=self.folder / "log")
        self.started.put(self.last)
        return self.last

    def recorded(self, amphora_id: str) -> Process | None:
        return self.last if self.last is not None and processes.alive(self.last) else None

    def next(self) -> Process:
        return self.started.get(timeout=PATIENCE)


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    made = Launcher(tmp_path)
    yield made
    if made.last is not None:
        processes.end(made.last, grace=1)


@pytest.fixture
def keeper(launcher: Launcher) -> Iterator[Keeper]:
    made = Keeper(launcher, launcher.recorded)
    yield made
    made.close()


def kill(process: Process) -> None:
    descriptor = processes.handle(process)
    assert descriptor is not None
    processes.send(descriptor, signal.SIGKILL)
    assert processes.exited({descriptor}, PATIENCE)
    processes.release(descriptor)


def test_an_agent_is_started_once(keeper: Keeper, launcher: Launcher) -> None:
    keeper.keep(ID)
    keeper.keep(ID)
    first = launcher.next()
    assert launcher.started.empty()
    assert processes.alive(first)


def test_an_agent_that_dies_is_started_again(keeper: Keeper, launcher: Launcher) -> None:
    keeper.keep(ID)
    first = launcher.next()
    kill(first)
    second = launcher.next()
    assert second != first
    kill(second)
    assert launcher.next() != second


def test_pauses_grow_while_lives_are_short(
    keeper: Keeper, launcher: Launcher, caplog: pytest.LogCaptureFixture
) -> None:
    launcher.script = "exit 1"
    with caplog.at_level(logging.WARNING):
        keeper.keep(ID)
        for _ in range(4):
            launcher.next()
    pauses = [record.args[1] for record in caplog.records if isinstance(record.args, tuple) and len(record.args) == 2]
    assert pauses[:3] == [0.0, 0.1, 0.2]
    keeper.drop(ID)


def test_pauses_have_an_end_and_a_long_life_forgets_them(keeper: Keeper, launcher: Launcher) -> None:
    kept = keeping.Kept()
    for expected in (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0):
        keeping.note_life(kept, lived=0.5)
        assert kept.pause == pytest.approx(expected)
    assert keeping.note_life(kept, lived=keeping.SHORT_LIFE) == 0.0
    assert kept.pause == 0.0


def test_an_agent_that_cannot_be_started_again_is_tried_again(keeper: Keeper, launcher: Launcher) -> None:
    keeper.keep(ID)
    first = launcher.next()
    launcher.fault = OSError("no room")
    kill(first)
    launcher.fault = None
    assert launcher.next() != first


def test_a_first_start_that_fails_is_told(keeper: Keeper, launcher: Launcher) -> None:
    launcher.fault = OSError("no room")
    with pytest.raises(OSError, match="no room"):
        keeper.keep(ID)
    launcher.fault = None
    keeper.keep(ID)
    launcher.next()


def test_who_is_dropped_is_not_started_again(keeper: Keeper, launcher: Launcher) -> None:
    keeper.keep(ID)
    first = launcher.next()
    keeper.drop(ID)
    keeper.drop(ID)
    assert processes.alive(first)
    kill(first)
    with pytest.raises(queue.Empty):
        launcher.started.get(timeout=0.05)


def test_renewing_ends_the_one_and_starts_the_other(keeper: Keeper, launcher: Launcher) -> None:
    keeper.keep(ID)
    first = launcher.next()
    keeper.renew(ID)
    second = launcher.next()
    assert not processes.alive(first)
    assert processes.alive(second)
    kill(second)
    launcher.next()
    assert launcher.started.empty()


def test_a_later_keeper_adopts_what_runs(keeper: Keeper, launcher: Launcher) -> None:
    keeper.keep(ID)
    first = launcher.next()
    keeper.close()
    later = Keeper(launcher, launcher.recorded)
    try:
        later.keep(ID)
        assert launcher.started.empty()
        kill(first)
        assert launcher.next() != first
    finally:
        later.close()


def test_a_closed_keeper_lets_go(keeper: Keeper, launcher: Launcher) -> None:
    keeper.keep(ID)
    first = launcher.next()
    keeper.close()
    assert processes.alive(first)
    kill(first)
    with pytest.raises(queue.Empty):
        launcher.started.get(timeout=0.05)


def test_many_are_kept_by_one_thread(launcher: Launcher, keeper: Keeper) -> None:
    import threading

    before = threading.active_count()
    ids = [f"amphora {number}" for number in range(20)]
    started: list[Process] = []
    launch: Callable[[str], Process] = launcher
    many = Keeper(launch, lambda _: None)
    try:
        for each in ids:
            many.keep(each)
            started.append(launcher.next())
        for process in started:
            kill(process)
        again = [launcher.next() for _ in ids]
        assert threading.active_count() <= before + 2
    finally:
        many.close()
    processes.end_all(again, grace=1)
    until(lambda: not any(map(processes.alive, again)))
