"""The named schemas of the API's document: of each noun what a POST and a PUT may hold, and what answers do."""

from collections.abc import Iterable
from functools import cache

from octavia.api.kinds import KINDS, Kind
from octavia.api.lists import links_key
from octavia.api.operation import Schema
from octavia.api.reported import reported
from octavia.api.schemas import (
    an_object,
    listed,
    mandatory,
    nullable,
    of,
    reference,
    under,
    wished,
)
from octavia.domain import amphora
from octavia.domain.amphora import Amphora
from octavia.domain.catalogue import ENTRIES
from octavia.domain.declare import Declared, Noun, declared
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.l7policy import L7Policy
from octavia.domain.l7rule import L7Rule
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.domain.quota import ALIASES, FIELDS, Quota
from octavia.domain.shape import Above, Below, Constant, OneBelow, Own, Source, Status, Users, shape
from octavia.domain.status import ACTIVE, ERROR, PENDING_CREATE, PENDING_DELETE, PENDING_UPDATE

ID: Schema = {"type": "string", "maxLength": 36}
PARENT: Schema = ID | {"description": "What it will belong to."}
PROJECT: Schema = nullable(ID) | {"description": "Another name of project_id."}
IGNORED: Schema = {"description": "Not looked at: it is the load balancer's."}
TIES = listed(an_object({"id": ID}))
PROVISIONING: Schema = {
    "type": "string",
    "enum": [PENDING_CREATE, ACTIVE, PENDING_UPDATE, PENDING_DELETE, ERROR],
    "description": "Whether what was wished is in force.",
}
OPERATING: Schema = {
    "type": "string",
    "enum": ["ONLINE", "OFFLINE", "DEGRADED", "ERROR", "DRAINING", "NO_MONITOR"],
    "description": "Whether it serves, as observed.",
}
AMPHORA_STATUS: Schema = {"type": "string", "enum": [amphora.BOOTING, amphora.ALLOCATED, amphora.PENDING_DELETE]}
LINK = an_object({"rel": {"type": "string", "enum": ["previous", "next"]}, "href": {"type": "string"}})


def shown(noun: type[Declared]) -> dict[str, Schema]:
    """Every key that answers have."""
    return {key: source_schema(noun, source) for key, source in shape(noun).items()}


def source_schema(noun: type[Declared], source: Source) -> Schema:
    match source:
        case Own("operating_status"):
            return OPERATING
        case Own(name):
            return of(declared(noun)[name].type)
        case Status():
            return AMPHORA_STATUS if noun is Amphora else PROVISIONING
        case Constant(value):
            return {"const": value}
        case OneBelow():
            return ID | {"description": "Not there when there is none."}
        case Above() | Below() | Users():
            return TIES


def whole(noun: type[Declared], *without: str, **instead: Schema) -> Schema:
    """An answer with exactly these keys."""
    keys = {key: schema for key, schema in shown(noun).items() if key not in without} | instead
    return an_object(keys, required=[key for key in keys if not isinstance(shape(noun).get(key), OneBelow)])


def some(noun: type[Declared]) -> Schema:
    """An answer with the keys that were asked for."""
    return an_object(shown(noun), required=())


def full_answers() -> dict[str, Schema]:
    """What the POST of a load balancer answers: everything in it, each whole."""
    rules = {"rules": listed(reference(L7Rule.singular))}
    pool: dict[str, Schema] = {
        "members": listed(reference(Member.singular)),
        "healthmonitor": nullable(reference("loadbalancer_answer_healthmonitor")),
    }
    return {
        "loadbalancer_answer_healthmonitor": whole(HealthMonitor, "pools"),
        "loadbalancer_answer_l7policy": whole(L7Policy, **rules),
        "loadbalancer_answer_listener": whole(
            Listener, "loadbalancers", l7policies=listed(reference("loadbalancer_answer_l7policy"))
        ),
        "loadbalancer_answer_pool": whole(Pool, "loadbalancers", "healthmonitor_id", **pool),
        "loadbalancer_answer": whole(
            LoadBalancer,
            listeners=listed(reference("loadbalancer_answer_listener")),
            pools=listed(reference("loadbalancer_answer_pool")),
        ),
    }


def creation(kind: Kind) -> Schema:
    """What the POST of one object may hold."""
    parents = dict.fromkeys(kind.references, PARENT)
    keys = wished(kind.noun, on_create=True) | parents | {"tenant_id": PROJECT}
    if kind.noun is LoadBalancer:
        return one_of_needed(keys | nested_lists(), ("vip_port_id", "vip_network_id", "vip_subnet_id"))
    if kind.noun is Pool:
        keys |= {name: nullable(PARENT) for name in kind.references}
        return one_of_needed(keys, kind.references, needed=mandatory(Pool))
    return an_object(keys, required=[*mandatory(kind.noun), *parents])


def one_of_needed(keys: dict[str, Schema], names: Iterable[str], needed: Iterable[str] = ()) -> Schema:
    """At least one of these must be given."""
    ways = [{"required": [name], "properties": {name: {"type": "string"}}} for name in names]
    return an_object(keys, required=needed) | {"anyOf": ways}


def nested_lists() -> dict[str, Schema]:
    return {
        "listeners": nullable(listed(reference("loadbalancer_create_listener"))),
        "pools": nullable(listed(reference("loadbalancer_create_pool"))),
    }


def nested(noun: type[Noun], *without: str, **also: Schema) -> Schema:
    """An object inside the POST of a load balancer."""
    keys = wished(noun, on_create=True) | also | {"project_id": IGNORED, "tenant_id": IGNORED}
    needed = [name for name in mandatory(noun) if name not in without]
    return an_object({name: schema for name, schema in keys.items() if name not in without}, required=needed)


def nested_creations() -> dict[str, Schema]:
    a_pool = nullable({"anyOf": [reference("loadbalancer_create_pool"), an_object({"name": {"type": "string"}})]})
    rules = nullable(listed(nested(L7Rule)))
    pool: dict[str, Schema] = {
        "members": nullable(listed(nested(Member))),
        "healthmonitor": nullable(nested(HealthMonitor, "pool_id")),
    }
    policy = nested(L7Policy, "listener_id", "redirect_pool_id", redirect_pool=a_pool, rules=rules)
    return {
        "loadbalancer_create_pool": nested(Pool, **pool),
        "loadbalancer_create_l7policy": policy,
        "loadbalancer_create_listener": nested(
            Listener, default_pool=a_pool, l7policies=nullable(listed(reference("loadbalancer_create_l7policy")))
        ),
    }


def change(noun: type[Declared]) -> Schema:
    return an_object(wished(noun, on_create=False), required=())


def of_kind(kind: Kind) -> dict[str, Schema]:
    name = kind.noun.singular
    least = {} if kind.empty_change else {"minProperties": 1}
    return answers(kind.noun) | {f"{name}_create": creation(kind), f"{name}_change": change(kind.noun) | least}


def answers(noun: type[Declared]) -> dict[str, Schema]:
    return {noun.singular: whole(noun), f"{noun.singular}_fields": some(noun)}


def of_entry(noun: type[Declared]) -> dict[str, Schema]:
    name = noun.singular
    create = an_object(wished(noun, on_create=True), required=mandatory(noun))
    return answers(noun) | {f"{name}_create": create, f"{name}_change": change(noun)}


def quotas() -> dict[str, Schema]:
    limits = wished(Quota, on_create=False)
    effective: dict[str, Schema] = {name: {"type": "integer"} for name in (*FIELDS.values(), *ALIASES)}
    owner = {"project_id": ID, "tenant_id": ID}
    return {
        "quota": an_object(owner | effective),
        "quota_default": an_object(effective),
        "quota_set": whole(Quota),
        "quota_change": an_object(limits | {alias: limits[name] for alias, name in ALIASES.items()}, required=()),
    }


@cache
def components() -> dict[str, Schema]:
    """Name to schema, of everything that the route table refers to."""
    found = nested_creations() | full_answers() | answers(Amphora) | quotas() | reported()
    for kind in KINDS:
        found |= of_kind(kind)
    for noun in ENTRIES:
        found |= of_entry(noun)
    return found


def created(noun: type[Declared]) -> Schema:
    return under(noun.singular, reference(f"{noun.singular}_create"))


def changed(noun: type[Declared]) -> Schema:
    return under(noun.singular, reference(f"{noun.singular}_change"))


def one(noun: type[Declared]) -> Schema:
    return under(noun.singular, reference(noun.singular))


def chosen(noun: type[Declared]) -> Schema:
    """Whole, or the keys that were asked for."""
    return {"anyOf": [reference(noun.singular), reference(f"{noun.singular}_fields")]}


def page(noun: type[Declared], item: Schema | None = None) -> Schema:
    return an_object({noun.plural: listed(item or chosen(noun)), links_key(noun): listed(LINK)})
