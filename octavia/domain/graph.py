"""One frozen snapshot of a load balancer with all its children, and the edits that lead to the next one.

Every edit returns a new graph. It stamps what it touches with the load balancer's generation, which the store
has raised before (generation N is the Nth accepted edit), and touches the ancestors that the API's status table
names. Rows that are to be deleted stay, marked with their generation, until a visit has made it so.
"""

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from octavia.domain.declare import Noun
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.l7policy import L7Policy
from octavia.domain.l7rule import L7Rule
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.domain.refusal import immutable, not_found

N = TypeVar("N", bound=Noun)
replace = msgspec.structs.replace


class Graph(Struct, frozen=True, kw_only=True):
    """A load balancer with its children, those that are being deleted included."""

    load_balancer: LoadBalancer
    listeners: tuple[Listener, ...] = ()
    pools: tuple[Pool, ...] = ()
    members: tuple[Member, ...] = ()
    health_monitors: tuple[HealthMonitor, ...] = ()
    l7policies: tuple[L7Policy, ...] = ()
    l7rules: tuple[L7Rule, ...] = ()


CHILDREN: dict[type[Noun], str] = {
    Pool: "pools",
    HealthMonitor: "health_monitors",
    Member: "members",
    Listener: "listeners",
    L7Policy: "l7policies",
    L7Rule: "l7rules",
}
NOUNS: tuple[type[Noun], ...] = (LoadBalancer, *CHILDREN)


def rows(graph: Graph, noun: type[N]) -> tuple[N, ...]:
    """The rows of this noun, those that are being deleted included."""
    found: Any = (graph.load_balancer,) if noun is LoadBalancer else getattr(graph, CHILDREN[noun])
    return found  # type: ignore[no-any-return]


def everything(graph: Graph) -> Iterator[Noun]:
    for noun in NOUNS:
        yield from rows(graph, noun)


def live(graph: Graph) -> Graph:
    """The graph without what is being deleted: what uniqueness, quotas and configuration go by."""
    kept = {name: tuple(row for row in rows(graph, noun) if row.deleted is None) for noun, name in CHILDREN.items()}
    return replace(graph, **kept)


def get(graph: Graph, noun: type[N], identifier: str) -> N:
    """The row, which may be in deletion. Raises Missing."""
    for row in rows(graph, noun):
        if row.id == identifier:
            return row
    raise not_found(noun.title, identifier)


def editable(graph: Graph, noun: type[N], identifier: str) -> N:
    """The row, if a change may land on it. Raises Missing, or Conflict where it or its parent is being deleted."""
    row = get(graph, noun, identifier)
    chain: tuple[Noun, ...] = (graph.load_balancer, row, *parents(graph, row))
    for above in chain:
        if above.deleted is not None:
            raise immutable(above.title, above.id)
    return row


def parents(graph: Graph, row: Noun) -> tuple[Noun, ...]:
    """The rows that it cannot be without, but for the load balancer."""
    if isinstance(row, (Member, HealthMonitor)):
        return (get(graph, Pool, row.pool_id),)
    if isinstance(row, L7Policy):
        return (get(graph, Listener, row.listener_id),)
    if isinstance(row, L7Rule):
        policy = get(graph, L7Policy, row.l7policy_id)
        return (policy, *parents(graph, policy))
    return ()


def ancestors(graph: Graph, row: Noun) -> set[str]:
    """The ids of what shows PENDING_UPDATE while this row changes (the API's status table)."""
    pool_id = row.id if isinstance(row, Pool) else getattr(row, "pool_id", None)
    served = {listener.id for listener in users(graph, pool_id)} if pool_id is not None else set[str]()
    return {graph.load_balancer.id, *(above.id for above in parents(graph, row)), *served}


def users(graph: Graph, pool_id: str) -> tuple[Listener, ...]:
    """The listeners that send requests to this pool: all that are not for others, or those of a policy."""
    sending = {policy.listener_id for policy in graph.l7policies if policy.redirect_pool_id == pool_id}
    return tuple(row for row in graph.listeners if row.default_pool_id == pool_id or row.id in sending)


def members_of(graph: Graph, pool: Pool) -> tuple[Member, ...]:
    return tuple(member for member in graph.members if member.pool_id == pool.id)


def policies_of(graph: Graph, listener_id: str) -> tuple[L7Policy, ...]:
    """The live policies of a listener, in the order in which they are asked."""
    mine = (row for row in graph.l7policies if row.listener_id == listener_id and row.deleted is None)
    return tuple(sorted(mine, key=lambda row: row.position))


def rules_of(graph: Graph, policy_id: str) -> tuple[L7Rule, ...]:
    return tuple(rule for rule in graph.l7rules if rule.l7policy_id == policy_id and rule.deleted is None)


def put(graph: Graph, row: Noun) -> Graph:
    """The graph with this row added, or in the place of the one with its id."""
    generation = graph.load_balancer.generation
    new = not any(other.id == row.id for other in everything(graph))
    stamped = replace(row, touched=generation, created=generation if new else row.created)
    after = touch(with_row(graph, stamped, new=new), ancestors(graph, row))
    return in_line(after, row) if isinstance(row, L7Policy) else after


def in_line(graph: Graph, moved: L7Policy) -> Graph:
    """The policies of its listener count from 1 without a gap, with this one where it wishes to be, or last."""
    others = [row for row in policies_of(graph, moved.listener_id) if row.id != moved.id]
    if moved.deleted is None:
        others.insert(moved.position - 1, get(graph, L7Policy, moved.id))
    for position, row in enumerate(others, start=1):
        if row.position != position:
            graph = with_row(graph, replace(row, position=position))
    return graph


def with_row(graph: Graph, row: Noun, *, new: bool = False) -> Graph:
    if isinstance(row, LoadBalancer):
        return replace(graph, load_balancer=row)
    name = CHILDREN[type(row)]
    before: tuple[Noun, ...] = getattr(graph, name)
    after = (*before, row) if new else tuple(row if other.id == row.id else other for other in before)
    return replace(graph, **{name: after})


def touch(graph: Graph, ids: set[str]) -> Graph:
    """The graph with these rows marked as changed by its generation."""
    generation = graph.load_balancer.generation
    for row in everything(graph):
        if row.id in ids and row.touched != generation:
            graph = with_row(graph, replace(row, touched=generation))
    return graph


def delete(graph: Graph, row: Noun) -> Graph:
    """The graph with this row marked for deletion, what hangs on it too, and what referred to it let go."""
    generation = graph.load_balancer.generation
    above = ancestors(graph, row)
    for gone in (row, *hanging_on(graph, row)):
        graph = with_row(graph, replace(gone, deleted=generation, touched=generation))
    if isinstance(row, Pool):
        for listener in graph.listeners:
            if listener.default_pool_id == row.id:
                graph = with_row(graph, replace(listener, default_pool_id=None))
    if isinstance(row, L7Policy):
        graph = in_line(graph, replace(row, deleted=generation))
    if isinstance(row, HealthMonitor):
        for member in graph.members:
            if member.pool_id == row.pool_id and member.deleted is None:
                graph = with_row(graph, replace(member, operating_status="NO_MONITOR"))
    return touch(graph, above)


def hanging_on(graph: Graph, row: Noun) -> tuple[Noun, ...]:
    """What cannot be without it. A deleted load balancer takes its children unmarked."""
    if isinstance(row, Pool):
        below: tuple[Member | HealthMonitor, ...] = (*graph.members, *graph.health_monitors)
        return tuple(child for child in below if child.pool_id == row.id and child.deleted is None)
    if isinstance(row, Listener):
        policies = policies_of(graph, row.id)
        return (*policies, *(rule for policy in policies for rule in rules_of(graph, policy.id)))
    return rules_of(graph, row.id) if isinstance(row, L7Policy) else ()


def next_server_id(graph: Graph, pool_id: str) -> int:
    """A number for a new member that no member of the pool has, those in deletion included."""
    return 1 + max((m.server_id for m in graph.members if m.pool_id == pool_id), default=0)
