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


CHILDREN: dict[type[Noun], str] = {
    Pool: "pools",
    HealthMonitor: "health_monitors",
    Member: "members",
    Listener: "listeners",
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
    """The rows above it, but for the load balancer: a member's or monitor's pool."""
    if isinstance(row, (Member, HealthMonitor)):
        return (get(graph, Pool, row.pool_id),)
    return ()


def ancestors(graph: Graph, row: Noun) -> set[str]:
    """The ids of what shows PENDING_UPDATE while this row changes (the API's status table)."""
    pool_id = row.id if isinstance(row, Pool) else getattr(row, "pool_id", None)
    users = {listener.id for listener in graph.listeners if pool_id is not None and listener.default_pool_id == pool_id}
    return {graph.load_balancer.id, *(above.id for above in parents(graph, row)), *users}


def put(graph: Graph, row: Noun) -> Graph:
    """The graph with this row added, or in the place of the one with its id."""
    generation = graph.load_balancer.generation
    new = not any(other.id == row.id for other in everything(graph))
    stamped = replace(row, touched=generation, created=generation if new else row.created)
    return touch(with_row(graph, stamped, new=new), ancestors(graph, row))


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
    return touch(graph, above)


def hanging_on(graph: Graph, row: Noun) -> tuple[Noun, ...]:
    """What cannot be without it: a pool's members and monitor. A deleted load balancer takes its children unmarked."""
    if not isinstance(row, Pool):
        return ()
    below: tuple[Member | HealthMonitor, ...] = (*graph.members, *graph.health_monitors)
    return tuple(child for child in below if child.pool_id == row.id and child.deleted is None)


def next_server_id(graph: Graph, pool_id: str) -> int:
    """A number for a new member that no member of the pool has, those in deletion included."""
    return 1 + max((m.server_id for m in graph.members if m.pool_id == pool_id), default=0)
