"""Whatever is wrong with a request is a 4xx with a sentence, and changes nothing."""

import json
from typing import Any, NamedTuple

import pytest

from octavia.api.door import LARGEST_BODY
from octavia.api.ports import Services
from octavia.domain.load_balancer import LoadBalancer
from octavia.store.query import Query
from tests.api.world import Api


class World(NamedTuple):
    load_balancer: str
    listener: str
    pool: str
    member: str
    monitor: str


@pytest.fixture
def world(api: Api) -> World:
    load_balancer = api.load_balancer(vip_address="192.0.2.77")
    pool = api.pool(load_balancer)
    return World(load_balancer, api.listener(load_balancer), pool, api.member(pool), api.monitor(pool))


LISTENER = {"loadbalancer_id": "{load_balancer}", "protocol": "HTTP", "protocol_port": 8080}
POOL = {"loadbalancer_id": "{load_balancer}", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}
MONITOR = {"pool_id": "{pool}", "type": "HTTP", "delay": 5, "timeout": 3, "max_retries": 2}
MEMBER = {"address": "192.0.2.60", "protocol_port": 80}
MEMBERS = "pools/{pool}/members"
LB = {"vip_subnet_id": "demo"}
GONE = "b7a3e9d2-0000-4000-8000-000000000000"

POSTS: list[tuple[int, str, str, Any]] = [
    (400, "loadbalancers", "loadbalancer", {}),
    (400, "loadbalancers", "loadbalancer", LB | {"colour": "red"}),
    (400, "loadbalancers", "loadbalancer", LB | {"id": GONE}),
    (400, "loadbalancers", "loadbalancer", LB | {"provisioning_status": "ACTIVE"}),
    (400, "loadbalancers", "loadbalancer", LB | {"admin_state_up": "perhaps"}),
    (400, "loadbalancers", "loadbalancer", LB | {"name": "x" * 256}),
    (400, "loadbalancers", "loadbalancer", LB | {"name": 7}),
    (400, "loadbalancers", "loadbalancer", LB | {"name": "nul\0"}),
    (400, "loadbalancers", "loadbalancer", LB | {"tags": "one"}),
    (400, "loadbalancers", "loadbalancer", LB | {"tags": [1]}),
    (400, "loadbalancers", "loadbalancer", LB | {"project_id": "x" * 37}),
    (400, "loadbalancers", "loadbalancer", LB | {"provider": "nobody"}),
    (400, "loadbalancers", "loadbalancer", LB | {"flavor_id": GONE}),
    (400, "loadbalancers", "loadbalancer", LB | {"availability_zone": "mars"}),
    (400, "loadbalancers", "loadbalancer", {"vip_subnet_id": "nowhere"}),
    (400, "loadbalancers", "loadbalancer", {"vip_network_id": "nowhere"}),
    (400, "loadbalancers", "loadbalancer", {"vip_port_id": "nowhere"}),
    (400, "loadbalancers", "loadbalancer", {"vip_network_id": "net-1", "vip_subnet_id": "other"}),
    (400, "loadbalancers", "loadbalancer", {"vip_network_id": "net-1", "vip_address": "203.0.113.5"}),
    (400, "loadbalancers", "loadbalancer", LB | {"vip_address": "203.0.113.5"}),
    (400, "loadbalancers", "loadbalancer", LB | {"vip_address": "no address"}),
    (400, "loadbalancers", "loadbalancer", LB | {"additional_vips": [{"subnet_id": "nowhere"}]}),
    (400, "loadbalancers", "loadbalancer", LB | {"additional_vips": [{"subnet_id": "demo"}]}),
    (400, "loadbalancers", "loadbalancer", LB | {"additional_vips": [{"subnet_id": "other"}]}),
    (400, "loadbalancers", "loadbalancer", LB | {"additional_vips": [{}]}),
    (409, "loadbalancers", "loadbalancer", LB | {"vip_address": "192.0.2.77"}),
    (400, "loadbalancers", "loadbalancer", LB | {"listeners": [{"protocol": "HTTP"}]}),
    (400, "loadbalancers", "loadbalancer", LB | {"listeners": {}}),
    (400, "loadbalancers", "loadbalancer", LB | {"pools": [7]}),
    (400, "listeners", "listener", LISTENER | {"colour": "red"}),
    (400, "listeners", "listener", LISTENER | {"protocol_port": "eighty"}),
    (400, "listeners", "listener", LISTENER | {"protocol_port": 0}),
    (400, "listeners", "listener", LISTENER | {"protocol_port": 65536}),
    (400, "listeners", "listener", LISTENER | {"protocol_port": None}),
    (400, "listeners", "listener", LISTENER | {"protocol_port": 10**40}),
    (400, "listeners", "listener", LISTENER | {"protocol": "GOPHER"}),
    (400, "listeners", "listener", LISTENER | {"loadbalancer_id": None}),
    (400, "listeners", "listener", LISTENER | {"loadbalancer_id": {}}),
    (400, "listeners", "listener", LISTENER | {"connection_limit": -2}),
    (400, "listeners", "listener", LISTENER | {"insert_headers": {"X-Nonsense": "true"}}),
    (400, "listeners", "listener", LISTENER | {"default_pool": {"name": "x"}}),
    (404, "listeners", "listener", LISTENER | {"loadbalancer_id": GONE}),
    (404, "listeners", "listener", LISTENER | {"default_pool_id": GONE}),
    (409, "listeners", "listener", LISTENER | {"protocol_port": 80}),
    (400, "pools", "pool", {"protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}),
    (400, "pools", "pool", POOL | {"lb_algorithm": None}),
    (400, "pools", "pool", POOL | {"members": []}),
    (400, "pools", "pool", POOL | {"loadbalancer_id": GONE, "listener_id": "{listener}"}),
    (400, "pools", "pool", POOL | {"listener_id": "{listener}", "protocol": "UDP"}),
    (404, "pools", "pool", POOL | {"loadbalancer_id": GONE}),
    (404, "pools", "pool", {"protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", "listener_id": GONE}),
    (400, MEMBERS, "member", MEMBER | {"address": "no address"}),
    (400, MEMBERS, "member", MEMBER | {"address": "192.0.2.1/24"}),
    (400, MEMBERS, "member", MEMBER | {"weight": 257}),
    (400, MEMBERS, "member", MEMBER | {"subnet_id": "nowhere"}),
    (400, MEMBERS, "member", MEMBER | {"pool_id": GONE}),
    (400, MEMBERS, "member", {"address": "192.0.2.60"}),
    (409, MEMBERS, "member", MEMBER | {"address": "192.0.2.50"}),
    (404, f"pools/{GONE}/members", "member", MEMBER),
    (400, "healthmonitors", "healthmonitor", MONITOR | {"pool_id": None}),
    (400, "healthmonitors", "healthmonitor", MONITOR | {"max_retries": 11}),
    (400, "healthmonitors", "healthmonitor", MONITOR | {"type": "GUESS"}),
    (404, "healthmonitors", "healthmonitor", MONITOR | {"pool_id": GONE}),
    (409, "healthmonitors", "healthmonitor", MONITOR),
]


def filled(value: Any, world: World) -> Any:
    """The value with the ids of this world in it."""
    if isinstance(value, dict):
        return {name: filled(item, world) for name, item in value.items()}
    return value.format(**world._asdict()) if isinstance(value, str) and value.startswith(("{", "pools/{")) else value


def state(services: Services, world: World) -> Any:
    with services.store.read() as reader:
        return reader.graph(world.load_balancer), len(reader.page(LoadBalancer, Query())), services.network.ports()


@pytest.mark.parametrize(("status", "path", "root", "wish"), POSTS)
def test_post(api: Api, services: Services, world: World, status: int, path: str, root: str, wish: Any) -> None:
    before = state(services, world)
    answer = api.expect(status, "POST", f"/v2/{filled(path, world)}", {root: filled(wish, world)})
    assert len(answer.get("faultstring") or answer.get("description")) > 10
    assert state(services, world) == before


PUTS: list[tuple[int, str, str, Any]] = [
    (400, "loadbalancers/{load_balancer}", "loadbalancer", {"vip_address": "192.0.2.9"}),
    (400, "loadbalancers/{load_balancer}", "loadbalancer", {"colour": "red"}),
    (400, "listeners/{listener}", "listener", {"protocol_port": 81}),
    (400, "listeners/{listener}", "listener", {"loadbalancer_id": GONE}),
    (400, "listeners/{listener}", "listener", {"timeout_client_data": -1}),
    (404, "listeners/{listener}", "listener", {"default_pool_id": GONE}),
    (400, "pools/{pool}", "pool", {"lb_algorithm": None}),
    (400, "pools/{pool}", "pool", {"session_persistence": {"type": "APP_COOKIE"}}),
    (400, "pools/{pool}/members/{member}", "member", {"address": "192.0.2.9"}),
    (404, f"pools/{GONE}/members/{{member}}", "member", {"weight": 2}),
    (404, f"pools/{{pool}}/members/{GONE}", "member", {"weight": 2}),
    (404, f"healthmonitors/{GONE}", "healthmonitor", {}),
    (400, "healthmonitors/{monitor}", "healthmonitor", {"delay": None}),
]


@pytest.mark.parametrize(("status", "path", "root", "wish"), PUTS)
def test_put(api: Api, services: Services, world: World, status: int, path: str, root: str, wish: Any) -> None:
    before = state(services, world)
    path = path.format(**world._asdict())
    answer = api.expect(status, "PUT", f"/v2/{path}", {root: filled(wish, world)})
    assert len(answer.get("faultstring") or answer.get("description")) > 10
    assert state(services, world) == before


BODIES: list[tuple[int, bytes, str]] = [
    (400, b"", "application/json"),
    (400, b"no json", "application/json"),
    (400, b"\xff\xfe", "application/json"),
    (400, b"[" * 50_000, "application/json"),
    (400, b"[]", "application/json"),
    (400, b"null", "application/json"),
    (400, b"{}", "application/json"),
    (400, b'{"loadbalancer": null}', "application/json"),
    (400, b'{"loadbalancer": []}', "application/json"),
    (400, b'{"listener": {}}', "application/json"),
    (400, b'{"loadbalancer": {"vip_subnet_id": "demo"}, "more": 1}', "application/json"),
    (400, b'{"loadbalancer": {"vip_subnet_id": "demo", "name": 1e999}}', "application/json"),
    (400, b'{"loadbalancer": {"vip_subnet_id": "demo", "name": "\\ud800"}}', "application/json"),
    (413, b" " * (LARGEST_BODY + 1), "application/json"),
    (413, b" " * 2_000_000, "application/json"),
    (415, b'{"loadbalancer": {"vip_subnet_id": "demo"}}', "text/plain"),
    (415, b'{"loadbalancer": {"vip_subnet_id": "demo"}}', ""),
]


@pytest.mark.parametrize(("status", "body", "kind"), BODIES)
def test_body(api: Api, status: int, body: bytes, kind: str) -> None:
    answer = api.expect(status, "POST", "/v2/loadbalancers", headers={"Content-Type": kind}, body_=body)
    assert len(answer.get("faultstring") or answer.get("description")) > 10
    assert api.get("/v2/loadbalancers")["loadbalancers"] == []


REQUESTS: list[tuple[int, str, str, dict[str, str]]] = [
    (404, "GET", "/nothing", {}),
    (404, "GET", "/v2/l7", {}),
    (404, "GET", f"/v2/l7policies/{GONE}", {}),
    (404, "GET", f"/v2/l7policies/{GONE}/rules", {}),
    (404, "GET", "/v2/loadbalancers/a/b", {}),
    (404, "GET", "/v2/lbaas/octavia/loadbalancers", {}),
    (404, "GET", f"/v2/loadbalancers/{GONE}", {}),
    (404, "GET", f"/v2/loadbalancers/{GONE}/status", {}),
    (404, "GET", f"/v2/loadbalancers/{GONE}/stats", {}),
    (404, "GET", f"/v2/listeners/{GONE}/stats", {}),
    (404, "GET", f"/v2/pools/{GONE}/members", {}),
    (404, "GET", f"/v2/octavia/loadbalancers/{GONE}/progress", {}),
    (404, "DELETE", f"/v2/pools/{GONE}", {}),
    (405, "PATCH", "/v2/loadbalancers", {}),
    (405, "DELETE", "/v2/loadbalancers", {}),
    (405, "HEAD", "/v2/loadbalancers", {}),
    (405, "POST", "/v2/subnets", {}),
    (405, "POST", "/healthcheck", {}),
    (406, "GET", "/v2/loadbalancers", {"Accept": "text/html"}),
    (406, "GET", "/v2/loadbalancers", {"Accept": "///"}),
    (400, "GET", "/v2/loadbalancers", {"X-Project-Id": "x" * 37}),
]


@pytest.mark.parametrize(("status", "method", "path", "headers"), REQUESTS)
def test_request(api: Api, status: int, method: str, path: str, headers: dict[str, str]) -> None:
    result = api.ask(method, path, headers=headers)
    assert result.status_code == status
    assert result.headers["x-openstack-request-id"].startswith("req-")
    assert method == "HEAD" or len(result.json.get("faultstring") or result.json.get("description")) > 10
    assert ("Allow" in result.headers) == (status == 405)


def test_a_missing_object_says_which(api: Api) -> None:
    assert api.get(f"/v2/loadbalancers/{GONE}", 404) == {
        "faultcode": "Client",
        "faultstring": f"Load Balancer {GONE} not found.",
        "debuginfo": None,
    }


def test_an_unknown_address_has_the_other_shape(api: Api) -> None:
    assert set(api.get("/v2/nothing", 404)) == {"code", "title", "description"}
    assert set(api.get(f"/v2/pools/{GONE}/members", 404)) == {"code", "title", "description"}


def test_the_listener_of_a_pool_has_one_already(api: Api, world: World) -> None:
    first: dict[str, Any] = {"listener_id": world.listener, "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}
    made = api.post("pools", "pool", **first)
    assert made["listeners"] == [{"id": world.listener}]
    assert api.get(f"/v2/listeners/{world.listener}")["listener"]["default_pool_id"] == made["id"]
    api.post("pools", "pool", 409, **first)


def test_json_with_a_charset_is_json(api: Api) -> None:
    body = json.dumps({"loadbalancer": LB})
    api.expect(
        201, "POST", "/v2/loadbalancers", body_=body, headers={"Content-Type": "application/json; charset=utf-8"}
    )
