"""All members of a pool in one request: new ones are made, known ones changed, and absent ones removed."""

from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from octavia.api import body
from octavia.api.arguments import flag
from octavia.api.call import Call
from octavia.api.judge import judged, may_be_changed
from octavia.api.kinds import MEMBER, path_home
from octavia.api.subnets import check_subnets
from octavia.api.things import new_row
from octavia.domain.declare import shortened
from octavia.domain.graph import Graph, delete, editable, live, put
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.domain.refusal import Conflict, Invalid

DEFAULTED = ("weight", "backup", "admin_state_up", "monitor_address", "monitor_port")
"""Of a known member that is named again: given or not, these become what the request says."""
KEPT = ("name", "tags", "subnet_id")
"""These change only where they are given."""


class Nothing(Exception):
    """The request changes nothing: no generation is raised for it."""


class Wished(Struct, frozen=True):
    row: Member
    given: frozenset[str]

    @property
    def key(self) -> tuple[str, int]:
        return self.row.address, self.row.protocol_port


def replace_all(call: Call) -> None:
    """With additive_only the absent members stay."""
    additive = flag(call.arguments, "additive_only")
    wishes = read_wishes(call)
    with call.services.store.ask() as reader:
        home = path_home(reader, call.ids)
    assert home is not None
    for action in ("post", "put") if additive else ("post", "put", "delete"):
        call.permit(f"{MEMBER.policy}:{action}", home.project_id)
    check_subnets(call, [wish.row for wish in wishes], home.project_id)

    now = call.services.clock()

    def change(graph: Graph) -> Graph:
        after = replaced(graph, call.ids["pool_id"], wishes, additive, now)
        return judged(call.services, graph, after)

    try:
        call.services.store.write(home.load_balancer_id, call.caller.who, change, counted=call.counted(home.project_id))
    except Nothing:
        pass


def read_wishes(call: Call) -> list[Wished]:
    items = body.under(call.request, "members")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Invalid(f"members must be a list of objects, not '{shortened(items)}'.")
    return [read_wish(call, item) for item in items]


def read_wish(call: Call, item: dict[str, Any]) -> Wished:
    given = frozenset(name for name, value in item.items() if value is not None)
    row = new_row(Member, call, item, pool_id=call.ids["pool_id"])
    assert isinstance(row, Member)
    return Wished(row, given)


def replaced(graph: Graph, pool_id: str, wishes: list[Wished], additive: bool, now: datetime) -> Graph:
    """The graph in which the pool has the wished members."""
    may_be_changed(graph)
    editable(graph, Pool, pool_id)
    known = {(row.address, row.protocol_port): row for row in live(graph).members if row.pool_id == pool_id}
    refuse_twins(wishes, known)
    absent = [] if additive else [row for key, row in known.items() if key not in {wish.key for wish in wishes}]
    if not wishes and not absent:
        raise Nothing
    for row in absent:
        graph = delete(graph, row)
    for wish in wishes:
        graph = with_wish(graph, wish, known.get(wish.key), now)
    return graph


def refuse_twins(wishes: list[Wished], known: dict[tuple[str, int], Member]) -> None:
    seen = set()
    for wish in wishes:
        if wish.key in seen:
            kind = Invalid if wish.key in known else Conflict
            raise kind(f"The member {wish.row.address} port {wish.row.protocol_port} is in the request twice.")
        seen.add(wish.key)


def with_wish(graph: Graph, wish: Wished, known: Member | None, now: datetime) -> Graph:
    if known is None:
        top = graph.load_balancer
        owned = replace(wish.row, load_balancer_id=top.id, project_id=top.project_id)
        return MEMBER.admit(graph, owned, {})
    changed = (*DEFAULTED, *(name for name in KEPT if name in wish.given))
    values = {name: getattr(wish.row, name) for name in changed}
    return put(graph, replace(known, **values, updated_at=now))
