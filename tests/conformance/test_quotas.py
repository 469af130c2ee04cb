"""Quotas: what they are, what reaches them, and what they count."""

from typing import Any

from tests.conformance.bench import Bench
from tests.conformance.language import (
    SETTLED,
    WHOLE,
    Ask,
    Fact,
    Row,
    Table,
    asking,
    batch,
    delete,
    get,
    keys,
    named,
    new,
    put,
    show,
)
from tests.conformance.nouns import GONE, LBAAS, SERVED
from tests.conformance.suite import check, each

NAMES = ("loadbalancer", "listener", "pool", "member", "healthmonitor", "l7policy", "l7rule")
ALIASES = {"load_balancer": "loadbalancer", "health_monitor": "healthmonitor"}
OF = {"rule": "l7rule"}
WRONG: tuple[Any, ...] = (-2, 2000000001, "many", 1.5, [])
UNLIMITED = dict.fromkeys([*NAMES, *ALIASES], -1)
QUOTA = "quotas/{project}"


def limit(**numbers: Any) -> Ask:
    return put(QUOTA, {"quota": numbers})


BODIES = [
    Row("a project has no limits", get(QUOTA), 200, UNLIMITED),
    Row("the defaults", get("quotas/defaults"), 200, UNLIMITED),
    Row("the defaults under a project", get(f"{QUOTA}/default"), 200, UNLIMITED),
    Row("the defaults stay what they are for a project of its own", get(f"{QUOTA}/default"), 200, UNLIMITED,
        [limit(pool=5)]),
    Row("a PUT answers 202 with the quota", limit(pool=5), 202, {"pool": 5}),
    *(Row(f"{name} is shown as set", limit(**{name: 7}), 202, {name: 7}, (), [(get(QUOTA), {name: 7})])
      for name in NAMES),
    *(Row(f"{alias} is an alias of {name}", limit(**{alias: 7}), 202, {alias: 7, name: 7}, (),
          [(get(QUOTA), {alias: 7, name: 7})]) for alias, name in ALIASES.items()),
    *(Row(f"{name} is shown as {alias} too", limit(**{name: 7}), 202, {alias: 7, name: 7})
      for alias, name in ALIASES.items()),
    Row("loadbalancer goes before load_balancer", limit(load_balancer=1, loadbalancer=2), 202,
        {"loadbalancer": 2, "load_balancer": 2}),
    *(Row(f"{name}: null is the default again", limit(**{name: None}), 202, None, [limit(**{name: 7})],
          [(get(QUOTA), {name: -1})]) for name in NAMES),
    *(Row(f"{name} {value!r} is taken", limit(**{name: value}), 202, {name: int(value)})
      for name in NAMES for value in (-1, 0, 2000000000, "5")),
    *(Row(f"{name} {value!r} is refused", limit(**{name: value}), 400, name)
      for name in NAMES for value in WRONG),
    Row("what is not given stays", limit(pool=5), 202, {"listener": 6, "pool": 5}, [limit(listener=6)]),
    Row("an unknown name", limit(colour=1), 400, "colour"),
    Row("no root key", put(QUOTA, {}), 400, "quota"),
    Row("another root key", put(QUOTA, {"quotas": {}}), 400, "quota"),
    Row("DELETE is 202", Ask("DELETE", f"{LBAAS}/{QUOTA}"), 202, None, [limit(pool=5)], [(get(QUOTA), UNLIMITED)]),
    Row("DELETE of what was never set", Ask("DELETE", f"{LBAAS}/{QUOTA}"), 404, None),
    Row("a list has projects with a row", get("quotas"), 200,
        Fact("the project", lambda rows: any(row["pool"] == 123456 for row in rows)), [limit(pool=123456)]),
    Row("a list shows null where nothing was set", get("quotas"), 200, Fact("null", lambda rows: any(
        row["pool"] == 123457 and row["listener"] is None for row in rows)), [limit(pool=123457)]),
    Row("a list's root keys", get("quotas"), 200, {WHOLE: keys("quotas quotas_links")}),
    Row("a row appears with the first create", asking("counting", get("quotas", "limit=1000")), 200,
        Fact("the project", lambda rows: len(rows) > 0), [asking("counting", new("loadbalancer"))]),
    Row("quotas page by project", get("quotas", "limit=1"), 200, {WHOLE: Fact("a marker that is a project",
        lambda answer: answer["quotas"][0]["project_id"] in str(answer["quotas_links"]))}, [limit(pool=1)]),
    Row("quotas behind a marker", get("quotas", "project_id={project}&marker={project}"), 200, [], [limit(pool=1)]),
    Row("a marker that is no project", get("quotas", f"marker={GONE}"), 400, None),
    Row("quotas by project", get("quotas", "project_id={project}"), 200, [{"project_id": "{project}", "pool": 1}],
        [limit(pool=1)]),
]  # fmt: skip


def full(noun: str) -> list[Row]:
    """The limit of this noun is reached."""
    name = OF.get(noun, noun)
    another: dict[str, Any] = {"listener": {"protocol_port": 8080}, "member": {"address": "192.0.2.99"}}
    ask = asking("counting", new(noun, **another.get(noun, {})))
    if noun == "healthmonitor":
        ask = asking("counting", new(noun, pool_id="{other pool}"))
    said = f"Quota has been met for resources: {'' if noun in ALIASES.values() else name}"
    gone = [show(noun), delete(noun), limit(**{name: 1})]
    return [
        Row(f"{noun}: the limit is met", ask, 403, said, [show(noun), limit(**{name: 1})]),
        Row(f"{noun}: a limit of none", ask, 403, said, [limit(**{name: 0})]),
        Row(f"{noun}: one below the limit", ask, 201, None, [show(noun), limit(**{name: 2})]),
        Row(f"{noun}: no limit", ask, 201, None, [show(noun), limit(**{name: -1})]),
        Row(f"{noun}: without counting there are no limits", new(noun), 201, None, [limit(**{name: 0})]),
        Row(f"{noun}: what is being deleted does not count", ask, 201, None, gone),
    ]


A, B = ({"address": f"192.0.2.{number}", "protocol_port": 80} for number in (10, 11))
HTTP = {"protocol": "HTTP", "protocol_port": 80}
POOL = {"protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", "name": "p"}
MONITOR = {"type": "PING", "delay": 5, "timeout": 3, "max_retries": 2}
POLICY = {"action": "REJECT", "rules": [{"type": "PATH", "compare_type": "EQUAL_TO", "value": "/"}]}
WHOLE_ONE = asking("counting", new(
    "loadbalancer",
    listeners=[{**HTTP, "l7policies": [POLICY]}, {**HTTP, "protocol_port": 81}],
    pools=[{**POOL, "members": [A, B], "healthmonitor": MONITOR}, {**POOL, "name": "q"}],
))  # fmt: skip
NUMBERS = {"loadbalancer": 1, "listener": 2, "pool": 2, "member": 2, "healthmonitor": 1, "l7policy": 1, "l7rule": 1}
COUNTS = [
    *(Row(f"single call: one {name} too many", WHOLE_ONE, 403, "Quota has been met", [limit(**{name: number - 1})])
      for name, number in NUMBERS.items()),
    Row("single call: exactly the limits", WHOLE_ONE, 201, None, [limit(**NUMBERS)]),
    Row("single call: nothing is counted of a refused one", asking("counting", new("loadbalancer")), 201, None,
        [limit(loadbalancer=1, listener=1)], ()),
    Row("batch: the difference counts", asking("counting", batch(B)), 202, None,
        [named("member", "member", **A), limit(member=1)]),
    Row("batch: too many", asking("counting", batch(A, B)), 403, "Quota has been met for resources: member",
        [named("member", "member", **A), limit(member=1)]),
    Row("batch: additive_only adds", asking("counting", batch(B, query="additive_only=true")), 403, "member",
        [named("member", "member", **A), limit(member=1)]),
    Row("rules go before the quota", asking("counting", new("listener", protocol_port=0)), 400, "protocol_port",
        [show("loadbalancer"), limit(listener=0)]),
    Row("a limit below what there is deletes nothing", limit(listener=0), 202, None, [show("listener")],
        [(show("listener"), {"id": "{listener}"})]),
    Row("the operator's default goes for all", asking("two pools", new("pool")), 403, "pool",
        [show("pool"), show("other pool")]),
    Row("the operator's default is shown", asking("two pools", get(QUOTA)), 200, {"pool": 2, "listener": -1}),
    Row("the operator's default is among the defaults", asking("two pools", get("quotas/defaults")), 200, {"pool": 2}),
    Row("a project's own limit goes before it", asking("two pools", new("pool")), 201, None,
        [show("pool"), show("other pool"), limit(pool=3)]),
    Row("null is the operator's default", asking("two pools", limit(pool=None)), 202, None, [limit(pool=3)],
        [(asking("two pools", get(QUOTA)), {"pool": 2})]),
    Row("projects count apart", asking("counting", new("loadbalancer", project_id="{project}")), 201, None,
        [new("loadbalancer", project_id="x" * 32), limit(loadbalancer=1)]),
    Row("a failed create gives its place back", asking("counting", new("loadbalancer")), 201, None,
        [limit(loadbalancer=1), named("it", "loadbalancer"), SETTLED, Ask("DELETE", f"{LBAAS}/loadbalancers/{{it}}"),
         SETTLED]),
]  # fmt: skip

TABLES = [
    Table("11", "Quotas as objects", BODIES),
    Table("11", "Limits that are met", [row for noun in SERVED for row in full(noun)]),
    Table("11", "What counts", COUNTS),
]


@each(TABLES)
def test_quota(bench: Bench, row: Row) -> None:
    check(bench, row)
