"""All members of a pool in one request."""

from typing import Any

import pytest

from octavia.api.ports import Services
from tests.api.world import Api


@pytest.fixture
def pool(api: Api) -> str:
    return api.pool(api.load_balancer())


def batch(api: Api, pool: str, members: Any, status: int = 202, query: str = "") -> Any:
    return api.expect(status, "PUT", f"/v2/pools/{pool}/members", {"members": members}, query_string=query)


def shown(api: Api, pool: str) -> dict[str, dict[str, Any]]:
    return {row["address"]: row for row in api.get(f"/v2/pools/{pool}/members")["members"]}


def at(address: str, **fields: Any) -> dict[str, Any]:
    return {"address": address, "protocol_port": 80, **fields}


def test_new_same_and_absent(api: Api, pool: str) -> None:
    kept = api.member(pool, "192.0.2.1", weight=9, name="first", monitor_port=99, subnet_id="demo")
    gone = api.member(pool, "192.0.2.2")
    assert batch(api, pool, [at("192.0.2.1", backup="yes"), at("192.0.2.3", weight="5", subnet_id=None)]) is None
    found = shown(api, pool)
    assert (found["192.0.2.1"]["id"], found["192.0.2.2"]["id"]) == (kept, gone)
    assert found["192.0.2.2"]["provisioning_status"] == "PENDING_DELETE"
    same = found["192.0.2.1"]
    assert (same["weight"], same["backup"], same["monitor_port"]) == (1, True, None)
    assert (same["name"], same["subnet_id"]) == ("first", "demo")
    assert found["192.0.2.3"]["weight"] == 5
    assert len(api.get(f"/v2/pools/{pool}")["pool"]["members"]) == 2


def test_additive(api: Api, pool: str) -> None:
    api.member(pool, "192.0.2.1")
    batch(api, pool, [at("192.0.2.2")], query="additive_only=true")
    assert {row["provisioning_status"] for row in shown(api, pool).values()} == {"PENDING_CREATE"}
    batch(api, pool, [], 400, query="additive_only=perhaps")


def test_an_empty_list_removes_all(api: Api, pool: str) -> None:
    api.member(pool, "192.0.2.1")
    batch(api, pool, [])
    assert api.get(f"/v2/pools/{pool}")["pool"]["members"] == []


def test_nothing_to_do_raises_no_generation(api: Api, pool: str, services: Services) -> None:
    def generation() -> int:
        top = api.get(f"/v2/pools/{pool}")["pool"]["loadbalancers"][0]["id"]
        return int(api.get(f"/v2/octavia/loadbalancers/{top}/progress")["progress"]["generation"])

    before = generation()
    batch(api, pool, [])
    batch(api, pool, [], query="additive_only=1")
    assert generation() == before
    batch(api, pool, [at("192.0.2.1")])
    assert generation() == before + 1


def test_twins(api: Api, pool: str) -> None:
    api.member(pool, "192.0.2.1")
    batch(api, pool, [at("192.0.2.1"), at("192.0.2.1")], 400)
    batch(api, pool, [at("192.0.2.2"), at("192.0.2.2")], 409)


@pytest.mark.parametrize(
    "members",
    [
        None,
        {},
        7,
        [7],
        [None],
        [{}],
        [at("nowhere")],
        [at("192.0.2.1", colour="red")],
        [at("192.0.2.1", subnet_id="x")],
    ],
)
def test_bad_batches(api: Api, pool: str, members: Any) -> None:
    batch(api, pool, members, 400)
    assert shown(api, pool) == {}


def test_servers_have_numbers_of_their_own(api: Api, pool: str, services: Services) -> None:
    batch(api, pool, [at("192.0.2.1"), at("192.0.2.2")])
    batch(api, pool, [at("192.0.2.3")])
    top = api.get(f"/v2/pools/{pool}")["pool"]["loadbalancers"][0]["id"]
    with services.store.read() as reader:
        assert sorted(member.server_id for member in reader.graph(top).members) == [1, 2, 3]
