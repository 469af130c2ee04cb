"""A row as the API shows it: with its status, and with the ids of what it is tied to."""

from msgspec import Struct

from octavia.domain.declare import Noun
from octavia.domain.graph import Graph, live
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.domain.status import provisioning_status


class View(Struct, frozen=True, kw_only=True):
    """One row and its ties; which of the ties are filled follows from the noun."""

    row: Noun
    provisioning_status: str
    listeners: tuple[str, ...] = ()
    """Of a load balancer all, of a pool those that use it."""
    pools: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    health_monitor: str | None = None


def view(graph: Graph, row: Noun) -> View:
    """What the API shows of this row of the graph."""
    status = provisioning_status(row, graph.load_balancer)
    alive = live(graph)
    if isinstance(row, LoadBalancer):
        listeners, pools = (tuple(child.id for child in rows) for rows in (alive.listeners, alive.pools))
        return View(row=row, provisioning_status=status, listeners=listeners, pools=pools)
    if isinstance(row, Pool):
        return View(
            row=row,
            provisioning_status=status,
            listeners=tuple(listener.id for listener in users(alive, row)),
            members=tuple(member.id for member in members_of(alive, row)),
            health_monitor=next((m.id for m in alive.health_monitors if m.pool_id == row.id), None),
        )
    return View(row=row, provisioning_status=status)


def users(graph: Graph, pool: Pool) -> tuple[Listener, ...]:
    return tuple(listener for listener in graph.listeners if listener.default_pool_id == pool.id)


def members_of(graph: Graph, pool: Pool) -> tuple[Member, ...]:
    return tuple(member for member in graph.members if member.pool_id == pool.id)
