"""What the API shows of each noun: exactly these keys, and where each value comes from.

Answers are made from this twice: in Python from a graph, after an edit, and by the database for lists.
"""

from functools import cache
from typing import Any

from msgspec import Struct

from octavia.domain.amphora import Amphora
from octavia.domain.declare import Declared, Noun, declared, said_of
from octavia.domain.graph import Graph, policies_of, rows, users
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.l7policy import L7Policy
from octavia.domain.l7rule import L7Rule
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.domain.quota import ALIASES, Quota
from octavia.domain.status import provisioning_status


class Own(Struct, frozen=True):
    """The row's own value of this field."""

    field: str


class Status(Struct, frozen=True):
    """The provisioning status."""


class Constant(Struct, frozen=True):
    """What upstream's clients expect to be there, and is the same in all of ours."""

    value: bool | int | None


class Above(Struct, frozen=True):
    """A list with the one id in this field."""

    field: str


class Below(Struct, frozen=True):
    """The ids of the live rows of this noun whose field holds the row's id, in the order they are kept in."""

    noun: type[Noun]
    field: str


class Users(Struct, frozen=True):
    """The ids of the listeners that send requests to a pool."""


class OneBelow(Struct, frozen=True):
    """The id of the live row of this noun whose field holds the row's id; where there is none the key is absent."""

    noun: type[Noun]
    field: str


Source = Own | Status | Constant | Above | Below | Users | OneBelow
TIES: dict[type[Noun], dict[str, Source]] = {
    LoadBalancer: {"listeners": Below(Listener, "load_balancer_id"), "pools": Below(Pool, "load_balancer_id")},
    Listener: {"l7policies": Below(L7Policy, "listener_id"), "loadbalancers": Above("load_balancer_id")},
    Pool: {
        "loadbalancers": Above("load_balancer_id"),
        "listeners": Users(),
        "members": Below(Member, "pool_id"),
        "healthmonitor_id": OneBelow(HealthMonitor, "pool_id"),
    },
    Member: {},
    HealthMonitor: {"pools": Above("pool_id")},
    L7Policy: {"rules": Below(L7Rule, "l7policy_id")},
    L7Rule: {},
}

FURTHER: dict[type[Declared], dict[str, Source]] = {
    Amphora: {
        "loadbalancer_id": Own("load_balancer_id"),
        "status": Status(),
        "cert_busy": Constant(False),
        "vrrp_interface": Constant(None),
        "vrrp_id": Constant(1),
        "vrrp_priority": Constant(None),
        "cached_zone": Constant(None),
        "image_id": Constant(None),
        "compute_flavor": Constant(None),
    },
    Quota: {
        "tenant_id": Own("project_id"),
        **{alias: Own(name) for alias, name in ALIASES.items()},
    },
}


@cache
def shape(noun: type[Declared]) -> dict[str, Source]:
    """Key to source, in the order in which they are shown."""
    own: dict[str, Source] = {name: Own(name) for name, field in declared(noun).items() if not hidden(field)}
    if not issubclass(noun, Noun):
        return own | FURTHER.get(noun, {})
    return own | {"provisioning_status": Status(), "tenant_id": Own("project_id")} | TIES[noun]


def hidden(field: Any) -> bool:
    return bool(said_of(field).get("hidden"))


def shown(alive: Graph, row: Noun) -> dict[str, Any]:
    """What the API shows of a row of this graph, which has no rows in deletion."""
    found: dict[str, Any] = {}
    for key, source in shape(type(row)).items():
        if isinstance(source, OneBelow):
            for child in below(alive, row, source.noun, source.field):
                found[key] = child.id
        else:
            found[key] = value(alive, row, source)
    return found


def value(graph: Graph, row: Noun, source: Source) -> Any:
    match source:
        case Own("created_at" | "updated_at" as name):
            # Rows are sorted by microseconds; clients that parse by a fixed format know seconds only.
            moment = getattr(row, name)
            return moment and moment.replace(microsecond=0)
        case Own(name):
            return getattr(row, name)
        case Status():
            return provisioning_status(row, graph.load_balancer)
        case Above(name):
            return ids(getattr(row, name))
        case Users():
            return ids(*(listener.id for listener in users(graph, row.id)))
        case Below(noun, name):
            return ids(*(child.id for child in below(graph, row, noun, name)))
        case _:
            raise TypeError(source)


def below(graph: Graph, row: Noun, noun: type[Noun], field: str) -> tuple[Noun, ...]:
    if noun is L7Policy:
        return policies_of(graph, row.id)
    return tuple(child for child in rows(graph, noun) if getattr(child, field) == row.id)


def ids(*identifiers: str) -> list[dict[str, str]]:
    return [{"id": identifier} for identifier in identifiers]
