"""Edits stamp what they touch; nothing stays pending once a visit has observed the last generation."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from octavia.domain.declare import Noun
from octavia.domain.graph import (
    CHILDREN,
    Graph,
    delete,
    editable,
    everything,
    get,
    live,
    next_server_id,
    policies_of,
    put,
    rows,
    with_row,
)
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.l7policy import L7Policy
from octavia.domain.l7rule import L7Rule
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.domain.refusal import Conflict, Missing
from octavia.domain.shape import shown
from octavia.domain.status import provisioning_status
from tests import builders


def raised(graph: Graph) -> Graph:
    """As the store does before an edit."""
    top = graph.load_balancer
    return replace(graph, load_balancer=replace(top, generation=top.generation + 1))


def observed(graph: Graph) -> Graph:
    """As after a visit: the snapshot's generation is in force, and what was to be deleted by then is gone."""
    top = replace(graph.load_balancer, observed=graph.load_balancer.generation)
    return replace(live(graph), load_balancer=top)


def statuses(graph: Graph) -> dict[str, str]:
    return {row.id: provisioning_status(row, graph.load_balancer) for row in everything(graph)}


@pytest.fixture
def world() -> Graph:
    """Two listeners on one pool with a member and a monitor; a third that a policy with a rule sends elsewhere."""
    graph = builders.graph(id="lb")
    top = graph.load_balancer
    used = replace(builders.pool(top), id="used")
    unused = replace(builders.pool(top), id="unused")
    rows_: tuple[Noun, ...] = (
        used,
        unused,
        *(replace(builders.listener(top, default_pool_id="used"), id=name) for name in ("first", "second")),
        third := replace(builders.listener(top), id="third"),
        sender := replace(builders.l7policy(third, action="REDIRECT_TO_POOL", redirect_pool_id="unused"), id="sender"),
        replace(builders.l7rule(sender), id="rule"),
        replace(builders.member(used), id="member"),
        replace(builders.member(unused), id="lonely"),
        replace(builders.health_monitor(used), id="monitor"),
    )
    for row in rows_:
        graph = put(graph, row)
    return observed(graph)


def find(graph: Graph, identifier: str) -> Noun:
    return next(row for row in everything(graph) if row.id == identifier)


ABOVE: dict[str, set[str]] = {
    "lb": {"lb"},
    "first": {"lb"},
    "third": {"lb"},
    "used": {"lb", "first", "second"},
    "unused": {"lb", "third"},
    "member": {"lb", "used", "first", "second"},
    "lonely": {"lb", "unused", "third"},
    "monitor": {"lb", "used", "first", "second"},
    "sender": {"lb", "third"},
    "rule": {"lb", "third", "sender"},
}


def pending(graph: Graph, status: str = "PENDING_UPDATE") -> set[str]:
    return {identifier for identifier, found in statuses(graph).items() if found == status}


@pytest.mark.parametrize("identifier", ABOVE)
def test_an_update_shows_on_the_row_and_on_those_above(world: Graph, identifier: str) -> None:
    graph = raised(world)
    after = put(graph, find(graph, identifier))
    assert pending(after) == ABOVE[identifier] | {identifier}
    assert set(statuses(observed(after)).values()) == {"ACTIVE"}


@pytest.mark.parametrize("identifier", [name for name in ABOVE if name != "lb"])
def test_a_new_row_shows_as_such(world: Graph, identifier: str) -> None:
    twin = replace(find(world, identifier), id="twin")
    after = put(raised(world), twin)
    above = {"lb"} if isinstance(twin, Pool) else ABOVE[identifier]
    assert (pending(after), pending(after, "PENDING_CREATE")) == (above, {"twin"})
    assert pending(put(raised(after), find(after, "twin")), "PENDING_CREATE") == {"twin"}


@pytest.mark.parametrize("identifier", [name for name in ABOVE if name != "lb"])
def test_a_deletion_takes_what_hangs_on_it(world: Graph, identifier: str) -> None:
    below = {
        "used": {"member", "monitor"},
        "unused": {"lonely"},
        "third": {"sender", "rule"},
        "sender": {"rule"},
    }.get(identifier, set())
    after = delete(raised(world), find(world, identifier))
    assert pending(after, "PENDING_DELETE") == {identifier} | below
    assert pending(after) == ABOVE[identifier]
    assert set(statuses(live(after))) == set(statuses(world)) - below - {identifier}
    assert set(statuses(observed(after)).values()) == {"ACTIVE"}


def test_a_deleted_pool_lets_its_listeners_go(world: Graph) -> None:
    after = delete(raised(world), find(world, "used"))
    assert {row.default_pool_id for row in after.listeners} == {None}


def test_a_deleted_load_balancer_shows_it_alone(world: Graph) -> None:
    after = delete(raised(world), world.load_balancer)
    assert pending(after, "PENDING_DELETE") == {"lb"}
    for identifier in ABOVE:
        with pytest.raises(Conflict):
            editable(after, type(find(after, identifier)), identifier)


def test_nothing_lands_on_what_is_being_deleted(world: Graph) -> None:
    after = delete(raised(world), find(world, "used"))
    after = delete(after, find(world, "third"))
    gone: tuple[tuple[type[Noun], str], ...] = (
        (Pool, "used"),
        (Member, "member"),
        (HealthMonitor, "monitor"),
        (Listener, "third"),
        (L7Policy, "sender"),
        (L7Rule, "rule"),
    )
    for noun, identifier in gone:
        with pytest.raises(Conflict, match="being deleted"):
            editable(after, noun, identifier)
    assert editable(after, Member, "lonely").id == "lonely"


def test_a_row_is_found_by_its_noun(world: Graph) -> None:
    assert get(world, Listener, "first").id == "first"
    with pytest.raises(Missing, match="Pool first not found"):
        get(world, Pool, "first")
    assert [row.id for row in rows(world, LoadBalancer)] == ["lb"]


def test_a_server_id_is_not_given_out_again_while_its_member_goes(world: Graph) -> None:
    after = delete(raised(world), find(world, "member"))
    assert next_server_id(after, "used") == 2
    assert next_server_id(observed(after), "used") == 1
    assert next_server_id(after, "nowhere") == 1


def test_a_view_shows_live_ties(world: Graph) -> None:
    after = delete(delete(raised(world), find(world, "first")), find(world, "member"))
    alive = live(after)
    pool = shown(alive, find(after, "used"))
    assert (pool["listeners"], pool["members"], pool["healthmonitor_id"]) == ([{"id": "second"}], [], "monitor")
    assert shown(alive, after.load_balancer)["listeners"] == [{"id": "second"}, {"id": "third"}]
    assert shown(alive, find(after, "first"))["provisioning_status"] == "PENDING_DELETE"


EDITS = st.lists(
    st.tuples(st.sampled_from(["create", "update", "delete", "visit", "late visit"]), st.integers(0, 50)), max_size=30
)


def edited(graph: Graph, verb: str, number: int, step: int) -> Graph:
    """The graph after this edit of some row, if the row may be edited at all."""
    candidates = [row for row in everything(graph) if verb != "delete" or not isinstance(row, LoadBalancer)]
    if not candidates:
        return graph
    row = candidates[number % len(candidates)]
    try:
        editable(graph, type(row), row.id)
    except Conflict:
        return graph
    if verb == "create" and not isinstance(row, LoadBalancer):
        row = replace(row, id=f"new {step}")
    return delete(graph, row) if verb == "delete" else put(graph, row)


def moved(row: L7Policy, before: Noun) -> bool:
    """A policy whose neighbours came and went has another position, and nothing else."""
    return isinstance(before, L7Policy) and replace(row, position=before.position) == before


def check(before: Graph, after: Graph) -> None:
    """What did not change stands as it stood; what changed bears the new generation."""
    generation = after.load_balancer.generation
    old = {row.id: row for row in everything(before)}
    for row in everything(after):
        if row.id in old and row.touched != generation and not isinstance(row, LoadBalancer):
            assert row == old[row.id] or (isinstance(row, L7Policy) and moved(row, old[row.id]))
        assert row.created <= row.touched <= generation
        assert row.deleted is None or row.created <= row.deleted <= generation


def in_order(graph: Graph) -> None:
    for listener in graph.listeners:
        positions = [policy.position for policy in policies_of(graph, listener.id)]
        assert positions == list(range(1, len(positions) + 1))


@given(EDITS)
def test_no_status_is_stuck(script: Iterable[tuple[str, int]]) -> None:
    graph = builders.graph()
    pool = builders.pool(graph.load_balancer)
    listener = builders.listener(graph.load_balancer, default_pool_id=pool.id)
    policy = builders.l7policy(listener, action="REDIRECT_TO_POOL", redirect_pool_id=pool.id)
    for row in (pool, listener, builders.member(pool), policy, builders.l7rule(policy)):
        graph = put(graph, row)
    snapshot = graph
    for step, (verb, number) in enumerate(script):
        if verb == "late visit":
            graph = concluded(graph, snapshot)
        elif verb == "visit":
            graph = concluded(graph, graph)
        else:
            before, snapshot = graph, graph
            graph = edited(raised(graph), verb, number, step)
            check(before, graph)
            in_order(graph)
    assert set(statuses(concluded(graph, graph)).values()) == {"ACTIVE"}


def concluded(graph: Graph, snapshot: Graph) -> Graph:
    """As the store does at the end of a visit that has made this snapshot so, while edits went on."""
    seen = snapshot.load_balancer.generation
    top = replace(graph.load_balancer, observed=max(seen, graph.load_balancer.observed))
    gone = [row for row in everything(graph) if row.deleted is not None and row.deleted <= top.observed]
    for noun in CHILDREN:
        graph = replace(graph, **{CHILDREN[noun]: tuple(row for row in rows(graph, noun) if row not in gone)})
    return with_row(graph, top)
