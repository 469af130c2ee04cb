"""What a running server answers to mistakes: a 4xx with a sentence that tells what to do, and nothing has changed."""

import http.client
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.e2e.stage import Stage

GONE = "b7a3e9d2-0000-4000-8000-000000000000"
JSON = {"Content-Type": "application/json"}


class World(NamedTuple):
    """A load balancer that is left alone; the tests ask for wrong things beside and below it."""

    stage: Stage
    ids: dict[str, str]

    def filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self.filled(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        return value.format(**self.ids) if isinstance(value, str) else value

    def ask(self, verb: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Any:
        """The status and the body of the answer."""
        with self.stage.near():
            connection = http.client.HTTPConnection("127.0.0.1", self.stage.port, timeout=30)
            connection.request(verb, path, body, headers or (JSON if body is not None else {}))
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
        assert answer.headers["x-openstack-request-id"].startswith("req-")
        return answer.status, json.loads(content) if content else {}

    def state(self) -> Any:
        """All that can be seen, but for what heartbeats and visits change without anybody's asking."""
        kinds = ("loadbalancers", "listeners", "pools", "healthmonitors", f"pools/{self.ids['pool']}/members")
        seen = [self.stage.call("GET", f"/{kind}") for kind in kinds]
        ports = self.ask("GET", "/v2.0/ports")
        progress = self.stage.call("GET", "/v2/octavia/loadbalancers")["loadbalancers"]
        generations = [(row["load_balancer_id"], row["generation"]) for row in progress]
        return seen, ports, generations, self.stage.amphorae()


@pytest.fixture(scope="module")
def world(shared_stage: Stage) -> World:
    stage = shared_stage
    made = stage.create(("198.18.12.1", 8080))
    ids = {"lb": made["id"], "vip": made["vip_address"], "subnet": stage.subnet(), "six": stage.subnet("demo6")}
    ids |= {"GONE": GONE, "pool": made["pools"][0]["id"], "listener": made["listeners"][0]["id"]}
    ids["member"] = stage.call("GET", f"/pools/{ids['pool']}/members")["members"][0]["id"]
    bare = {"loadbalancer_id": made["id"], "protocol": "HTTP", "protocol_port": 81}
    ids["bare"] = stage.call("POST", "/listeners", {"listener": bare})["listener"]["id"]
    pool = {"loadbalancer_id": made["id"], "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN"}
    ids["tcp"] = stage.call("POST", "/pools", {"pool": pool})["pool"]["id"]
    stage.active(made["id"])
    stage.until(lambda: settled(stage), "everything ONLINE")
    return World(stage, ids)


def settled(stage: Stage) -> bool:
    """Heartbeats have told all that they will tell."""
    rows = [row for kind in ("loadbalancers", "listeners") for row in stage.call("GET", f"/{kind}")[kind]]
    return all(row["operating_status"] == "ONLINE" for row in rows)


@pytest.fixture
def unchanged(world: World) -> Iterator[World]:
    """Nothing that can be seen is another after the test."""
    before = world.state()
    yield world
    assert world.state() == before


def told(status: int, answer: dict[str, Any]) -> str:
    """The sentence of a refusal."""
    assert 400 <= status < 500 or status == 501, (status, answer)
    sentence = str(answer.get("faultstring") or answer.get("description"))
    assert len(sentence.split()) > 3, answer
    assert sentence.endswith("."), answer
    assert "Traceback" not in sentence
    return sentence


LB: dict[str, Any] = {"vip_subnet_id": "{subnet}"}
LISTENER: dict[str, Any] = {"loadbalancer_id": "{lb}", "protocol": "HTTP", "protocol_port": 8080}
POOL: dict[str, Any] = {"loadbalancer_id": "{lb}", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}
MEMBER: dict[str, Any] = {"address": "198.18.12.2", "protocol_port": 80}
MONITOR: dict[str, Any] = {"pool_id": "{pool}", "type": "HTTP", "delay": 5, "timeout": 3, "max_retries": 2}
MEMBERS = "pools/{pool}/members"

WISHES: list[tuple[int, str, str, dict[str, Any], str]] = [
    (400, "loadbalancers", "loadbalancer", LB | {"colour": "red"}, "colour"),
    (400, "loadbalancers", "loadbalancer", {}, "vip_subnet_id"),
    (400, "loadbalancers", "loadbalancer", {"vip_subnet_id": "{GONE}"}, "{GONE}"),
    (400, "loadbalancers", "loadbalancer", {"vip_subnet_id": "nowhere"}, "nowhere"),
    (409, "loadbalancers", "loadbalancer", LB | {"vip_address": "{vip}"}, "{vip}"),
    (400, "loadbalancers", "loadbalancer", LB | {"vip_address": "203.0.113.1"}, "203.0.113.1"),
    (501, "loadbalancers", "loadbalancer", LB | {"additional_vips": [{"subnet_id": "{six}"}]}, "additional_vips"),
    (400, "listeners", "listener", LISTENER | {"colour": "red"}, "colour"),
    (400, "listeners", "listener", LISTENER | {"protocol_port": "eighty"}, "protocol_port"),
    (400, "listeners", "listener", LISTENER | {"connection_limit": "many"}, "connection_limit"),
    (400, "listeners", "listener", LISTENER | {"protocol_port": 0}, "protocol_port"),
    (400, "listeners", "listener", LISTENER | {"protocol_port": 65536}, "protocol_port"),
    (400, "listeners", "listener", LISTENER | {"protocol": "GOPHER"}, "GOPHER"),
    (400, "listeners", "listener", LISTENER | {"default_pool_id": "{tcp}"}, "TCP"),
    (409, "listeners", "listener", LISTENER | {"protocol_port": 80}, "already"),
    (404, "listeners", "listener", LISTENER | {"loadbalancer_id": "{GONE}"}, "{GONE}"),
    (501, "listeners", "listener", LISTENER | {"protocol": "UDP"}, "UDP"),
    (501, "listeners", "listener", LISTENER | {"protocol": "PROMETHEUS"}, "PROMETHEUS"),
    (501, "listeners", "listener", LISTENER | {"allowed_cidrs": ["198.18.0.0/20"]}, "allowed_cidrs"),
    (400, "pools", "pool", POOL | {"listener_id": "{bare}", "protocol": "TCP"}, "TCP"),
    (409, "pools", "pool", POOL | {"listener_id": "{listener}"}, "already"),
    (400, "pools", "pool", POOL | {"lb_algorithm": "BEST"}, "BEST"),
    (501, "pools", "pool", POOL | {"tls_enabled": True}, "tls_enabled"),
    (400, MEMBERS, "member", MEMBER | {"address": "no address"}, "no address"),
    (400, MEMBERS, "member", MEMBER | {"address": "198.18.12.256"}, "198.18.12.256"),
    (400, MEMBERS, "member", MEMBER | {"protocol_port": 0}, "protocol_port"),
    (400, MEMBERS, "member", MEMBER | {"protocol_port": 65536}, "protocol_port"),
    (400, MEMBERS, "member", MEMBER | {"weight": 257}, "weight"),
    (409, MEMBERS, "member", {"address": "198.18.12.1", "protocol_port": 8080}, "already"),
    (400, "healthmonitors", "healthmonitor", MONITOR | {"delay": "often"}, "delay"),
    (501, "healthmonitors", "healthmonitor", MONITOR | {"type": "PING"}, "PING"),
]


@pytest.mark.parametrize(("status", "path", "root", "wish", "about"), WISHES)
def test_a_wrong_wish(unchanged: World, status: int, path: str, root: str, wish: dict[str, Any], about: str) -> None:
    body = json.dumps({root: unchanged.filled(wish)}).encode()
    found, answer = unchanged.ask("POST", f"/v2.0/lbaas/{unchanged.filled(path)}", body)
    assert found == status, answer
    assert unchanged.filled(about) in told(found, answer)


CERTIFICATE = {"protocol": "TERMINATED_HTTPS", "default_tls_container_ref": "http://keys/v1/secrets/one"}


def test_tls_is_not_offered(unchanged: World) -> None:
    body = json.dumps({"listener": unchanged.filled(LISTENER | CERTIFICATE)}).encode()
    found, answer = unchanged.ask("POST", "/v2.0/lbaas/listeners", body)
    assert found == 501
    assert "TERMINATED_HTTPS" in told(found, answer)


EDITS: list[tuple[int, str, str, dict[str, Any]]] = [
    (400, "loadbalancers/{lb}", "loadbalancer", {"colour": "red"}),
    (400, "loadbalancers/{lb}", "loadbalancer", {"vip_address": "198.18.0.99"}),
    (400, "listeners/{listener}", "listener", {"connection_limit": "many"}),
    (400, "listeners/{listener}", "listener", {"protocol_port": 81}),
    (404, "listeners/{listener}", "listener", {"default_pool_id": "{GONE}"}),
    (400, "pools/{pool}", "pool", {"lb_algorithm": "BEST"}),
    (400, "pools/{pool}/members/{member}", "member", {"weight": -1}),
    (404, "pools/{pool}/members/{GONE}", "member", {"weight": 1}),
    (400, "loadbalancers/{lb}", "loadbalancer", {"vip_qos_policy_id": "{GONE}"}),
]


@pytest.mark.parametrize(("status", "path", "root", "wish"), EDITS)
def test_a_wrong_edit(unchanged: World, status: int, path: str, root: str, wish: dict[str, Any]) -> None:
    body = json.dumps({root: unchanged.filled(wish)}).encode()
    found, answer = unchanged.ask("PUT", f"/v2.0/lbaas/{unchanged.filled(path)}", body)
    assert found == status, answer
    told(found, answer)


BIG = json.dumps({"loadbalancer": {"vip_subnet_id": "demo", "description": "x" * 2_000_000}}).encode()
REQUESTS: list[tuple[int, str, str, bytes | None, dict[str, str]]] = [
    (400, "POST", "/v2.0/lbaas/loadbalancers", b"no json", JSON),
    (400, "POST", "/v2.0/lbaas/loadbalancers", b"", JSON),
    (400, "POST", "/v2.0/lbaas/loadbalancers", b"\xff\x00", JSON),
    (400, "POST", "/v2.0/lbaas/loadbalancers", b"{}", JSON),
    (400, "POST", "/v2.0/lbaas/loadbalancers", b'{"listener": {}}', JSON),
    (400, "PUT", "/v2.0/lbaas/loadbalancers/{lb}", b"{}", JSON),
    (413, "POST", "/v2.0/lbaas/loadbalancers", BIG, JSON),
    (413, "PUT", "/v2.0/lbaas/loadbalancers/{lb}", BIG, JSON),
    (415, "PUT", "/v2.0/lbaas/loadbalancers/{lb}", b"name=x", {"Content-Type": "application/x-www-form-urlencoded"}),
    (404, "GET", "/nothing", None, {}),
    (404, "GET", "/v2.0/lbaas/nothing", None, {}),
    (404, "GET", "/v2.0/lbaas/loadbalancers/{GONE}", None, {}),
    (404, "DELETE", "/v2.0/lbaas/loadbalancers/{GONE}", None, {}),
    (404, "DELETE", "/v2.0/lbaas/pools/{pool}/members/{GONE}", None, {}),
    (405, "PATCH", "/v2.0/lbaas/loadbalancers/{lb}", b"{}", JSON),
    (405, "DELETE", "/v2.0/lbaas/loadbalancers", None, {}),
    (405, "BREW", "/v2.0/lbaas/loadbalancers", None, {}),
    (405, "POST", "/v2.0/subnets", b'{"subnet": {}}', JSON),
    (406, "GET", "/v2.0/lbaas/loadbalancers", None, {"Accept": "text/html"}),
    (406, "GET", "/v2.0/lbaas/loadbalancers", None, {"Accept": "application/xml"}),
    (400, "GET", "/v2.0/lbaas/loadbalancers?colour=red", None, {}),
    (400, "GET", "/v2.0/lbaas/loadbalancers?limit=many", None, {}),
    (400, "GET", "/v2.0/lbaas/loadbalancers?marker={GONE}", None, {}),
    (400, "DELETE", "/v2.0/lbaas/loadbalancers/{lb}", None, {}),
    (400, "DELETE", "/v2.0/lbaas/loadbalancers/{lb}?cascade=perhaps", None, {}),
]


@pytest.mark.parametrize(("status", "verb", "path", "body", "headers"), REQUESTS)
def test_a_wrong_request(
    unchanged: World, status: int, verb: str, path: str, body: bytes | None, headers: dict[str, str]
) -> None:
    found, answer = unchanged.ask(verb, unchanged.filled(path), body, headers)
    assert found == status, answer
    told(found, answer)
