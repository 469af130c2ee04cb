"""Who may do what, with a real Keystone: tokens over the wire, openstacksdk, and the official client."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest

from tests.e2e.identity import Answer, Cloud, environment
from tests.e2e.stage import HERE, ROOT

SUBNET = "11111111-1111-4111-8111-111111111111"
REFUSED = {
    "faultcode": "Client",
    "faultstring": "Policy does not allow this request to be performed.",
    "debuginfo": None,
}
USERS = ("admin", "member", "reader", "other", "cook", "service")
LB = "/v2/lbaas/loadbalancers"


class World(NamedTuple):
    """What a member has made in project one, and a token of each user."""

    cloud: Cloud
    tokens: dict[str, str]
    ids: dict[str, str]

    def ask(self, user: str, verb: str, path: str, body: Any = None, **headers: str) -> Answer:
        return self.cloud.api.ask(verb, path.format(**self.ids), self.tokens[user], body, **headers)


@pytest.fixture(scope="module")
def world(keystone_cloud: Cloud) -> World:
    made = World(keystone_cloud, {user: keystone_cloud.token(user) for user in USERS}, {})
    keystone = keystone_cloud.keystone
    made.ids.update(one=keystone.id_of("project", "one"), two=keystone.id_of("project", "two"))
    populate(made)
    return made


def populate(world: World) -> None:
    def make(name: str, path: str, user: str = "member", /, **fields: Any) -> None:
        root = "rule" if name == "rule" else name.rstrip("2")
        filled = {key: value.format(**world.ids) if isinstance(value, str) else value for key, value in fields.items()}
        answer = world.ask(user, "POST", path, {root: filled})
        assert answer.status == 201, answer
        world.ids[name] = answer.body[root]["id"]

    make("loadbalancer", LB, vip_subnet_id=SUBNET, name="ours")
    make("listener", "/v2/lbaas/listeners", loadbalancer_id="{loadbalancer}", protocol="HTTP", protocol_port=80)
    make("pool", "/v2/lbaas/pools", listener_id="{listener}", protocol="HTTP", lb_algorithm="ROUND_ROBIN")
    make("member", "/v2/lbaas/pools/{pool}/members", address="192.0.2.1", protocol_port=80)
    monitor = {"type": "TCP", "delay": 1, "timeout": 1, "max_retries": 1}
    make("healthmonitor", "/v2/lbaas/healthmonitors", pool_id="{pool}", **monitor)
    make("l7policy", "/v2/lbaas/l7policies", listener_id="{listener}", action="REJECT")
    make("rule", "/v2/lbaas/l7policies/{l7policy}/rules", type="PATH", compare_type="EQUAL_TO", value="/")
    make("loadbalancer2", LB, "other", vip_subnet_id=SUBNET, name="theirs")
    until_settled(world)
    amphorae = world.ask("admin", "GET", "/v2/octavia/amphorae?loadbalancer_id={loadbalancer}").body["amphorae"]
    world.ids["amphora"] = amphorae[0]["id"]


def until_settled(world: World) -> None:
    deadline = time.monotonic() + 60
    while any(lb["provisioning_status"] != "ACTIVE" for lb in world.ask("admin", "GET", LB).body["loadbalancers"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)


READ, WRITE, ADMIN = {"admin", "member", "reader"}, {"admin", "member"}, {"admin"}
EVERYWHERE = {"admin", "member", "reader", "other"}
"""Who has a role with a meaning in some project: what belongs to no project is read by them all."""
NIL = "00000000-0000-4000-8000-000000000000"

# Verb, path, body, who may. Whoever may gets no 403: changes are empty, and what is to be created is wrong in itself.
MATRIX: list[tuple[str, str, Any, set[str]]] = [
    ("GET", "/loadbalancers/{loadbalancer}", None, READ),
    ("GET", "/loadbalancers/{loadbalancer}/stats", None, READ),
    ("GET", "/loadbalancers/{loadbalancer}/status", None, READ),
    ("PUT", "/loadbalancers/{loadbalancer}", {"loadbalancer": {}}, WRITE),
    ("PUT", "/loadbalancers/{loadbalancer}", {"loadbalancer": {"vip_sg_ids": []}}, WRITE),
    ("DELETE", "/loadbalancers/{loadbalancer}", None, WRITE),
    ("GET", "/listeners/{listener}", None, READ),
    ("GET", "/listeners/{listener}/stats", None, READ),
    ("PUT", "/listeners/{listener}", {"listener": {}}, WRITE),
    ("GET", "/pools/{pool}", None, READ),
    ("PUT", "/pools/{pool}", {"pool": {}}, WRITE),
    ("GET", "/pools/{pool}/members", None, READ | {"service"}),
    ("GET", "/pools/{pool}/members/{member}", None, READ),
    ("PUT", "/pools/{pool}/members/{member}", {"member": {}}, WRITE),
    ("PUT", "/pools/{pool}/members?additive_only=true", {"members": []}, WRITE),
    ("GET", "/healthmonitors/{healthmonitor}", None, READ),
    ("PUT", "/healthmonitors/{healthmonitor}", {"healthmonitor": {}}, WRITE),
    ("GET", "/l7policies/{l7policy}", None, READ),
    ("PUT", "/l7policies/{l7policy}", {"l7policy": {"name": "x"}}, WRITE),
    ("GET", "/l7policies/{l7policy}/rules", None, READ),
    ("GET", "/l7policies/{l7policy}/rules/{rule}", None, READ),
    ("PUT", "/l7policies/{l7policy}/rules/{rule}", {"rule": {}}, WRITE),
    ("GET", "/quotas/{one}", None, READ),
    ("GET", "/quotas/{one}/default", None, READ),
    ("PUT", "/quotas/{one}", {"quota": {"pool": 100}}, ADMIN),
    ("GET", "/providers", None, EVERYWHERE),
    ("GET", "/providers/amphora/flavor_capabilities", None, ADMIN),
    ("GET", "/providers/amphora/availability_zone_capabilities", None, ADMIN),
    ("GET", "/flavors", None, EVERYWHERE),
    ("GET", "/flavors/" + NIL, None, EVERYWHERE),
    ("POST", "/flavors", {"flavor": {"name": "x", "flavor_profile_id": NIL}}, ADMIN),
    ("PUT", "/flavors/" + NIL, {"flavor": {}}, ADMIN),
    ("DELETE", "/flavors/" + NIL, None, ADMIN),
    ("GET", "/flavorprofiles", None, ADMIN),
    ("GET", "/availabilityzones", None, EVERYWHERE),
    ("DELETE", "/availabilityzones/mars", None, ADMIN),
    ("GET", "/availabilityzoneprofiles", None, ADMIN),
    ("GET", "/v2/octavia/amphorae", None, ADMIN),
    ("GET", "/v2/octavia/amphorae/{amphora}", None, ADMIN),
    ("GET", "/v2/octavia/amphorae/{amphora}/stats", None, ADMIN),
    ("PUT", "/v2/octavia/amphorae/{amphora}/config", None, ADMIN),
    ("DELETE", "/v2/octavia/amphorae/{amphora}", None, ADMIN),
    ("GET", "/v2/octavia/loadbalancers", None, ADMIN),
    ("GET", "/v2/octavia/loadbalancers/{loadbalancer}/progress", None, ADMIN),
    # These two last, because the amphora is another one then.
    ("PUT", "/v2/octavia/amphorae/{amphora}/failover", None, ADMIN),
    ("PUT", "/loadbalancers/{loadbalancer}/failover", None, ADMIN),
]


@pytest.mark.parametrize(("verb", "path", "body", "who"), MATRIX)
def test_the_role_matrix(world: World, verb: str, path: str, body: Any, who: set[str]) -> None:
    address = path if path.startswith("/v2") else f"/v2/lbaas{path}"
    for user in sorted(USERS, key=lambda user: user in who):
        answer = world.ask(user, verb, address, body)
        if user in who:
            assert answer.status not in (401, 403, 500, 503), (user, answer)
        else:
            assert (answer.status, answer.body) == (403, REFUSED), (user, answer)


CREATED = [
    ("loadbalancers", {"loadbalancer": {"vip_subnet_id": SUBNET, "project_id": "{one}"}}),
    ("listeners", {"listener": {"loadbalancer_id": "{loadbalancer}", "protocol": "TCP", "protocol_port": 81}}),
    ("pools", {"pool": {"loadbalancer_id": "{loadbalancer}", "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN"}}),
    ("pools/{pool}/members", {"member": {"address": "192.0.2.9", "protocol_port": 1}}),
    ("l7policies", {"l7policy": {"listener_id": "{listener}", "action": "REJECT"}}),
    ("l7policies/{l7policy}/rules", {"rule": {"type": "PATH", "compare_type": "EQUAL_TO", "value": "/x"}}),
]


@pytest.mark.parametrize(("path", "body"), CREATED)
def test_who_may_create(world: World, path: str, body: dict[str, dict[str, Any]]) -> None:
    root = next(iter(body))
    filled = {
        root: {key: value.format(**world.ids) if isinstance(value, str) else value for key, value in body[root].items()}
    }
    address = f"/v2/lbaas/{path}"
    for user in ("reader", "other", "cook", "service"):
        answer = world.ask(user, "POST", address, filled)
        assert (answer.status, answer.body) == (403, REFUSED), (user, answer)
    made = world.ask("member", "POST", address, filled)
    assert made.status == 201, made
    assert made.body[root]["project_id"] == world.ids["one"]
    assert world.ask("member", "DELETE", f"{address}/{made.body[root]['id']}").status == 204


def names(answer: Answer) -> set[str]:
    return {lb["name"] for lb in answer.body["loadbalancers"]}


def test_lists_show_what_is_the_callers(world: World) -> None:
    assert names(world.ask("reader", "GET", LB)) >= {"ours"}
    assert "theirs" not in names(world.ask("reader", "GET", LB))
    assert names(world.ask("other", "GET", LB)) == {"theirs"}
    assert names(world.ask("admin", "GET", LB)) >= {"ours", "theirs"}
    assert names(world.ask("admin", "GET", LB + "?project_id={two}")) == {"theirs"}
    assert names(world.ask("other", "GET", LB + "?project_id={two}")) == {"theirs"}
    assert names(world.ask("other", "GET", LB + "?name=ours")) == set()
    for user, project in [("reader", "{two}"), ("other", "{one}"), ("cook", "{one}"), ("service", "{one}")]:
        answer = world.ask(user, "GET", f"{LB}?project_id={project}")
        assert (answer.status, answer.body) == (403, REFUSED), user
    for user in ("cook", "service"):
        assert world.ask(user, "GET", LB).status == 403


def test_another_projects_pool_is_no_ones_default(world: World) -> None:
    theirs = {"loadbalancer_id": "{loadbalancer2}", "protocol": "HTTP", "protocol_port": 80}
    wish = {key: value.format(**world.ids) if isinstance(value, str) else value for key, value in theirs.items()}
    answer = world.ask(
        "other", "POST", "/v2/lbaas/listeners", {"listener": wish | {"default_pool_id": world.ids["pool"]}}
    )
    assert answer.status == 404, answer


def test_a_token_for_the_whole_cloud(world: World) -> None:
    token = world.cloud.keystone.token("admin", scope={"system": {"all": True}})
    assert names(world.cloud.api.ask("GET", LB, token)) >= {"ours", "theirs"}
    made = world.cloud.api.ask("POST", LB, token, {"loadbalancer": {"vip_subnet_id": SUBNET}})
    assert made.status == 400, "it is for no project"


def test_a_token_for_a_domain(world: World) -> None:
    token = world.cloud.keystone.token("admin", scope={"domain": {"id": "default"}})
    assert world.cloud.api.ask("GET", LB, token).status == 403


@pytest.mark.parametrize("token", [None, "", "garbled", "gAAAAABrBbvh" + "x" * 200, "é", "a" * 8000])
def test_a_token_that_is_none(world: World, token: str | None) -> None:
    refused_401(world, world.cloud.api.ask("GET", LB, token))


def refused_401(world: World, answer: Answer) -> None:
    assert answer.status == 401, answer
    said = {"code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication."}
    assert answer.body == {"error": said}
    assert answer.headers["WWW-Authenticate"] == f'Keystone uri="{world.cloud.keystone.url}"'
    assert answer.headers["x-openstack-request-id"].startswith("req-")


def test_headers_are_no_identity(world: World) -> None:
    posing = {"X_Roles": "admin", "X_Project_Id": world.ids["one"], "X_User_Id": "u", "X_Identity_Status": "Confirmed"}
    posing |= {"OpenStack_System_Scope": "all", "X_Is_Admin_Project": "True", "X_Service_Identity_Status": "Confirmed"}
    refused_401(world, world.cloud.api.ask("GET", LB, None, **posing))
    assert names(world.ask("other", "GET", LB, **posing)) == {"theirs"}
    assert world.ask("other", "GET", LB + "/{loadbalancer}", **posing).status == 403


def test_an_expired_token(world: World) -> None:
    token = world.cloud.keystone.expired_token("member", "one")
    refused_401(world, world.cloud.api.ask("GET", LB, token))
    # A service may finish what a user has begun; whoever is no service may not.
    passed_on = world.cloud.api.ask("GET", LB, token, X_Service_Token=world.tokens["service"])
    assert names(passed_on) >= {"ours"}
    refused_401(world, world.cloud.api.ask("GET", LB, token, X_Service_Token=world.tokens["other"]))


@pytest.mark.parametrize("path", ["/", "/healthcheck", "/load-balancer/", "/load-balancer/healthcheck"])
def test_what_everybody_may_ask(world: World, path: str) -> None:
    assert world.cloud.api.ask("GET", path, None).status == 200


@pytest.mark.parametrize("path", ["/v2", "/v2.0", "/v2.0/subnets", "/nowhere", "/load-balancer/v2/lbaas/pools"])
def test_what_nobody_may_ask_without_a_token(world: World, path: str) -> None:
    refused_401(world, world.cloud.api.ask("GET", path, None))


def test_the_official_sdk(world: World) -> None:
    argv = [sys.executable, str(HERE / "sdk_roles.py"), world.ids["loadbalancer"]]
    extra = {"OS_CLIENT_CONFIG_FILE": str(world.cloud.clouds), "HOME": str(world.cloud.clouds.parent)}
    done = subprocess.run(
        argv, env=environment() | extra, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    asked = ("sees it in the list", "shows it", "changes it", "creates one", "makes a flavor")
    assert json.loads(done.stdout) == {
        user: dict(zip(asked, expected, strict=True))
        for user, expected in {
            "admin": (True, True, True, True, True),
            "member": (True, True, True, True, 403),
            "reader": (True, True, 403, 403, 403),
            "other": (False, 403, 403, True, 403),
            "service": (403, 403, 403, 403, 403),
        }.items()
    }


def test_the_official_client(world: World) -> None:
    """Each command takes a second and more, so they run at once."""
    found = world.ids["loadbalancer"]
    lines = [
        ("member", "list -f json", 0, found),
        ("admin", "list -f json", 0, world.ids["loadbalancer2"]),
        ("other", "list -f json", 0, world.ids["loadbalancer2"]),
        ("reader", f"show {found} -f json", 0, found),
        ("reader", f"create --vip-subnet-id {SUBNET}", 1, REFUSED["faultstring"]),
        ("member", f"create --vip-subnet-id {SUBNET} --name by-client -f json", 0, world.ids["one"]),
    ]

    def run(line: tuple[str, str, int, Any]) -> "subprocess.CompletedProcess[str]":
        return world.cloud.run(line[0], "loadbalancer", *line[1].split())

    with ThreadPoolExecutor(3) as pool:
        for (user, words, code, text), done in zip(lines, pool.map(run, lines), strict=True):
            assert done.returncode == code, (user, words, done)
            assert str(text) in done.stdout + done.stderr, (user, words, done)
    assert world.ids["loadbalancer2"] not in world.cloud.run("member", "loadbalancer", "list").stdout
