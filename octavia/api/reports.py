"""What is reported and cannot be edited: the status tree, statistics, and what the control plane is doing."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from octavia.api import lists
from octavia.api.arguments import none_but
from octavia.api.call import Call
from octavia.domain.declare import Noun
from octavia.domain.graph import Graph
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
    with call.services.store.read() as reader:
        graph = reader.graph(call.ids["id"])
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
        pool = self._pools.get(row.default_pool_id or "")
        return node(self._graph, row) | {"pools": [self.pool(pool)] if pool else []}

    def pool(self, row: Pool) -> Node:
        monitor = self._monitors.get(row.id)
        return node(self._graph, row) | {
            "health_monitor": node(self._graph, monitor, "type") if monitor else None,
            "members": [node(self._graph, member, "address", "protocol_port") for member in self._members[row.id]],
        }


def load_balancer_stats(call: Call) -> Node:
    none_but(call.arguments)
    with call.services.store.read() as reader:
        reader.load_balancer_of(LoadBalancer, call.ids["id"])
        found = reader.statistics(call.ids["id"])
    return {"stats": total(found.values())}


def listener_stats(call: Call) -> Node:
    none_but(call.arguments)
    with call.services.store.read() as reader:
        home = reader.load_balancer_of(Listener, call.ids["id"])
        found = reader.statistics(home)
    return {"stats": found.get(call.ids["id"], Statistics())}


def total(parts: Iterable[Statistics]) -> Statistics:
    several = list(parts)
    return Statistics(**{name: sum(getattr(part, name) for part in several) for name in Statistics.__struct_fields__})


def progress(call: Call) -> dict[str, Progress]:
    none_but(call.arguments)
    with call.services.store.read() as reader:
        return {"progress": reader.progress(call.ids["id"])}


def progress_of_all(call: Call) -> Node:
    """Of the load balancers on one page of their list."""
    asked = lists.query(LoadBalancer, {}, call.arguments, call.services.pagination_max_limit)
    with call.services.store.read() as reader:
        found = [reader.progress(seen.row.id) for seen in reader.list(LoadBalancer, asked)]
    links = lists.links(call.url, call.arguments, asked, [row.load_balancer_id for row in found])
    return {"loadbalancers": found, "loadbalancers_links": links}
