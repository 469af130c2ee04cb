"""Who may do what: each policy rule with each role, asked over HTTP; and whose things a list has."""

from typing import Any, NamedTuple

from tests.conformance.bench import Bench
from tests.conformance.language import (
    SETTLED,
    Ask,
    Fact,
    Row,
    Settle,
    Table,
    asking,
    batch,
    change,
    delete,
    get,
    listed,
    named,
    new,
    put,
    show,
    with_query,
)
from tests.conformance.nouns import GONE, LBAAS, OCTAVIA
from tests.conformance.suite import check, each

STRANGER = "99999999999999999999999999999999"
READ, WRITE, ADMIN, OR_SERVICE, READ_QUOTA, WRITE_QUOTA = "RWASQL"
CALLERS = {
    "reader": ("reader", "{project}"),
    "member": ("member,reader", "{project}"),
    "admin": ("admin,member,reader", STRANGER),
    "service": ("service", STRANGER),
    "member of another project": ("member,reader", STRANGER),
    "caller without roles": ("", "{project}"),
}
MAY = {
    "reader": "RSQ",
    "member": "RSQW",
    "admin": "RSQWAL",
    "service": "S",
    "member of another project": "",
    "caller without roles": "",
}
SAYS = "Policy does not allow this request to be performed."


class Rule(NamedTuple):
    name: str
    kind: str
    ask: Ask
    status: int
    given: list[Ask | Settle] = []
    shared: bool = False
    """It is about nobody's objects: whoever may read in their own project may read these."""


def by(caller: str, ask: Ask, project: str | None = None) -> Ask:
    roles, own = CALLERS[caller]
    return asking("keystone", ask, X_Roles=roles, X_Project_Id=own if project is None else project)


def handled(kind: str, noun: str, *, fields: dict[str, Any] | None = None) -> list[Rule]:
    """The verbs of a project's objects."""
    parents: dict[str, list[Ask | Settle]] = {
        "listener": [show("loadbalancer")],
        "pool": [show("loadbalancer")],
        "member": [show("pool")],
        "healthmonitor": [show("pool")],
        "l7policy": [show("listener")],
        "rule": [show("l7policy")],
    }
    read_all = OR_SERVICE if kind == "member" else READ
    query = "" if noun in ("member", "rule") else "project_id={project}"
    return [
        Rule("get_all", read_all, listed(noun, query), 200, [show(noun)]),
        Rule("get_one", READ, show(noun), 200, [show(noun)]),
        Rule("post", WRITE, new(noun), 201, parents.get(noun, [])),
        Rule("put", WRITE, change(noun, **(fields or {"admin_state_up": True})), 200, [show(noun)]),
        Rule("delete", WRITE, delete(noun), 204, [show(noun)]),
    ]


def offered(noun: str, read: str) -> list[Rule]:
    """What operators offer: nobody's."""
    return [
        Rule("get_all", read, listed(noun), 200, [show(noun)], shared=True),
        Rule("get_one", read, show(noun), 200, [show(noun)], shared=True),
        Rule("post", ADMIN, new(noun), 201, profiles(noun), shared=True),
        Rule("put", ADMIN, change(noun), 200, [show(noun)], shared=True),
        Rule("delete", ADMIN, delete(noun), 204, [show(noun)], shared=True),
    ]


def profiles(noun: str) -> list[Ask | Settle]:
    found = {"flavor": "flavorprofile", "availability_zone": "availability_zone_profile"}
    return [show(found[noun])] if noun in found else []


READY: list[Ask | Settle] = [
    show("loadbalancer"),
    SETTLED,
    Ask("GET", f"{OCTAVIA}/amphorae", query="loadbalancer_id={loadbalancer}", remember="it"),
]
AMPHORA = f"{OCTAVIA}/amphorae/{{it}}"
LIMIT = put("quotas/{project}", {"quota": {"pool": 5}})
MEMBERS: list[Ask | Settle] = [show("member")]
RULES: dict[str, list[Rule]] = {
    "loadbalancer": [
        *handled("loadbalancer", "loadbalancer"),
        Rule("post:vip_sg_ids", WRITE, new("loadbalancer", vip_sg_ids=["{group}"]), 201),
        Rule("put:vip_sg_ids", WRITE, change("loadbalancer", vip_sg_ids=["{group}"]), 200, [show("loadbalancer")]),
        Rule("get_stats", READ, show("loadbalancer", "/stats"), 200, [show("loadbalancer")]),
        Rule("get_status", READ, show("loadbalancer", "/status"), 200, [show("loadbalancer")]),
        Rule("put_failover", ADMIN, put("loadbalancers/{loadbalancer}/failover"), 202, READY),
    ],
    "listener": [
        *handled("listener", "listener"),
        Rule("get_stats", READ, show("listener", "/stats"), 200, [show("listener")]),
    ],
    "pool": handled("pool", "pool"),
    "member": [
        *handled("member", "member"),
        Rule("batch", WRITE, batch({"address": "192.0.2.77", "protocol_port": 80}), 202, MEMBERS),
    ],
    "healthmonitor": handled("healthmonitor", "healthmonitor"),
    "l7policy": handled("l7policy", "l7policy", fields={"name": "x"}),
    "l7rule": handled("l7rule", "rule"),
    "quota": [
        Rule("get_all", READ_QUOTA, get("quotas", "project_id={project}"), 200, [LIMIT]),
        Rule("get_one", READ_QUOTA, get("quotas/{project}"), 200, [LIMIT]),
        Rule("put", WRITE_QUOTA, LIMIT, 202),
        Rule("delete", WRITE_QUOTA, Ask("DELETE", f"{LBAAS}/quotas/{{project}}"), 202, [LIMIT]),
        Rule("get_defaults", READ_QUOTA, get("quotas/{project}/default"), 200),
    ],
    "provider": [Rule("get_all", READ, get("providers"), 200, shared=True)],
    "provider-flavor": [
        Rule("get_all", ADMIN, get("providers/amphora/flavor_capabilities"), 200, shared=True),
    ],
    "provider-availability-zone": [
        Rule("get_all", ADMIN, get("providers/amphora/availability_zone_capabilities"), 200, shared=True),
    ],
    "flavor": offered("flavor", READ),
    "flavor-profile": offered("flavorprofile", ADMIN),
    "availability-zone": offered("availability_zone", READ),
    "availability-zone-profile": offered("availability_zone_profile", ADMIN),
    "amphora": [
        Rule("get_all", ADMIN, Ask("GET", f"{OCTAVIA}/amphorae", query="loadbalancer_id={loadbalancer}"), 200, READY),
        Rule("get_one", ADMIN, Ask("GET", AMPHORA), 200, READY),
        Rule("get_stats", ADMIN, Ask("GET", f"{AMPHORA}/stats"), 404, READY),
        Rule("put_failover", ADMIN, Ask("PUT", f"{AMPHORA}/failover"), 202, READY),
        Rule("put_config", ADMIN, Ask("PUT", f"{AMPHORA}/config"), 202, READY),
        Rule("delete", ADMIN, Ask("DELETE", AMPHORA), 409, READY),
    ],
}


def allowed(caller: str, rule: Rule) -> bool:
    at_home = "member" if caller == "member of another project" and rule.shared else caller
    return rule.kind in MAY[at_home]


def row(kind: str, rule: Rule, caller: str) -> Row:
    may = allowed(caller, rule)
    quota_list = kind == "quota" and rule.name == "get_all" and caller == "member of another project"
    told = f"{kind}:{rule.name}: a {caller} {'may' if may or quota_list else 'may not'}"
    if quota_list:
        return Row(told, by(caller, rule.ask), 200, [], rule.given)
    status, says = (rule.status, None) if may else (403, SAYS)
    return Row(told, by(caller, rule.ask), status, says, rule.given)


ONE = Fact("its project's alone", lambda rows: len(rows) == 1)
MANY = Fact("those of several projects", lambda rows: len({row["project_id"] for row in rows}) > 1)
TWO: list[Ask | Settle] = [show("loadbalancer"), named("foreign", "loadbalancer", project_id=STRANGER)]
LISTS = [
    *(Row(f"a {caller} lists their own project", by(caller, listed("loadbalancer")), 200, ONE, TWO)
      for caller in ("reader", "member")),
    *(Row(f"a {caller} may not list another project", with_query(by(caller, listed("loadbalancer")),
          f"project_id={STRANGER}"), 403, SAYS, TWO) for caller in ("reader", "member")),
    Row("a member may name their own project", by("member", listed("loadbalancer", "project_id={project}")), 200, ONE,
        TWO),
    Row("an admin lists all projects", by("admin", listed("loadbalancer", "sort=created_at:desc")), 200, MANY, TWO),
    Row("an admin lists one project", by("admin", listed("loadbalancer", "project_id={project}")), 200, ONE, TWO),
    Row("without a project there is no list", by("member", listed("loadbalancer"), project=""), 403, None, TWO),
    Row("a service lists members of any project", by("service", listed("member")), 200, [{"id": "{member}"}],
        [show("member")]),
    Row("a member lists the quota of their own project", by("member", get("quotas")), 200,
        ONE,
        [LIMIT]),
    Row("a member finds no other quotas", by("member", get("quotas", f"project_id={STRANGER}")), 200, [],
        [put(f"quotas/{STRANGER}", {"quota": {"l7policy": 5000}})]),
    Row("an admin lists all quotas", by("admin", get("quotas")), 200, Fact("several", lambda rows: len(rows) > 1),
        [LIMIT, put(f"quotas/{STRANGER}", {"quota": {"l7policy": 5000}})]),
    *(Row(f"a member lists {name} of their own project", by("member", listed(name)), 200, ONE,
          [show(name), new("other loadbalancer", project_id=STRANGER)])
      for name in ("listener", "pool", "healthmonitor", "l7policy")),
]  # fmt: skip
FOREIGN = [
    Row("another project's object is 403, not 404",
        by("member of another project", show("loadbalancer")), 403, SAYS, [show("loadbalancer")]),
    Row("403 has the first shape", by("member of another project", show("pool")), 403,
        {"faultcode": "Client", "faultstring": SAYS}, [show("pool")]),
    Row("what is not there is 404 before 403", by("member of another project", get(f"pools/{GONE}")), 404,
        "not found"),
    Row("what is not there is 404 for a reader's PUT", by("reader", Ask("PUT", f"{LBAAS}/pools/{GONE}", {"pool": {}})),
        404, "not found"),
    Row("a bad body is 400 before 403", by("reader", change("pool", colour=1)), 400, "colour", [show("pool")]),
    Row("403 goes before rules", by("reader", change("healthmonitor", delay=5, domain_name="a.org")), 403, SAYS,
        [show("healthmonitor")]),
    Row("403 goes before the quota", by("reader", new("listener")), 403, SAYS,
        [show("loadbalancer"), put("quotas/{project}", {"quota": {"listener": 0}})]),
    Row("a member makes nothing for another project", by("member", new("loadbalancer", project_id=STRANGER)), 403,
        SAYS),
    Row("an admin makes things for other projects", by("admin", new("loadbalancer")), 201,
        {"project_id": "{project}"}),
    Row("the project comes from the token", by("member", new("loadbalancer", project_id=None)), 201,
        {"project_id": "{project}"}),
    Row("without a project nothing is made", by("admin", new("loadbalancer", project_id=None), project=""), 400,
        "project"),
    Row("a child of another project's load balancer", by("member of another project", new("listener")), 403, SAYS,
        [show("loadbalancer")]),
    Row("an admin's child has the load balancer's project", by("admin", new("listener")), 201,
        {"project_id": "{project}"}, [show("loadbalancer")]),
    Row("no caller is 401", asking("keystone", get("loadbalancers"), X_Identity_Status="Invalid"), 401,
        {"error": {"code": 401, "title": "Unauthorized", "message": Fact("a sentence", bool)}}),
]  # fmt: skip

TABLES = [
    *(Table("2", f"Roles: {kind}", [row(kind, rule, caller) for rule in rules for caller in CALLERS])
      for kind, rules in RULES.items()),
    Table("2", "Whose things a list has", LISTS),
    Table("4", "Other projects, and the order of checks", FOREIGN),
]  # fmt: skip


@each(TABLES)
def test_role(bench: Bench, row: Row) -> None:
    check(bench, row)
