"""Statuses: what shows on accept, and what after the controller has done its work (with no-op drivers)."""

from collections.abc import Sequence
from typing import Any

from tests.conformance.bench import Bench
from tests.conformance.language import SETTLED, Ask, Row, Settle, Table, batch, change, delete, listed, named, new, show
from tests.conformance.nouns import CHILDREN, LBAAS, SERVED
from tests.conformance.suite import check, each

NAMES = {
    "loadbalancer": "loadbalancer",
    "listener": "listener",
    "pool": "served pool",
    "member": "own member",
    "healthmonitor": "own monitor",
    "l7policy": "l7policy",
    "rule": "rule",
}
"""The scene of these rows: a listener with a pool, which has a member and a monitor; a policy with a rule."""
PATHS = {
    "loadbalancer": "loadbalancers/{loadbalancer}",
    "listener": "listeners/{listener}",
    "pool": "pools/{served pool}",
    "member": "pools/{served pool}/members/{own member}",
    "healthmonitor": "healthmonitors/{own monitor}",
    "l7policy": "l7policies/{l7policy}",
    "rule": "l7policies/{l7policy}/rules/{rule}",
}
MEMBER = {"address": "192.0.2.10", "protocol_port": 80}
OWN_MEMBER = Ask("POST", f"{LBAAS}/pools/{{served pool}}/members", {"member": MEMBER}, remember="own member")
OWN_MONITOR = named("own monitor", "healthmonitor", pool_id="{served pool}")
SETTING: list[Ask | Settle] = [show("served pool"), OWN_MONITOR, OWN_MEMBER, show("rule"), SETTLED]
ABOVE: dict[str, Sequence[str]] = {
    "loadbalancer": (),
    "listener": ("loadbalancer",),
    "pool": ("loadbalancer", "listener"),
    "member": ("loadbalancer", "listener", "pool"),
    "healthmonitor": ("loadbalancer", "listener", "pool"),
    "l7policy": ("loadbalancer", "listener"),
    "rule": ("loadbalancer", "listener", "l7policy"),
}
"""Whose PENDING_UPDATE goes with a change of this noun."""


Seen = tuple[Ask | Settle, Any]


def see(noun: str, **expected: str) -> Seen:
    return Ask("GET", f"{LBAAS}/{PATHS[noun]}"), expected


def accepted(noun: str, own: str) -> list[Seen]:
    """The row itself, what is above it, and all the rest, which is untouched."""
    found = []
    for other in SERVED:
        status = own if other == noun else "PENDING_UPDATE" if other in ABOVE[noun] else "ACTIVE"
        if not (other == noun and own == "GONE"):
            found.append(see(other, provisioning_status=status))
    return found


ALL_ACTIVE: list[Seen] = [see(noun, provisioning_status="ACTIVE") for noun in SERVED]
LEAVES_NOTHING = ("loadbalancer", "listener", "pool", "l7policy")


def updates(noun: str) -> list[Row]:
    root = noun
    ask = Ask("PUT", f"{LBAAS}/{PATHS[noun]}", {root: {"admin_state_up": True}})
    empty = Ask("PUT", f"{LBAAS}/{PATHS[noun]}", {root: {}})
    pending = {"provisioning_status": "PENDING_UPDATE"}
    rows = [
        Row(f"update of a {noun}: it and its parents are PENDING_UPDATE", ask, 200, pending, SETTING,
            accepted(noun, "PENDING_UPDATE")),
        Row(f"update of a {noun}: all is ACTIVE afterwards", ask, 200, None, SETTING, [(SETTLED, None), *ALL_ACTIVE]),
    ]  # fmt: skip
    if noun != "l7policy":
        rows.append(Row(f"an empty update of a {noun} is an update", empty, 200, pending, SETTING))
    return rows


def removals(noun: str) -> list[Row]:
    ask = Ask("DELETE", f"{LBAAS}/{PATHS[noun]}")
    gone = Ask("GET", f"{LBAAS}/{PATHS[noun]}")
    parents = [see(other, provisioning_status="PENDING_UPDATE") for other in ABOVE[noun]]
    active = [see(other, provisioning_status="ACTIVE") for other in ABOVE[noun]]
    return [
        Row(f"delete of a {noun}: it is PENDING_DELETE, its parents PENDING_UPDATE", ask, 204, None, SETTING,
            [see(noun, provisioning_status="PENDING_DELETE"), *parents]),
        Row(f"delete of a {noun}: it is gone afterwards", gone, 404, "not found", [*SETTING, ask, SETTLED]),
        Row(f"delete of a {noun}: its parents are ACTIVE afterwards", ask, 204, None, SETTING,
            [(SETTLED, None), *active]),
        Row(f"delete of a {noun} again while it goes", ask, 409, None, [*SETTING, ask]),
        Row(f"update of a {noun} while it goes",
            Ask("PUT", f"{LBAAS}/{PATHS[noun]}", {noun: {"admin_state_up": False}}), 409, None, [*SETTING, ask]),
    ]  # fmt: skip


FIRST: dict[str, tuple[list[Ask | Settle], Ask, str, tuple[str, ...]]] = {
    "listener": ([show("loadbalancer"), SETTLED], new("listener"), "OFFLINE", ("loadbalancer",)),
    "pool": ([show("listener"), SETTLED], new("served pool"), "OFFLINE", ("loadbalancer", "listener")),
    "member": ([show("served pool"), SETTLED], OWN_MEMBER, "NO_MONITOR", ("loadbalancer", "listener", "pool")),
    "healthmonitor": ([show("served pool"), SETTLED], OWN_MONITOR, "ONLINE", ("loadbalancer", "listener", "pool")),
    "l7policy": ([show("listener"), SETTLED], new("l7policy"), "ONLINE", ("loadbalancer", "listener")),
    "rule": ([show("l7policy"), SETTLED], new("rule"), "ONLINE", ("loadbalancer", "listener", "l7policy")),
}


def creations(noun: str) -> list[Row]:
    given, ask, after, above = FIRST[noun]
    accept = "NO_MONITOR" if noun == "member" else "OFFLINE"
    known = Ask(ask.method, ask.path, ask.body, remember="made")
    base = {"member": "pools/{served pool}/members", "rule": "l7policies/{l7policy}/rules", "l7policy": "l7policies"}
    made = Ask("GET", f"{LBAAS}/{base.get(noun, noun + 's')}/{{made}}")
    parents = [see(other, provisioning_status="PENDING_UPDATE") for other in above]
    active = [see(other, provisioning_status="ACTIVE") for other in above]
    on_success = {"provisioning_status": "ACTIVE", "operating_status": after}
    return [
        Row(f"create of a {noun}: PENDING_CREATE, its parents PENDING_UPDATE", known, 201,
            {"provisioning_status": "PENDING_CREATE"}, given, parents),
        Row(f"create of a {noun}: {accept} at first", known, 201, {"operating_status": accept}, given),
        Row(f"create of a {noun}: ACTIVE and {after} afterwards", known, 201, None, given,
            [(SETTLED, None), (made, on_success), *active]),
    ]  # fmt: skip


TOP = [
    Row("create of a load balancer: PENDING_CREATE and OFFLINE", new("loadbalancer"), 201,
        {"provisioning_status": "PENDING_CREATE", "operating_status": "OFFLINE"}),
    Row("create of a load balancer: ACTIVE and OFFLINE afterwards", named("loadbalancer", "loadbalancer"), 201, None,
        (), [(SETTLED, None), see("loadbalancer", provisioning_status="ACTIVE", operating_status="OFFLINE")]),
    Row("a new one takes children before it is ACTIVE", new("listener"), 201, None, [show("loadbalancer")]),
    Row("a busy one takes further changes", change("loadbalancer", name="b"), 200, {"name": "b"},
        [show("loadbalancer"), SETTLED, change("loadbalancer", name="a")]),
    Row("all changes are in force in the end", change("loadbalancer", description="b"), 200, None,
        [show("loadbalancer"), SETTLED, change("loadbalancer", name="a")],
        [(SETTLED, None), (show("loadbalancer"), {"name": "a", "description": "b", "provisioning_status": "ACTIVE"})]),
    Row("delete: PENDING_DELETE", delete("loadbalancer"), 204, None, [show("loadbalancer"), SETTLED],
        [see("loadbalancer", provisioning_status="PENDING_DELETE")]),
    Row("delete: gone afterwards", show("loadbalancer"), 404, "not found",
        [show("loadbalancer"), delete("loadbalancer"), SETTLED]),
    Row("a deleted one is in no list", listed("loadbalancer", "project_id={project}"), 200, [],
        [show("loadbalancer"), delete("loadbalancer"), SETTLED]),
    Row("delete twice", delete("loadbalancer"), 409, "PENDING_DELETE", [delete("loadbalancer")]),
    Row("update while it is deleted", change("loadbalancer", name="x"), 409, "PENDING_DELETE",
        [delete("loadbalancer")]),
    Row("a child while it is deleted", new("listener"), 409, "immutable", [delete("loadbalancer")]),
    Row("failover while it is deleted", Ask("PUT", f"{LBAAS}/loadbalancers/{{loadbalancer}}/failover"), 409,
        "PENDING_DELETE", [delete("loadbalancer")]),
    Row("cascade delete: only the load balancer shows it", delete("loadbalancer", "cascade=true"), 204, None, SETTING,
        [see("loadbalancer", provisioning_status="PENDING_DELETE"),
         *(see(noun, provisioning_status="ACTIVE") for noun in CHILDREN)]),
    *(Row(f"cascade delete: the {noun} is gone", Ask("GET", f"{LBAAS}/{PATHS[noun]}"), 404, None,
          [*SETTING, delete("loadbalancer", "cascade=true"), SETTLED]) for noun in CHILDREN),
]  # fmt: skip


def pending(*statuses: str) -> list[Seen]:
    return [(listed("member", "sort=address"), [{"provisioning_status": status} for status in statuses])]


def operating(rule: str, ask: Ask, noun: str, status: str, given: Sequence[Any] = SETTING) -> Row:
    return Row(rule, ask, 200 if ask.method == "PUT" else 201, None, given,
               [(SETTLED, None), see(noun, operating_status=status)])  # fmt: skip


def off(noun: str, up: bool = False) -> Ask:
    return Ask("PUT", f"{LBAAS}/{PATHS[noun]}", {noun: {"admin_state_up": up}})


KNOWN: list[Ask | Settle] = [named("member", "member", **MEMBER), SETTLED]
OTHER = {"address": "192.0.2.11", "protocol_port": 80}
FINER = [
    Row("a pool of a policy puts the policy's listener in PENDING_UPDATE", change("pool", name="x"), 200, None,
        [show("REDIRECT_TO_POOL l7policy"), SETTLED], [see("listener", provisioning_status="PENDING_UPDATE")]),
    Row("a pool that nobody uses touches no listener", change("pool", name="x"), 200, None,
        [show("pool"), show("listener"), SETTLED], [see("listener", provisioning_status="ACTIVE")]),
    Row("batch: new, matched and absent ones", batch(MEMBER, {**MEMBER, "address": "192.0.2.12"}), 202, None,
        [named("member", "member", **MEMBER), named("second", "member", **OTHER), SETTLED],
        pending("PENDING_UPDATE", "PENDING_DELETE", "PENDING_CREATE")),
    Row("batch with additive_only: absent ones stay ACTIVE", batch(OTHER, query="additive_only=true"), 202, None, KNOWN,
        pending("ACTIVE", "PENDING_CREATE")),
    Row("deleting a listener keeps its pool", Ask("DELETE", f"{LBAAS}/{PATHS['listener']}"), 204, None, SETTING,
        [(SETTLED, None), see("pool", provisioning_status="ACTIVE")]),
    *(Row(f"deleting a listener deletes its {noun}", Ask("GET", f"{LBAAS}/{PATHS[noun]}"), 404, None,
          [*SETTING, delete("listener"), SETTLED]) for noun in ("l7policy", "rule")),
    *(Row(f"deleting a pool deletes its {noun}", Ask("GET", f"{LBAAS}/{PATHS[noun]}"), 404, None,
          [*SETTING, delete("served pool"), SETTLED]) for noun in ("healthmonitor", "member")),
    Row("deleting a policy deletes its rules", Ask("GET", f"{LBAAS}/{PATHS['rule']}"), 404, None,
        [*SETTING, delete("l7policy"), SETTLED]),
    *(operating(f"{noun} OFFLINE with no-op drivers", off(noun, up=True), noun, "OFFLINE")
      for noun in ("loadbalancer", "listener", "pool")),
    *(operating(f"{noun} OFFLINE when disabled", off(noun), noun, "OFFLINE") for noun in
      ("loadbalancer", "listener", "pool", "healthmonitor", "l7policy", "rule")),
    *(operating(f"{noun} ONLINE when enabled", off(noun, up=True), noun, "ONLINE", [*SETTING, off(noun), SETTLED])
      for noun in ("healthmonitor", "l7policy", "rule")),
    operating("a member made under a monitor is OFFLINE", off("member", up=True), "member", "OFFLINE"),
    operating("a member made under a disabled monitor is OFFLINE", OWN_MEMBER, "member", "OFFLINE",
              [named("own monitor", "healthmonitor", pool_id="{served pool}", admin_state_up=False), SETTLED]),
    operating("a new monitor leaves members as they are", OWN_MONITOR, "member", "NO_MONITOR",
              [show("served pool"), OWN_MEMBER, SETTLED]),
    operating("a disabled member keeps NO_MONITOR", off("member"), "member", "NO_MONITOR",
              [show("served pool"), OWN_MEMBER, SETTLED]),
    Row("a batch member under a monitor is OFFLINE", batch(MEMBER), 202, None, [show("healthmonitor")],
        [(listed("member"), [{"operating_status": "OFFLINE"}])]),
    *(Row(f"a disabled {noun} is OFFLINE from its creation", new(noun, admin_state_up=False), 201,
          {"operating_status": "OFFLINE"}) for noun in ("healthmonitor", "l7policy", "rule")),
]  # fmt: skip

TABLES = [
    Table("12", "A load balancer comes and goes", TOP),
    Table("12", "Creating children", [row for noun in FIRST for row in creations(noun)]),
    Table("12", "Updating", [row for noun in SERVED for row in updates(noun)]),
    Table("12", "Deleting children", [row for noun in CHILDREN for row in removals(noun)]),
    Table("12", "Finer points", FINER),
]


@each(TABLES)
def test_transition(bench: Bench, row: Row) -> None:
    check(bench, row)
