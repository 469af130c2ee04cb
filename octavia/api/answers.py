"""A new load balancer with everything in it, as its POST answers."""

from typing import Any

from octavia.domain.graph import Graph, policies_of, rules_of
from octavia.domain.listener import Listener
from octavia.domain.pool import Pool
from octavia.domain.shape import shown

Answer = dict[str, Any]


def without(full: Answer, *names: str) -> Answer:
    return {name: value for name, value in full.items() if name not in names}


def whole(graph: Graph) -> Answer:
    """Of a graph that has no rows in deletion."""
    top = shown(graph, graph.load_balancer)
    top["listeners"] = [whole_listener(graph, row) for row in graph.listeners]
    top["pools"] = [whole_pool(graph, row) for row in graph.pools]
    return top


def whole_listener(graph: Graph, listener: Listener) -> Answer:
    full = without(shown(graph, listener), "loadbalancers")
    full["l7policies"] = [
        shown(graph, policy) | {"rules": [shown(graph, rule) for rule in rules_of(graph, policy.id)]}
        for policy in policies_of(graph, listener.id)
    ]
    return full


def whole_pool(graph: Graph, pool: Pool) -> Answer:
    full = without(shown(graph, pool), "loadbalancers", "healthmonitor_id")
    full["members"] = [shown(graph, row) for row in graph.members if row.pool_id == pool.id]
    monitors = [shown(graph, row) for row in graph.health_monitors if row.pool_id == pool.id]
    full["healthmonitor"] = without(monitors[0], "pools") if monitors else None
    return full
