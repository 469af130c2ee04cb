"""Operating statuses, row by row of the API's table (spec, section 12)."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octavia.domain.graph import Graph, everything, put
from octavia.domain.heartbeat import Heartbeat, ListenerReport, PoolReport
from octavia.health.operating import operating_statuses
from tests import builders

replace = msgspec.structs.replace


def world(**member: object) -> Graph:
    graph = builders.graph()
    pool = builders.pool(graph.load_balancer)
    graph = put(graph, pool)
    graph = put(graph, builders.listener(graph.load_balancer, default_pool_id=pool.id))
    return put(graph, builders.member(pool, **member))  # type: ignore[arg-type]


def beat(graph: Graph, *, said: str = "UP", listener: str | None = "OPEN", pool: str = "UP") -> Heartbeat:
    listener_id, pool_id = graph.listeners[0].id, graph.pools[0].id
    members = {graph.members[0].id: said}
    return Heartbeat(
        protocol=1,
        amphora_id=builders.new_id(),
        boot_id="b",
        sequence=1,
        time=0.0,
        generations={graph.load_balancer.id: graph.load_balancer.generation},
        listeners={} if listener is None else {listener_id: ListenerReport(status=listener)},  # type: ignore[arg-type]
        pools={f"{pool_id}:{listener_id}": PoolReport(status=pool, members=members)},  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("said", "weight", "status"),
    [
        ("UP", 1, "ONLINE"),
        ("UP 1/3", 1, "ONLINE"),
        ("DOWN", 1, "ERROR"),
        ("DOWN 1/2", 1, "ERROR"),
        ("DRAIN", 1, "DRAINING"),
        ("UP", 0, "DRAINING"),
        ("no check", 0, "DRAINING"),
        ("MAINT", 1, "OFFLINE"),
        ("no check", 1, "NO_MONITOR"),
        ("RESTARTING", 1, "OFFLINE"),
    ],
)
def test_a_members_word_becomes_its_status(said: str, weight: int, status: str) -> None:
    graph = world(weight=weight)
    assert operating_statuses(graph, beat(graph, said=said))[graph.members[0].id] == status


@pytest.mark.parametrize(
    ("listener", "said", "pool", "expected"),
    [
        ("OPEN", "UP", "UP", ("ONLINE", "ONLINE", "ONLINE")),
        ("FULL", "UP", "UP", ("DEGRADED", "DEGRADED", "ONLINE")),
        (None, "UP", "UP", ("DEGRADED", "ERROR", "ONLINE")),
        ("OPEN", "DOWN", "DOWN", ("DEGRADED", "ONLINE", "ERROR")),
        (None, "DOWN", "DOWN", ("ERROR", "ERROR", "ERROR")),
    ],
)
def test_what_is_below_shows_above(listener: str | None, said: str, pool: str, expected: tuple[str, str, str]) -> None:
    graph = world()
    said_of = operating_statuses(graph, beat(graph, said=said, listener=listener, pool=pool))
    ids = (graph.load_balancer.id, graph.listeners[0].id, graph.pools[0].id)
    assert tuple(said_of[row] for row in ids) == expected


def test_a_disabled_load_balancer_is_offline_with_everything_in_it() -> None:
    graph = world()
    graph = replace(graph, load_balancer=replace(graph.load_balancer, admin_state_up=False))
    said = operating_statuses(graph, beat(graph))
    assert set(said.values()) == {"OFFLINE"}


def test_a_listener_that_is_not_in_force_yet_keeps_its_status() -> None:
    graph = world()
    silent = replace(beat(graph, listener=None), generations={graph.load_balancer.id: 0})
    assert operating_statuses(graph, silent)[graph.listeners[0].id] == "OFFLINE"


def test_a_member_without_monitor_that_is_not_reported_stays_so() -> None:
    graph = world()
    graph = replace(graph, members=(replace(graph.members[0], operating_status="NO_MONITOR"),))
    quiet = replace(beat(graph), pools={})
    assert operating_statuses(graph, quiet)[graph.members[0].id] == "NO_MONITOR"


WORDS = st.sampled_from(
    ["UP", "UP 2/3", "DOWN", "DOWN 1/2", "DRAIN", "MAINT", "MAINT (via x/y)", "no check", "NOLB", "?"]
)


@given(WORDS, st.sampled_from(["OPEN", "FULL", None]), st.sampled_from(["UP", "DOWN"]), st.integers(0, 256))
def test_every_report_gives_every_row_a_status_of_the_api(
    said: str, listener: str | None, pool: str, weight: int
) -> None:
    graph = world(weight=weight)
    statuses = operating_statuses(graph, beat(graph, said=said, listener=listener, pool=pool))
    assert set(statuses) == {row.id for row in everything(graph)}
    assert set(statuses.values()) <= {"ONLINE", "OFFLINE", "DEGRADED", "ERROR", "DRAINING", "NO_MONITOR"}
