"""What holds for all nouns: unknown and system attributes, missing objects, bodies, order of checks."""

from typing import Any

from tests.conformance.bench import Bench
from tests.conformance.language import (
    SETTLED,
    Ask,
    Fact,
    Row,
    Table,
    change,
    delete,
    get,
    new,
    put,
    show,
)
from tests.conformance.nouns import GONE, NIL, SERVED, TITLES, collection
from tests.conformance.suite import check, each

CATALOGUE = ("flavor", "flavorprofile", "availability_zone", "availability_zone_profile")
EVERYTHING = (*SERVED, *CATALOGUE)
SYSTEM = ("id", "provisioning_status", "operating_status", "created_at", "updated_at", "colour", "load_balancer_id")


def unknown(noun: str, name: str) -> list[Row]:
    says = f"Unknown attribute for argument {noun}: {name}"
    given = {name: "x"}
    return [
        Row(f"POST {noun} with {name}", new(noun, **given), 400, says),
        Row(f"PUT {noun} with {name}", change(noun, **given), 400, says),
    ]


UNKNOWN = [row for noun in SERVED for name in SYSTEM for row in unknown(noun, name)] + [
    row for noun in CATALOGUE for row in unknown(noun, "colour")
]
FIXED = {
    "loadbalancer": "vip_address vip_port_id vip_network_id vip_subnet_id additional_vips provider flavor_id "
    "availability_zone project_id tenant_id listeners pools vip_vnic_type",
    "listener": "loadbalancer_id protocol protocol_port project_id tenant_id l7policies default_pool",
    "pool": "loadbalancer_id listener_id protocol project_id tenant_id members healthmonitor",
    "member": "address protocol_port subnet_id request_sriov project_id tenant_id pool_id vnic_type",
    "healthmonitor": "pool_id type project_id tenant_id",
    "l7policy": "listener_id project_id tenant_id rules",
    "rule": "project_id tenant_id l7policy_id",
    "flavor": "flavor_profile_id id",
    "availability_zone": "availability_zone_profile_id name",
}
IMMUTABLE = [
    Row(f"PUT {noun}.{name}", change(noun, **{name: "x"}), 400, f"Unknown attribute for argument {noun}: {name}")
    for noun, names in FIXED.items()
    for name in names.split()
]


def missing(noun: str) -> list[Row]:
    base = collection(noun)
    says = f"{TITLES[noun]} {{}} not found"
    named_by = "mars" if noun == "availability_zone" else GONE
    rows = []
    for identifier in (named_by, "no-uuid"):
        for method, body in (("GET", None), ("PUT", {noun: {}}), ("DELETE", None)):
            if not (noun == "l7policy" and method == "PUT"):
                ask = Ask(method, f"{base}/{identifier}", body)
                rows.append(Row(f"{method} {noun} {identifier}", ask, 404, says.format(identifier)))
    return rows


MISSING = [row for noun in EVERYTHING for row in missing(noun)] + [
    *(Row(f"{noun}: the nil id", Ask("GET", f"{collection(noun)}/{NIL}"), 404, "not found")
      for noun in ("flavor", "flavorprofile", "availability_zone", "availability_zone_profile")),
    *(Row(f"{what} of a load balancer that is not there", get(f"loadbalancers/{GONE}/{what}"), 404, f"{GONE} not found")
      for what in ("status", "statuses", "stats")),
    Row("stats of a listener that is not there", get(f"listeners/{GONE}/stats"), 404, f"Listener {GONE} not found"),
    Row("failover of a load balancer that is not there", put(f"loadbalancers/{GONE}/failover"), 404,
        f"{GONE} not found"),
    Row("members of a pool that is not there", get(f"pools/{GONE}/members"), 404,
        {"code": 404, "title": Fact("a text", bool), "description": Fact("a text", bool)}),
    Row("rules of a policy that is not there", get(f"l7policies/{GONE}/rules"), 404,
        {"code": 404, "title": Fact("a text", bool), "description": Fact("a text", bool)}),
    Row("most errors have the first shape", get(f"pools/{GONE}"), 404,
        {"faultcode": "Client", "debuginfo": None, "faultstring": f"Pool {GONE} not found."}),
]  # fmt: skip

RAW = {
    "no body": b"",
    "no JSON": b"{",
    "no UTF-8": b"\xff\xfe",
    "a list": b"[]",
    "null": b"null",
    "an empty object": b"{}",
}


NO_OBJECTS: tuple[Any, ...] = (None, [], "x")


def bodies(noun: str) -> list[Row]:
    path = collection(noun)
    json = {"Content-Type": "application/json"}
    rows = [
        Row(f"POST {noun}: {what}", Ask("POST", path, raw=raw, headers=json), 400, None) for what, raw in RAW.items()
    ]
    rows += [
        Row(f"PUT {noun}: {what}", Ask("PUT", f"{path}/{{{noun}}}", raw=raw, headers=json), 400, None)
        for what, raw in RAW.items()
    ]
    rows += [
        Row(f"POST {noun}: {value} under the root key", Ask("POST", path, {noun: value}), 400, noun)
        for value in NO_OBJECTS
    ]
    return [*rows, Row(f"POST {noun}: another root key", Ask("POST", path, {"thing": {}}), 400, noun)]


BODIES = [row for noun in EVERYTHING for row in bodies(noun)]
QUERIES = [
    *(Row(f"show {noun}: unknown arguments are ignored", show(noun, query="colour=red"), 200, {"tags": []})
      for noun in SERVED),
    *(Row(f"delete {noun}: unknown arguments are refused", delete(noun, "colour=red"), 400, "colour")
      for noun in SERVED),
    *(Row(f"{what}: unknown arguments are refused", show("loadbalancer", what, "colour=red"), 400, "colour")
      for what in ("/status", "/statuses", "/stats")),
    Row("listener stats: unknown arguments are refused", show("listener", "/stats", "colour=red"), 400, "colour"),
    Row("quota: unknown arguments are refused", get("quotas/{project}", "colour=red"), 400, "colour"),
    Row("cascade is for load balancers", delete("listener", "cascade=true"), 400, "cascade"),
    *(Row(f"show {noun}: fields choose keys", show(noun, query="fields=id&fields=tags&fields=colour"), 200,
          Fact("id and tags", lambda found: set(found) == {"id", "tags"})) for noun in SERVED),
]  # fmt: skip
ORDER = [
    Row("a bad body goes before a missing object", Ask("PUT", f"/v2/lbaas/pools/{GONE}", {"pool": {"colour": 1}}), 400,
        "colour"),
    Row("a missing root key goes before a missing object", Ask("PUT", f"/v2/lbaas/pools/{GONE}", {}), 400, "pool"),
    Row("rules go before what is being deleted", change("pool", lb_algorithm="RANDOM"), 400, "lb_algorithm",
        [show("pool"), delete("pool")]),
    Row("a bad body goes before a missing parent", new("listener", loadbalancer_id=GONE, protocol_port=0), 400,
        "protocol_port"),
    *(Row(f"{noun}: the project is that of the load balancer", new(noun, project_id="another"), 201,
          {"project_id": "{project}", "tenant_id": "{project}"})
      for noun in ("listener", "pool", "member", "healthmonitor", "l7policy", "rule")),
    *(Row(f"{noun}: tenant_id is taken too", new(noun, tenant_id="another"), 201, {"project_id": "{project}"})
      for noun in ("listener", "pool", "member", "healthmonitor", "l7policy", "rule")),
    *(Row(f"{noun}: an empty PUT changes updated_at", change(noun), 200,
          {"updated_at": Fact("a date", bool)}) for noun in SERVED if noun != "l7policy"),
    Row("delete, then create on one port at once", new("listener"), 201, None, [delete("listener")]),
    Row("several changes before the first is in force", change("listener", name="b"), 200, {"name": "b"},
        [show("listener"), SETTLED, change("listener", name="a"), change("listener", connection_limit=5)],
        [(show("listener"), {"connection_limit": 5})]),
]  # fmt: skip

TABLES = [
    Table("4", "Unknown attributes, and those of the service", UNKNOWN),
    Table("4", "What a PUT may not name", IMMUTABLE),
    Table("4", "What is not there", MISSING),
    Table("4", "Bodies of no shape", BODIES),
    Table("3", "Query arguments outside of lists", QUERIES),
    Table("4", "Order of checks, projects, empty changes", ORDER),
]


@each(TABLES)
def test_common_rule(bench: Bench, row: Row) -> None:
    check(bench, row)
