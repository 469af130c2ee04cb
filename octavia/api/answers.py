"""Rows as the API shows them: exactly the keys that its clients know."""

from collections.abc import Callable, Collection, Iterable
from functools import cache
from typing import Any

from octavia.domain.declare import Noun, declared, said_of
from octavia.domain.graph import Graph
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.domain.view import View, view

Answer = dict[str, Any]


@cache
def shown(noun: type[Noun]) -> tuple[str, ...]:
    return tuple(name for name, field in declared(noun).items() if not said_of(field).get("hidden"))


def plain(row: Noun, status: str) -> Answer:
    """What a row says of itself, without what it is tied to."""
    answer = {name: getattr(row, name) for name in shown(type(row))}
    answer["provisioning_status"] = status
    answer["tenant_id"] = row.project_id
    # Rows are sorted by microseconds; clients that parse by a fixed format know seconds only.
    answer["created_at"] = row.created_at.replace(microsecond=0)
    answer["updated_at"] = row.updated_at and row.updated_at.replace(microsecond=0)
    return answer


def ids(identifiers: Iterable[str]) -> list[dict[str, str]]:
    return [{"id": identifier} for identifier in identifiers]


def of_load_balancer(seen: View) -> Answer:
    return {"listeners": ids(seen.listeners), "pools": ids(seen.pools)}


def of_listener(seen: View) -> Answer:
    return {"l7policies": [], "loadbalancers": ids([seen.row.load_balancer_id])}


def of_pool(seen: View) -> Answer:
    ties: Answer = {
        "loadbalancers": ids([seen.row.load_balancer_id]),
        "listeners": ids(seen.listeners),
        "members": ids(seen.members),
    }
    if seen.health_monitor:
        ties["healthmonitor_id"] = seen.health_monitor
    return ties


def of_member(seen: View) -> Answer:
    return {}


def of_health_monitor(seen: View) -> Answer:
    assert isinstance(seen.row, HealthMonitor)
    return {"pools": ids([seen.row.pool_id])}


TIES: dict[type[Noun], Callable[[View], Answer]] = {
    LoadBalancer: of_load_balancer,
    Listener: of_listener,
    Pool: of_pool,
    Member: of_member,
    HealthMonitor: of_health_monitor,
}


def answer(seen: View) -> Answer:
    """One object."""
    return plain(seen.row, seen.provisioning_status) | TIES[type(seen.row)](seen)


def chosen(full: Answer, fields: Collection[str]) -> Answer:
    """Only what was asked for, if anything was."""
    return {name: value for name, value in full.items() if name in fields} if fields else full


def without(full: Answer, *names: str) -> Answer:
    return {name: value for name, value in full.items() if name not in names}


def whole(graph: Graph) -> Answer:
    """A new load balancer with everything in it, as its POST answers."""
    top = answer(view(graph, graph.load_balancer))
    top["listeners"] = [without(answer(view(graph, row)), "loadbalancers") for row in graph.listeners]
    top["pools"] = [whole_pool(graph, pool) for pool in graph.pools]
    return top


def whole_pool(graph: Graph, pool: Pool) -> Answer:
    full = without(answer(view(graph, pool)), "loadbalancers", "healthmonitor_id")
    full["members"] = [answer(view(graph, row)) for row in graph.members if row.pool_id == pool.id]
    monitors = [answer(view(graph, row)) for row in graph.health_monitors if row.pool_id == pool.id]
    full["healthmonitor"] = without(monitors[0], "pools") if monitors else None
    return full
