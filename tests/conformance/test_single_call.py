"""A load balancer with everything in it, made by one request."""

from typing import Any

from tests.conformance.bench import Bench
from tests.conformance.language import SETTLED, Ask, Fact, Row, Table, asking, get, listed, named, new, show
from tests.conformance.nouns import GONE
from tests.conformance.suite import check, each

Wish = dict[str, Any]
POOL: Wish = {"name": "web", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}
HTTP: Wish = {"protocol": "HTTP", "protocol_port": 80}
MEMBER: Wish = {"address": "192.0.2.10", "protocol_port": 80}
MONITOR: Wish = {"type": "HTTP", "delay": 5, "timeout": 3, "max_retries": 2}
RULE: Wish = {"type": "PATH", "compare_type": "EQUAL_TO", "value": "/a"}
TO_POOL: Wish = {"action": "REDIRECT_TO_POOL"}
REJECT: Wish = {"action": "REJECT"}


def full(*listeners: Wish, pools: Any = (), **more: Any) -> Ask:
    return new("loadbalancer", listeners=list(listeners), pools=list(pools), **more)


def tree(**policy: Any) -> Ask:
    return full({**HTTP, "l7policies": [policy]}, pools=[POOL])


def count(**numbers: int) -> Fact:
    return Fact(f"{numbers}", lambda found: all(len(found[name]) == number for name, number in numbers.items()))


REFERENCES = [
    Row("a pool that a listener names", full({**HTTP, "default_pool": {"name": "web"}}, pools=[POOL]), 201,
        {"listeners": [{"default_pool_id": Fact("an id", bool)}], "pools": [{"name": "web"}]}),
    Row("a pool defined inside a listener moves to the top", full({**HTTP, "default_pool": POOL}), 201,
        {"pools": [{"name": "web", "protocol": "HTTP"}], "listeners": [{"default_pool_id": Fact("an id", bool)}]}),
    Row("two listeners name one pool",
        full({**HTTP, "default_pool": POOL}, {**HTTP, "protocol_port": 81, "default_pool": {"name": "web"}}), 201,
        count(listeners=2, pools=1)),
    Row("a pool inside a listener needs a name", full({**HTTP, "default_pool": {**POOL, "name": ""}}), 400, "name"),
    Row("a pool that is named is defined", full({**HTTP, "default_pool": {"name": "nowhere"}}), 400, "nowhere"),
    Row("one name for one pool", full(pools=[POOL, POOL]), 400, "web"),
    Row("a name inside and at the top", full({**HTTP, "default_pool": POOL}, pools=[POOL]), 400, "web"),
    Row("two pools without names", full(pools=[{**POOL, "name": ""}, {**POOL, "name": ""}]), 400, "name"),
    Row("one pool without a name", full(pools=[{**POOL, "name": ""}]), 201, count(pools=1)),
    Row("a pool needs a protocol", full(pools=[{"name": "web", "lb_algorithm": "ROUND_ROBIN"}]), 400, "protocol"),
    Row("a pool needs an algorithm", full(pools=[{"name": "web", "protocol": "HTTP"}]), 400, "lb_algorithm"),
    Row("a pool inside needs an algorithm", full({**HTTP, "default_pool": {"name": "web", "protocol": "HTTP"}}), 400,
        "lb_algorithm"),
    Row("default_pool_id has nothing to name yet", full({**HTTP, "default_pool_id": GONE}), 404, "not found"),
    Row("a policy's pool by name", tree(**TO_POOL, redirect_pool={"name": "web"}), 201,
        {"listeners": [{"l7policies": [{"action": "REDIRECT_TO_POOL", "redirect_pool_id": Fact("an id", bool)}]}]}),
    Row("a policy's pool as a definition", tree(**TO_POOL, redirect_pool={**POOL, "name": "second"}), 201,
        count(pools=2)),
    Row("a policy's pool needs a name", tree(**TO_POOL, redirect_pool={**POOL, "name": ""}), 400, "name"),
    Row("a policy's pool that is not defined", tree(**TO_POOL, redirect_pool={"name": "nowhere"}), 400, "nowhere"),
    Row("a policy's pool is not given by id", tree(**TO_POOL, redirect_pool_id=GONE), 400, "redirect_pool_id"),
    Row("a policy to a pool needs one", tree(**TO_POOL), 400, "redirect_pool"),
    Row("a policy with rules", tree(**REJECT, rules=[RULE]), 201,
        {"listeners": [{"l7policies": [{"action": "REJECT", "rules": [{"value": "/a"}]}]}]}),
    Row("policies are in the order of their positions",
        full({**HTTP, "l7policies": [{**REJECT, "name": "b", "position": 2}, {**REJECT, "name": "a", "position": 1}]}),
        201, {"listeners": [{"l7policies": [{"name": "a", "position": 1}, {"name": "b", "position": 2}]}]}),
    Row("policies without positions keep their order",
        full({**HTTP, "l7policies": [{**REJECT, "name": "b"}, {**REJECT, "name": "a"}]}), 201,
        {"listeners": [{"l7policies": [{"name": "b", "position": 1}, {"name": "a", "position": 2}]}]}),
    Row("up to 50 rules", tree(**REJECT, rules=[RULE] * 50), 201),
    Row("51 rules", tree(**REJECT, rules=[RULE] * 51), 409, "50"),
    Row("members and a monitor in a pool", full(pools=[{**POOL, "members": [MEMBER], "healthmonitor": MONITOR}]), 201,
        {"pools": [{"members": [{"address": "192.0.2.10"}], "healthmonitor": {"type": "HTTP"}}]}),
    Row("members and a monitor in a pool in a listener",
        full({**HTTP, "default_pool": {**POOL, "members": [MEMBER], "healthmonitor": MONITOR}}), 201,
        {"pools": [{"members": [{"address": "192.0.2.10"}], "healthmonitor": {"type": "HTTP"}}]}),
    Row("a pool without a monitor", full(pools=[POOL]), 201, {"pools": [{"healthmonitor": None, "members": []}]}),
    Row("a null monitor is none", full(pools=[{**POOL, "healthmonitor": None}]), 201,
        {"pools": [{"healthmonitor": None}]}),
    Row("children have the project of their load balancer",
        full({**HTTP, "project_id": "another"}, pools=[{**POOL, "members": [MEMBER]}], project_id="mine"), 201,
        {"listeners": [{"project_id": "mine"}],
         "pools": [{"project_id": "mine", "members": [{"project_id": "mine"}]}]}),
    Row("a plain create has two empty lists", new("loadbalancer"), 201, {"listeners": [], "pools": []}),
]  # fmt: skip
SAME_RULES = [
    Row("two listeners on one port", full(HTTP, HTTP), 409, "80"),
    Row("TCP and UDP on one port", full(HTTP, {"protocol": "UDP", "protocol_port": 80}), 201, count(listeners=2)),
    Row("the same member twice", full(pools=[{**POOL, "members": [MEMBER, MEMBER]}]), 409, "192.0.2.10"),
    Row("a pool that does not fit", full({**HTTP, "default_pool": {**POOL, "protocol": "UDP"}}), 400, "UDP"),
    Row("a redirect pool that does not fit",
        tree(**TO_POOL, redirect_pool={**POOL, "name": "other", "protocol": "TCP"}), 400, "TCP"),
    Row("an unknown attribute of a listener", full({**HTTP, "colour": "red"}), 400, "colour"),
    Row("an unknown attribute of a pool", full(pools=[{**POOL, "colour": "red"}]), 400, "colour"),
    Row("an unknown attribute of a member", full(pools=[{**POOL, "members": [{**MEMBER, "colour": 1}]}]), 400,
        "colour"),
    Row("an unknown attribute of a monitor", full(pools=[{**POOL, "healthmonitor": {**MONITOR, "colour": 1}}]), 400,
        "colour"),
    Row("an unknown attribute of a policy", tree(**REJECT, colour="red"), 400, "colour"),
    Row("an unknown attribute of a rule", tree(**REJECT, rules=[{**RULE, "colour": "red"}]), 400, "colour"),
    Row("a listener's port out of bounds", full({**HTTP, "protocol_port": 0}), 400, "protocol_port"),
    Row("a member's weight out of bounds", full(pools=[{**POOL, "members": [{**MEMBER, "weight": 257}]}]), 400,
        "weight"),
    Row("a monitor's retries out of bounds", full(pools=[{**POOL, "healthmonitor": {**MONITOR, "max_retries": 11}}]),
        400, "max_retries"),
    Row("a rule that does not parse", tree(**REJECT, rules=[{**RULE, "compare_type": "REGEX", "value": "["}]), 400,
        "Error parsing L7Rule"),
    Row("a policy without its URL", tree(action="REDIRECT_TO_URL"), 400, "redirect_url"),
    Row("persistence rules", full(pools=[{**POOL, "session_persistence": {"type": "APP_COOKIE"}}]), 400, "cookie_name"),
    Row("SOURCE_IP_PORT is served", full(pools=[{**POOL, "lb_algorithm": "SOURCE_IP_PORT"}]), 201,
        {"pools": [{"lb_algorithm": "SOURCE_IP_PORT"}]}),
    Row("no policies on TCP", full({"protocol": "TCP", "protocol_port": 80, "l7policies": [REJECT]}), 501, "TCP"),
    Row("no policies on Prometheus",
        full({"protocol": "PROMETHEUS", "protocol_port": 80, "l7policies": [REJECT]}), 400, "child objects"),
    Row("no pool on Prometheus", full({"protocol": "PROMETHEUS", "protocol_port": 80, "default_pool": POOL}), 400,
        "child objects"),
    Row("PING may be switched off",
        asking("no ping", full(pools=[{**POOL, "healthmonitor": {**MONITOR, "type": "PING"}}])), 400, "PING"),
    Row("a member's subnet must be there", full(pools=[{**POOL, "members": [{**MEMBER, "subnet_id": GONE}]}]), 400,
        f"Subnet {GONE} not found"),
    Row("a monitor that does not fit", full(pools=[{**POOL, "healthmonitor": {**MONITOR, "type": "SCTP"}}]), 400,
        "SCTP"),
    Row("headers on TCP", full({"protocol": "TCP", "protocol_port": 80, "insert_headers": {"X-Forwarded-For": "true"}}),
        400, "insert_headers"),
    Row("terminated HTTPS without a certificate", full({"protocol": "TERMINATED_HTTPS", "protocol_port": 443}), 400,
        "certificate"),
    Row("allowed networks of another version", full({**HTTP, "allowed_cidrs": ["2001:db8::/64"]}), 400,
        "2001:db8::/64"),
    Row("security groups beside allowed networks",
        full({**HTTP, "allowed_cidrs": ["192.0.2.0/24"]}, vip_sg_ids=["{group}"]), 400, "vip_sg_ids"),
    Row("UDP members of another version",
        full(pools=[{**POOL, "protocol": "UDP", "members": [{**MEMBER, "address": "2001:db8::1"}]}]), 501, "version"),
    Row("nothing is left of a refused one", full({**HTTP, "protocol_port": 0}), 400, None, (),
        [(listed("loadbalancer", "project_id={project}"), [])]),
    Row("all of it is ACTIVE afterwards", named("it", "loadbalancer", listeners=[
        {**HTTP, "default_pool": {**POOL, "members": [MEMBER], "healthmonitor": MONITOR}, "l7policies": [
            {**REJECT, "rules": [RULE]}]}]), 201, {"provisioning_status": "PENDING_CREATE"}, (),
        [(SETTLED, None), (get("loadbalancers/{it}/status"), {"loadbalancer": {
            "provisioning_status": "ACTIVE", "listeners": [{"provisioning_status": "ACTIVE", "pools": [
                {"provisioning_status": "ACTIVE", "health_monitor": {"provisioning_status": "ACTIVE"},
                 "members": [{"provisioning_status": "ACTIVE"}]}]}]}})]),
    Row("the GET of it has ids alone", show("loadbalancer"), 200,
        {"listeners": [{"id": "{listener}"}], "pools": [{"id": "{pool}"}]}, [show("listener"), show("pool")]),
]  # fmt: skip

TABLES = [
    Table("5", "Single-call create: names and references", REFERENCES),
    Table("5", "Single-call create: the rules of single creates hold", SAME_RULES),
]


@each(TABLES)
def test_single_call(bench: Bench, row: Row) -> None:
    check(bench, row)
