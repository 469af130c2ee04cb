"""Heartbeats taken in: what counts is written down, what does not leaves no trace."""

import socket
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from octavia.domain.amphora import Amphora
from octavia.domain.graph import Graph, put
from octavia.domain.heartbeat import Heartbeat, ListenerReport, PoolReport, amphora_key, decode, encode
from octavia.health.receiver import BATCH, Receiver
from octavia.store import schema
from octavia.store.clusters import Clusters
from octavia.store.engine import Database, utcnow
from octavia.store.query import Statistics, Who
from octavia.store.reports import Reports
from octavia.store.store import Store
from octavia.store.tables import heard
from tests import builders

MASTER = b"m" * 32
replace = msgspec.structs.replace


class Stage:
    """A store with one load balancer and its amphora, and a receiver on a real socket."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(f"sqlite:///{folder}/octavia.db")
        schema.upgrade(self.database)
        self.rung: list[str] = []
        self.store = Store(self.database, lambda _: None)
        self.graph = self.store.create(self._graph(), Who())
        self.top = self.graph.load_balancer
        clusters = Clusters(self.database)
        fence = clusters.lease(self.top.cluster_id, "test", 60)
        assert fence is not None
        self.amphora = Amphora(
            id=builders.new_id(), cluster_id=self.top.cluster_id, load_balancer_id=self.top.id, created_at=utcnow()
        )
        clusters.put_amphora(self.top.cluster_id, fence, self.amphora)
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.bind(("127.0.0.1", 0))
        self.address = listener.getsockname()
        self.receiver = Receiver(listener, MASTER, Reports(self.database), self.rung.append)
        self.receiver.start()

    def _graph(self) -> Graph:
        graph = builders.graph()
        pool = builders.pool(graph.load_balancer)
        graph = put(graph, pool)
        graph = put(graph, builders.listener(graph.load_balancer, default_pool_id=pool.id))
        return put(graph, builders.member(pool))

    def beat(
        self,
        sequence: int,
        *,
        boot: str = "boot-1",
        count: int = 10,
        said: str = "UP",
        late: float = 0,
        edge: bool = True,
    ) -> bytes:
        listener, pool, member = self.graph.listeners[0], self.graph.pools[0], self.graph.members[0]
        report = ListenerReport(status="OPEN", bytes_in=count, bytes_out=2 * count, total_connections=count)
        heartbeat = Heartbeat(
            protocol=1,
            amphora_id=self.amphora.id,
            boot_id=boot,
            sequence=sequence,
            time=time.time() - late,
            edge=edge,
            generations={self.top.id: 1},
            listeners={listener.id: report},
            pools={f"{pool.id}:{listener.id}": PoolReport(status="UP", members={member.id: said})},
        )
        return encode(heartbeat, amphora_key(MASTER, self.amphora.id))

    def send(self, datagram: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(datagram, self.address)

    def statistics(self) -> Statistics | None:
        with self.store.read() as reader:
            return reader.statistics(self.top.id).get(self.graph.listeners[0].id)

    def status(self) -> str:
        with self.store.read() as reader:
            return reader.graph(self.top.id).members[0].operating_status

    def until(self, true: object, seconds: float = 5.0) -> None:
        """Waits for a condition; fails when it does not come true."""
        assert callable(true)
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, "it did not come true"
            time.sleep(0.005)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.receiver.stop()
    made.database.close()


def test_a_heartbeat_sets_statuses_and_counters_and_wakes_the_cluster_once(stage: Stage) -> None:
    stage.send(stage.beat(1))
    stage.until(lambda: stage.status() == "ONLINE")
    stage.send(stage.beat(2, count=15, said="DOWN"))
    stage.until(lambda: stage.status() == "ERROR")
    found = stage.statistics()
    assert found is not None
    assert (found.bytes_in, found.bytes_out, found.total_connections) == (15, 30, 15)
    assert stage.rung == [stage.top.cluster_id]


def test_counters_of_an_earlier_boot_are_kept(stage: Stage) -> None:
    for number, (boot, count) in enumerate([("one", 10), ("one", 20), ("two", 5), ("three", 1)]):
        stage.send(stage.beat(number + 1, boot=boot, count=count))
        wanted = 20 * (boot != "one") + 5 * (boot == "three") + count
        stage.until(lambda wanted=wanted: (stage.statistics() or Statistics()).bytes_in == wanted)


def test_a_lost_heartbeat_loses_nothing(stage: Stage) -> None:
    stage.send(stage.beat(1, count=10))
    stage.send(stage.beat(9, count=90))
    stage.until(lambda: (stage.statistics() or Statistics()).bytes_in == 90)


def test_replays_late_ones_forgeries_and_rubbish_leave_no_trace(stage: Stage) -> None:
    stage.send(stage.beat(5, count=50))
    stage.until(lambda: (stage.statistics() or Statistics()).bytes_in == 50)
    good = stage.beat(4, count=1)
    forged = good[:-1] + bytes([good[-1] ^ 1])
    for datagram in (good, forged, b"", b"x" * 40, stage.beat(99, count=999, late=3600)):
        stage.send(datagram)
    stage.send(stage.beat(6, count=60))
    stage.until(lambda: (stage.statistics() or Statistics()).bytes_in == 60)


def test_a_replay_of_before_a_restart_is_refused_too(stage: Stage) -> None:
    replay = stage.beat(7, count=70)
    stage.send(replay)
    stage.until(lambda: (stage.statistics() or Statistics()).bytes_in == 70)
    before = list(stage.rung)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        Receiver(unused, MASTER, Reports(stage.database), stage.rung.append).take(replay)
    assert stage.rung == before


def test_what_comes_late_about_a_load_balancer_that_is_gone_is_dropped(stage: Stage) -> None:
    clusters = Clusters(stage.database)
    fence = clusters.lease(stage.top.cluster_id, "test", 60)
    assert fence is not None
    clusters.conclude(stage.top.cluster_id, fence, stage.graph, final=True, text="gone")
    stage.receiver.take(stage.beat(1))
    stage.receiver.stop()
    assert stage.statistics() is None


class Counting(Reports):
    """The store's door, and how often it was used for heartbeats."""

    taken = 0

    def take_in(self, beats: Mapping[str, Heartbeat], owners: Mapping[str, str], at: datetime) -> None:
        self.taken += 1
        super().take_in(beats, owners, at)


def test_heartbeats_without_news_are_gathered_and_an_edge_does_not_wait(stage: Stage) -> None:
    reports = Counting(stage.database)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        receiver = Receiver(unused, MASTER, reports, stage.rung.append)
        receiver.start()
        began = time.monotonic()
        for number in range(1, 21):
            receiver.take(stage.beat(number, count=number, edge=False))
            time.sleep(0.005)
        stage.until(lambda: (stage.statistics() or Statistics()).bytes_in == 20)
        batches = 1 + (time.monotonic() - began) / BATCH
        assert reports.taken <= batches
        receiver.take(stage.beat(21, count=21))
        stage.until(lambda: (stage.statistics() or Statistics()).bytes_in == 21)
        receiver.stop()
    assert reports.taken <= batches + 1


def test_heartbeats_of_many_amphorae_are_one_transaction(stage: Stage) -> None:
    reports, now = Reports(stage.database), utcnow()
    listener = stage.graph.listeners[0].id

    def beats(names: str, count: int) -> dict[str, Heartbeat]:
        report = ListenerReport(status="OPEN", total_connections=count)
        blank = decode(stage.beat(count), MASTER)
        return {name: replace(blank, amphora_id=name, listeners={listener: report}) for name in names}

    owners = dict.fromkeys("abc", stage.top.id)
    reports.take_in(beats("ab", 1), owners, now)
    reports.take_in(beats("abc", 5), owners, now)
    reports.take_in({}, {}, now)
    assert stage.statistics() == Statistics(total_connections=15)
    with stage.database.reading() as connection:
        said = connection.execute(sa.select(heard.c.amphora_id, heard.c.sequence)).all()
    assert sorted(map(tuple, said)) == [("a", 5), ("b", 5), ("c", 5)]
