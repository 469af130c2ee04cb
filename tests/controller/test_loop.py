"""The loop with its threads: rings are served at once, faults are tried again, and stopping finishes what has begun."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from octavia.bus.local import LocalBus
from octavia.controller.loop import Loop
from octavia.controller.visit import Terms, Visitor
from octavia.domain.graph import Graph, delete, put
from octavia.store.store import Store
from tests import builders
from tests.convergence.stage import WHO, Stage


class Running:
    """A stage whose control plane runs by itself."""

    def __init__(self, folder: Path, *, sweep_interval: float = 0.2) -> None:
        self.stage = Stage(folder)
        self.bus = LocalBus()
        self.stage.store = Store(self.stage.database, self.bus.ring)
        self.stage.visitor = Visitor(self.stage.ports, Terms(holder="loop", error_after=0.0))
        self.loop = Loop(self.stage.visitor, self.stage.sweeper, self.bus, workers=3, sweep_interval=sweep_interval)
        self.loop.start()

    def until(self, true: Callable[[], object]) -> None:
        deadline = time.monotonic() + 10
        while not true():
            assert time.monotonic() < deadline, "it did not come true"
            time.sleep(0.005)

    def active(self, graph: Graph) -> bool:
        return self.status(graph.load_balancer.id) == "ACTIVE"

    def status(self, load_balancer_id: str) -> str:
        with self.stage.store.read() as reader:
            return reader.progress(load_balancer_id).provisioning_status


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path)
    yield made
    made.stage.faults.clear()
    made.loop.stop()
    made.stage.database.close()


def test_what_is_rung_becomes_so(running: Running) -> None:
    graphs = [running.stage.wish() for _ in range(8)]
    for graph in graphs:
        running.until(partial(running.active, graph))
    running.stage.check()
    for graph in graphs:
        running.stage.store.write(graph.load_balancer.id, WHO, lambda g: delete(g, g.load_balancer))
    running.until(lambda: not running.stage.load_balancers())
    running.stage.check()


def test_what_was_not_rung_is_found_by_the_sweep(running: Running) -> None:
    graph = running.stage.wish()
    running.until(lambda: running.status(graph.load_balancer.id) == "ACTIVE")
    machine = next(iter(running.stage.compute.machines))
    running.stage.compute.vanish(machine)
    running.until(lambda: machine in running.stage.compute.machines)


@pytest.fixture
def deaf(tmp_path: Path) -> Iterator[Running]:
    """Nobody rings here, and nothing is swept after the start: other processes write, and the bus is lost."""
    made = Running(tmp_path, sweep_interval=3600)
    made.stage.store = Store(made.stage.database, lambda _: None)
    yield made
    made.loop.stop()
    made.stage.database.close()


def test_what_another_process_asks_for_is_found_without_a_ring(deaf: Running) -> None:
    graph = deaf.stage.wish()
    deaf.until(lambda: deaf.active(graph))
    began = time.monotonic()
    deaf.stage.store.write(graph.load_balancer.id, WHO, lambda g: put(g, builders.pool(g.load_balancer)))
    deaf.until(lambda: deaf.active(graph))
    print(f"figure: an edit that nobody rang for was in force after {time.monotonic() - began:.2f} s")
    deaf.stage.store.write(graph.load_balancer.id, WHO, lambda g: delete(g, g.load_balancer))
    deaf.until(lambda: not deaf.stage.load_balancers())
    deaf.stage.check()


def test_an_amphora_that_another_process_condemned_is_replaced_without_a_ring(deaf: Running) -> None:
    graph = deaf.stage.wish()
    deaf.until(lambda: deaf.active(graph))
    (machine,) = deaf.stage.compute.machines
    deaf.stage.store.fail_over(graph.load_balancer.id, WHO)
    deaf.until(lambda: deaf.stage.compute.machines and machine not in deaf.stage.compute.machines)
    deaf.until(lambda: deaf.active(graph))
    deaf.stage.check()


def test_a_fault_shows_as_error_is_tried_again_and_forgotten_on_success(running: Running) -> None:
    running.stage.faults.fail("compute.ensure", times=2)
    graph = running.stage.wish()
    running.until(lambda: running.status(graph.load_balancer.id) == "ERROR")
    with running.stage.store.read() as reader:
        assert "compute.ensure fails" in str(reader.progress(graph.load_balancer.id).fault)
    running.until(lambda: running.status(graph.load_balancer.id) == "ACTIVE")


def test_a_port_that_hangs_holds_up_no_other_cluster(running: Running) -> None:
    release = running.stage.faults.hang("compute.ensure")
    stuck = running.stage.wish()
    running.until(lambda: not running.stage.faults.pending)
    graph = running.stage.wish()
    running.until(lambda: running.status(graph.load_balancer.id) == "ACTIVE")
    assert running.status(stuck.load_balancer.id) == "PENDING_CREATE"
    release.set()
    running.until(lambda: running.status(stuck.load_balancer.id) == "ACTIVE")


def test_stopping_finishes_the_visit_that_has_begun(running: Running) -> None:
    release = running.stage.faults.hang("compute.ensure")
    graph = running.stage.wish()
    running.until(lambda: not running.stage.faults.pending)
    stopping = threading.Thread(target=running.loop.stop)
    stopping.start()
    release.set()
    stopping.join(timeout=10)
    assert not stopping.is_alive()
    assert len(running.stage.compute.machines) == 1
    assert running.status(graph.load_balancer.id) in ("PENDING_CREATE", "ACTIVE")


def test_what_nobody_foresaw_ends_no_thread(running: Running) -> None:
    running.stage.faults.fail("compute.get", times=3, fault=ZeroDivisionError("as it was told to"))
    graph = running.stage.wish()
    running.until(lambda: running.status(graph.load_balancer.id) == "ACTIVE")


def test_a_ring_for_what_is_gone_is_answered_once(running: Running) -> None:
    outcome = running.stage.visitor.visit("gone")
    assert outcome.again is None
    assert "nothing on record" in outcome.sentence
