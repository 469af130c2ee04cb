"""What is reported and cannot be edited: the status tree, statistics, and what the control plane is doing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from octavia.api import lists
from octavia.api.arguments import none_but
from octavia.api.call import Call
from octavia.api.kinds import LISTENER, LOAD_BALANCER, Kind
from octavia.domain.declare import Noun
from octavia.domain.graph import Graph, policies_of
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.domain.status import provisioning_status
from octavia.store.query import Progress, Statistics

Node = dict[str, Any]


def status_tree(call: Call) -> Node:
    none_but(call.arguments)
    with call.services.store.ask() as reader:
        graph = reader.tree(call.ids["id"])
    call.permit("loadbalancer:get_status", graph.load_balancer.project_id)
    top = node(graph, graph.load_balancer)
    below = Below(graph)
    top["listeners"] = [below.listener(row) for row in graph.listeners]
    return {"statuses": {"loadbalancer": top}}


def node(graph: Graph, row: Noun, *fields: str) -> Node:
    return {
        "id": row.id,
        "name": row.name,
        "operating_status": row.operating_status,
        "provisioning_status": provisioning_status(row, graph.load_balancer),
        **{name: getattr(row, name) for name in fields},
    }


class Below:
    """The nodes under a load balancer, with what hangs on a pool found once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._pools = {pool.id: pool for pool in graph.pools}
        self._members: dict[str, list[Member]] = defaultdict(list)
        for member in graph.members:
            self._members[member.pool_id].append(member)
        live_ones_last = sorted(graph.health_monitors, key=lambda row: row.deleted is None)
        self._monitors: dict[str, HealthMonitor] = {row.pool_id: row for row in live_ones_last}

    def listener(self, row: Listener) -> Node:
        """With its default pool, and those that its policies send requests to."""
        sent = (policy.redirect_pool_id for policy in policies_of(self._graph, row.id))
        used = dict.fromkeys(pool_id for pool_id in (row.default_pool_id, *sent) if pool_id is not None)
        pools = [self.pool(self._pools[pool_id]) for pool_id in used if pool_id in self._pools]
        return node(self._graph, row) | {"pools": pools}

    def pool(self, row: Pool) -> Node:
        monitor = self._monitors.get(row.id)
        return node(self._graph, row) | {
            "health_monitor": node(self._graph, monitor, "type") if monitor else None,
            "members": [node(self._graph, member, "address", "protocol_port") for member in self._members[row.id]],
        }


def load_balancer_stats(call: Call) -> Node:
    return {"stats": total(statistics(call, LOAD_BALANCER).values())}


def listener_stats(call: Call) -> Node:
    return {"stats": statistics(call, LISTENER).get(call.ids["id"], Statistics())}


def statistics(call: Call, kind: Kind) -> Mapping[str, Statistics]:
    """Of all listeners of the load balancer that the row in the path belongs to."""
    none_but(call.arguments)
    with call.services.store.ask() as reader:
        home = reader.home(kind.noun, call.ids["id"])
        call.permit(f"{kind.policy}:get_stats", home.project_id)
        return reader.statistics(home.load_balancer_id)


def total(parts: Iterable[Statistics]) -> Statistics:
    several = list(parts)
    return Statistics(**{name: sum(getattr(part, name) for part in several) for name in Statistics.__struct_fields__})


def progress(call: Call) -> dict[str, Progress]:
    none_but(call.arguments)
    with call.services.store.read() as reader:
        found = reader.progress(call.ids["id"])
    call.permit("amphora:get_one", None)
    return {"progress": found}


def progress_of_all(call: Call) -> Node:
    """Of the load balancers on one page of their list."""
    call.permit("amphora:get_all", None)
    asked = lists.query(LoadBalancer, {}, call)
    with call.services.store.read() as reader:
        found = [reader.progress(seen.key) for seen in reader.page(LoadBalancer, asked, frozenset())]
    links = lists.links(call.url, call.arguments, asked, [row.load_balancer_id for row in found])
    return {"loadbalancers": found, "loadbalancers_links": links}
