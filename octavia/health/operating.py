"""Operating statuses: a pure function from a graph and what its amphora last reported (the API's section 12)."""

from collections.abc import Iterable
from typing import Final

from octavia.domain.graph import Graph, members_of
from octavia.domain.heartbeat import Heartbeat, PoolReport
from octavia.domain.listener import Listener
from octavia.domain.member import Member
from octavia.domain.pool import Pool

ONLINE: Final = "ONLINE"
OFFLINE: Final = "OFFLINE"
DEGRADED: Final = "DEGRADED"
ERROR: Final = "ERROR"
DRAINING: Final = "DRAINING"
NO_MONITOR: Final = "NO_MONITOR"


def operating_statuses(graph: Graph, beat: Heartbeat) -> dict[str, str]:
    """Row id to status, for every row of the graph that the heartbeat says something about."""
    current = beat.generations.get(graph.load_balancer.id, -1) >= graph.load_balancer.touched
    listeners = {row.id: listener_status(graph, row, beat, current=current) for row in graph.listeners}
    seen = {row.id: reports_of(row, beat) for row in graph.pools}
    members = {
        member.id: member_status(
            member, seen[pool.id], enabled=graph.load_balancer.admin_state_up and pool.admin_state_up
        )
        for pool in graph.pools
        for member in members_of(graph, pool)
    }
    pools = {row.id: pool_status(graph, row, seen[row.id], members) for row in graph.pools}
    monitors = {row.id: ONLINE if row.admin_state_up else OFFLINE for row in graph.health_monitors}
    top = {graph.load_balancer.id: load_balancer_status(graph, [*listeners.values(), *pools.values()])}
    return top | listeners | pools | members | monitors


def listener_status(graph: Graph, listener: Listener, beat: Heartbeat, *, current: bool) -> str:
    if not (graph.load_balancer.admin_state_up and listener.admin_state_up):
        return OFFLINE
    report = beat.listeners.get(listener.id)
    if report is None:
        return ERROR if current and listener.deleted is None else listener.operating_status
    return DEGRADED if report.status == "FULL" else ONLINE


def reports_of(pool: Pool, beat: Heartbeat) -> list[PoolReport]:
    """The pool as each of its listeners sees it."""
    return [report for key, report in beat.pools.items() if key.partition(":")[0] == pool.id]


def pool_status(graph: Graph, pool: Pool, reports: list[PoolReport], members: dict[str, str]) -> str:
    if not reports or not pool.admin_state_up or not graph.load_balancer.admin_state_up:
        return OFFLINE
    mine = [members[member.id] for member in members_of(graph, pool)]
    if mine and all(report.status == "DOWN" for report in reports) and ERROR in mine:
        return ERROR
    return DEGRADED if ERROR in mine else ONLINE


def member_status(member: Member, reports: list[PoolReport], *, enabled: bool) -> str:
    said = [report.members[member.id] for report in reports if member.id in report.members]
    if not said or not enabled or not member.admin_state_up:
        kept = not said and member.operating_status == NO_MONITOR and member.admin_state_up
        return NO_MONITOR if kept else OFFLINE
    return worst(spoken(text, member) for text in said)


def spoken(text: str, member: Member) -> str:
    """HAProxy's word for a server (management guide 9.1, field `status`) as an operating status."""
    word = text.split(" ")[0]
    table = {"UP": ONLINE, "DOWN": ERROR, "NOLB": DRAINING, "DRAIN": DRAINING, "MAINT": OFFLINE}
    if text == "no check":
        return DRAINING if member.weight == 0 else NO_MONITOR
    if word == "UP" and member.weight == 0:
        return DRAINING
    return table.get(word, member.operating_status)


def worst(statuses: Iterable[str]) -> str:
    order = (ERROR, OFFLINE, DRAINING, ONLINE, NO_MONITOR)
    found = set(statuses)
    return next((status for status in order if status in found), OFFLINE)


def load_balancer_status(graph: Graph, below: list[str]) -> str:
    if not graph.load_balancer.admin_state_up:
        return OFFLINE
    if any(status in (ERROR, DEGRADED) for status in below):
        return ERROR if below and all(status in (ERROR, OFFLINE) for status in below) else DEGRADED
    return ONLINE
