"""What is special to a noun: where a new one belongs, how it is let in, and when it may go."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import falcon
from msgspec.structs import replace

from octavia.api.judge import may_be_changed
from octavia.api.ports import Reader
from octavia.domain import rules
from octavia.domain.declare import Noun
from octavia.domain.graph import Graph, editable, live, next_server_id, parents, put
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.l7policy import L7Policy
from octavia.domain.l7rule import L7Rule
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.domain.refusal import Conflict, Invalid, Missing
from octavia.store.query import Home

References = Mapping[str, str]
"""The parents that a POST body names and that are no fields of the noun."""


@dataclass(frozen=True)
class Kind:
    """One noun, for the generic handlers."""

    noun: type[Noun]
    policy: str
    """The part of policy names that says what kind of object it is."""
    home: Callable[[Reader, Any, References], Home]
    """Where a new row belongs, unless its path says so."""
    admit: Callable[[Graph, Any, References], Graph]
    """The graph with the new row. Raises Conflict where nothing may come in."""
    parents: Mapping[str, str] = field(default_factory=dict)
    """List filters that name a parent, with the column that holds it."""
    references: tuple[str, ...] = ()
    removable: Callable[[Graph, Any, bool], None] = lambda graph, row, cascade: None
    """Raises what speaks against deleting this row."""
    check_wish: Callable[[dict[str, Any]], None] = lambda wish: None
    """Raises what speaks against a body by itself."""
    check_change: Callable[[Any, Collection[str]], None] = lambda row, wish: None
    """Raises what speaks against changing these fields of this row."""
    empty_change: bool = True
    """Whether a PUT that names no attribute is a change."""


def take_references(kind: Kind, wish: dict[str, Any]) -> References:
    """The named parents, taken out of the wish."""
    found = {name: wish.pop(name) for name in kind.references if name in wish}
    for name, value in found.items():
        if value is not None and not isinstance(value, str):
            raise Invalid(f"Invalid input for field/attribute {name}. Value: '{value}'. Expected an id.")
    return {name: value for name, value in found.items() if value is not None}


def said_elsewhere(reader: Reader, row: Noun, references: References) -> Home:
    raise AssertionError("a load balancer is under nothing, and the path says what a member or rule is under")


def listener_home(reader: Reader, row: Listener, references: References) -> Home:
    if "loadbalancer_id" not in references:
        raise Invalid("Invalid input for field/attribute loadbalancer_id. Value: 'None'. Mandatory field missing.")
    return reader.home(LoadBalancer, references["loadbalancer_id"])


def pool_home(reader: Reader, row: Pool, references: References) -> Home:
    if not references:
        raise Invalid("A pool needs a loadbalancer_id or a listener_id.")
    load_balancer_id, listener_id = references.get("loadbalancer_id"), references.get("listener_id")
    if listener_id is None:
        assert load_balancer_id is not None
        return reader.home(LoadBalancer, load_balancer_id)
    found = reader.home(Listener, listener_id)
    if load_balancer_id not in (None, found.load_balancer_id):
        raise Invalid(f"Listener {listener_id} does not belong to load balancer {load_balancer_id}.")
    return found


def home_of_pool(reader: Reader, row: HealthMonitor, references: References) -> Home:
    return reader.home(Pool, row.pool_id)


def home_of_listener(reader: Reader, row: L7Policy, references: References) -> Home:
    return reader.home(Listener, row.listener_id)


def admit_child(graph: Graph, row: Noun, references: References) -> Graph:
    may_be_changed(graph)
    for above in parents(graph, row):
        editable(graph, type(above), above.id)
    return put(graph, row)


def admit_pool(graph: Graph, row: Pool, references: References) -> Graph:
    may_be_changed(graph)
    if "listener_id" not in references:
        return put(graph, row)
    listener = editable(graph, Listener, references["listener_id"])
    if listener.default_pool_id is not None:
        raise Conflict(f"Listener {listener.id} has a default pool already: {listener.default_pool_id}.")
    return put(put(graph, row), replace(listener, default_pool_id=row.id))


def admit_member(graph: Graph, row: Member, references: References) -> Graph:
    may_be_changed(graph)
    pool = editable(graph, Pool, row.pool_id)
    watched = any(monitor.pool_id == pool.id for monitor in live(graph).health_monitors)
    seated = replace(
        row,
        server_id=next_server_id(graph, pool.id),
        operating_status="OFFLINE" if watched else "NO_MONITOR",
    )
    return put(graph, seated)


def childless(graph: Graph, row: LoadBalancer, cascade: bool) -> None:
    alive = live(graph)
    if not cascade and (alive.listeners or alive.pools):
        raise Invalid(
            f"Cannot delete Load Balancer {row.id} - it has children. Delete them first, or delete with cascade=true."
        )


def unused(graph: Graph, row: Pool, cascade: bool) -> None:
    for policy in live(graph).l7policies:
        if policy.redirect_pool_id == row.id:
            raise Conflict(f"Pool {row.id} is in use by L7 policy {policy.id}. Change or delete that policy first.")


def refuse_requests(type_: Any, wish: Collection[str]) -> None:
    """Even a null of these is for monitors that send HTTP requests alone."""
    for refusal in rules.requests_unsent(type_, wish) if isinstance(type_, str) else ():
        raise refusal


LOAD_BALANCER = Kind(LoadBalancer, "loadbalancer", said_elsewhere, admit_child, removable=childless)
LISTENER = Kind(
    Listener,
    "listener",
    listener_home,
    admit_child,
    parents={"loadbalancer_id": "load_balancer_id", "load_balancer_id": "load_balancer_id"},  # the SDK's spelling
    references=("loadbalancer_id",),
)
POOL = Kind(
    Pool,
    "pool",
    pool_home,
    admit_pool,
    parents={"loadbalancer_id": "load_balancer_id", "listener_id": "listener_id"},
    references=("loadbalancer_id", "listener_id"),
    removable=unused,
)
MEMBER = Kind(Member, "member", said_elsewhere, admit_member)
HEALTH_MONITOR = Kind(
    HealthMonitor,
    "healthmonitor",
    home_of_pool,
    admit_child,
    parents={"pool_id": "pool_id"},
    check_wish=lambda wish: refuse_requests(wish.get("type", "HTTP"), wish),
    check_change=lambda row, wish: refuse_requests(row.type, wish),
)
L7POLICY = Kind(
    L7Policy,
    "l7policy",
    home_of_listener,
    admit_child,
    empty_change=False,
)
L7RULE = Kind(L7Rule, "l7rule", said_elsewhere, admit_child)
KINDS = (LOAD_BALANCER, LISTENER, POOL, MEMBER, HEALTH_MONITOR, L7POLICY, L7RULE)
IN_PATH: Mapping[str, type[Noun]] = {"pool_id": Pool, "l7policy_id": L7Policy}
"""The parents that nested paths name."""


def path_home(reader: Reader, path: Mapping[str, str]) -> Home | None:
    """Where the parent in a nested path belongs. If it is not there, there is nothing at this address."""
    for name, noun in IN_PATH.items():
        if name in path:
            try:
                return reader.home(noun, path[name])
            except Missing as error:
                raise falcon.HTTPNotFound(description=error.sentence) from None
    return None
