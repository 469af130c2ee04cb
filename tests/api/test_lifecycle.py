"""What edits do to the objects and to those around them."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from octavia.api.app import build
from octavia.api.ports import Services
from octavia.domain.graph import Graph
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.refusal import Conflict, NotOffered, Refusal
from octavia.store.engine import Database
from octavia.store.tables import TABLES
from tests.api.world import Api, FakeNetwork


def conclude(database: Database, load_balancer_id: str) -> None:
    """As if a visit had put every edit in force."""
    table = TABLES[LoadBalancer]
    done = table.update().where(table.c.id == load_balancer_id).values(observed=table.c.generation)
    database.write(lambda connection: connection.execute(done))


def status(api: Api, path: str) -> str:
    return str(next(iter(api.get(f"/v2/{path}").values()))["provisioning_status"])


def test_edits_show_until_they_are_in_force(api: Api, database: Database) -> None:
    top = api.load_balancer()
    assert status(api, f"loadbalancers/{top}") == "PENDING_CREATE"
    conclude(database, top)
    assert status(api, f"loadbalancers/{top}") == "ACTIVE"
    listener, pool = api.listener(top), api.pool(top)
    assert status(api, f"listeners/{listener}") == "PENDING_CREATE"
    assert status(api, f"loadbalancers/{top}") == "PENDING_UPDATE"
    conclude(database, top)
    api.put(f"pools/{pool}", "pool")
    assert status(api, f"pools/{pool}") == "PENDING_UPDATE"
    assert status(api, f"listeners/{listener}") == "ACTIVE"
    api.delete(f"listeners/{listener}")
    assert status(api, f"listeners/{listener}") == "PENDING_DELETE"


def test_a_member_changes_its_pool_and_listener(api: Api, database: Database) -> None:
    top = api.load_balancer()
    pool = api.pool(top)
    listener = api.listener(top, default_pool_id=pool)
    conclude(database, top)
    member = api.member(pool)
    assert [status(api, path) for path in (f"pools/{pool}", f"listeners/{listener}")] == ["PENDING_UPDATE"] * 2
    assert status(api, f"pools/{pool}/members/{member}") == "PENDING_CREATE"


def test_put_merges_and_null_restores(api: Api) -> None:
    top = api.load_balancer(name="one", description="two", tags=["b", "a", "a"])
    changed = api.put(f"loadbalancers/{top}", "loadbalancer", description=None, tags=None, admin_state_up="no")
    assert (changed["name"], changed["description"], changed["admin_state_up"]) == ("one", "", False)
    assert changed["tags"] == ["a", "b"]
    assert api.put(f"loadbalancers/{top}", "loadbalancer", tags=[])["tags"] == []


def test_texts_are_numbers_and_words_are_booleans(api: Api) -> None:
    listener = api.listener(api.load_balancer(), "8080", connection_limit="7", admin_state_up="off")
    shown = api.get(f"/v2/listeners/{listener}")["listener"]
    assert (shown["protocol_port"], shown["connection_limit"], shown["admin_state_up"]) == (8080, 7, False)


def test_children_belong_to_the_project_of_their_load_balancer(api: Api) -> None:
    top = api.load_balancer(project_id="mine")
    listener = api.listener(top, project_id="yours", tenant_id="theirs")
    shown = api.get(f"/v2/listeners/{listener}")["listener"]
    assert (shown["project_id"], shown["tenant_id"]) == ("mine", "mine")


def test_eight_at_once_lose_nothing(api: Api) -> None:
    top = api.load_balancer()
    pool = api.pool(top)

    def edit(thread: int) -> None:
        for number in range(5):
            api.member(pool, f"192.0.2.{thread * 10 + number}")
            api.put(f"pools/{pool}", "pool", description=str(thread))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(edit, range(8)))
    seen = api.get(f"/v2/octavia/loadbalancers/{top}/progress")["progress"]
    assert seen["generation"] == 2 + 8 * 5 * 2
    assert len(api.get(f"/v2/pools/{pool}")["pool"]["members"]) == 40


def test_whose_a_load_balancer_is(api: Api) -> None:
    wish = {"loadbalancer": {"vip_subnet_id": "demo"}}
    headers = {"X-Project-Id": "from-header"}

    def project(**fields: str) -> str:
        body = {"loadbalancer": wish["loadbalancer"] | fields}
        return str(api.expect(201, "POST", "/v2/loadbalancers", body, headers=headers)["loadbalancer"]["project_id"])

    assert project(project_id="from-body") == "from-body"
    assert project(tenant_id="tenant") == "tenant"
    assert project() == "from-header"
    assert api.post("loadbalancers", "loadbalancer", vip_subnet_id="demo")["project_id"] == "0" * 32


def test_delete_refuses_children_unless_it_cascades(api: Api) -> None:
    top = api.load_balancer()
    api.listener(top)
    answer = api.delete(f"loadbalancers/{top}", 400)
    assert answer["faultstring"].startswith(f"Cannot delete Load Balancer {top} - it has children")
    api.delete(f"loadbalancers/{top}", 400, query_string="cascade=perhaps")
    api.delete(f"loadbalancers/{top}", 400, query_string="colour=red")
    api.delete(f"loadbalancers/{top}", query_string="cascade=true")
    assert status(api, f"loadbalancers/{top}") == "PENDING_DELETE"


def test_nothing_changes_under_a_load_balancer_that_goes(api: Api) -> None:
    top = api.load_balancer()
    pool = api.pool(top)
    listener, member, monitor = api.listener(top), api.member(pool), api.monitor(pool)
    api.delete(f"loadbalancers/{top}", query_string="cascade=1")
    answer = api.put(f"loadbalancers/{top}", "loadbalancer", 409, name="x")
    assert answer["faultstring"] == f"Invalid state PENDING_DELETE of loadbalancer resource {top}"
    api.delete(f"loadbalancers/{top}", 409)
    answer = api.put(f"listeners/{listener}", "listener", 409, name="x")
    assert answer["faultstring"].startswith(f"Load Balancer {top} is immutable and cannot be updated")
    for path in (
        f"listeners/{listener}",
        f"pools/{pool}",
        f"pools/{pool}/members/{member}",
        f"healthmonitors/{monitor}",
    ):
        api.delete(path, 409)
    api.post("listeners", "listener", 409, loadbalancer_id=top, protocol="HTTP", protocol_port=81)
    api.post("pools", "pool", 409, loadbalancer_id=top, protocol="HTTP", lb_algorithm="ROUND_ROBIN")
    api.post(f"pools/{pool}/members", "member", 409, address="192.0.2.3", protocol_port=80)
    api.expect(409, "PUT", f"/v2/pools/{pool}/members", {"members": []})


def test_what_hangs_on_a_pool_goes_with_it(api: Api) -> None:
    top = api.load_balancer()
    pool = api.pool(top)
    listener, member, monitor = api.listener(top, default_pool_id=pool), api.member(pool), api.monitor(pool)
    api.delete(f"pools/{pool}")
    assert status(api, f"pools/{pool}/members/{member}") == status(api, f"healthmonitors/{monitor}") == "PENDING_DELETE"
    assert api.get(f"/v2/listeners/{listener}")["listener"]["default_pool_id"] is None
    api.put(f"pools/{pool}", "pool", 409)
    api.post(f"pools/{pool}/members", "member", 409, address="192.0.2.3", protocol_port=80)
    api.delete(f"loadbalancers/{top}", 400)
    api.delete(f"listeners/{listener}")
    api.delete(f"loadbalancers/{top}")


def test_a_port_is_free_as_soon_as_its_listener_goes(api: Api) -> None:
    top = api.load_balancer()
    listener = api.listener(top)
    api.delete(f"listeners/{listener}")
    api.listener(top)


def test_new_members_of_a_watched_pool_are_offline(api: Api) -> None:
    pool = api.pool(api.load_balancer())
    before = api.member(pool)
    api.monitor(pool)
    after = api.member(pool, "192.0.2.51")
    shown = {row["id"]: row["operating_status"] for row in api.get(f"/v2/pools/{pool}/members")["members"]}
    assert shown == {before: "NO_MONITOR", after: "OFFLINE"}


@pytest.mark.parametrize("path", ["status", "statuses"])
def test_the_status_tree(api: Api, path: str) -> None:
    top = api.load_balancer(name="top")
    pool = api.pool(top, name="pool")
    listener = api.listener(top, name="listener", default_pool_id=pool)
    bare = api.listener(top, 81)
    member, monitor = api.member(pool, name="member"), api.monitor(pool, name="monitor")
    new: dict[str, Any] = {"operating_status": "OFFLINE", "provisioning_status": "PENDING_CREATE"}
    assert api.get(f"/v2/loadbalancers/{top}/{path}")["statuses"]["loadbalancer"] == {
        "id": top,
        "name": "top",
        **new,
        "listeners": [
            {
                "id": listener,
                "name": "listener",
                **new,
                "pools": [
                    {
                        "id": pool,
                        "name": "pool",
                        **new,
                        "health_monitor": {
                            "id": monitor,
                            "name": "monitor",
                            "type": "HTTP",
                            **new,
                            "operating_status": api.get(f"/v2/healthmonitors/{monitor}")["healthmonitor"][
                                "operating_status"
                            ],
                        },
                        "members": [
                            {
                                "id": member,
                                "name": "member",
                                **new,
                                "operating_status": "NO_MONITOR",
                                "address": "192.0.2.50",
                                "protocol_port": 80,
                            }
                        ],
                    }
                ],
            },
            {"id": bare, "name": "", **new, "pools": []},
        ],
    }
    api.get(f"/v2/loadbalancers/{top}/{path}", 400, query_string="colour=red")


def test_statistics(api: Api) -> None:
    top = api.load_balancer()
    listener = api.listener(top)
    nothing = dict.fromkeys(("bytes_in", "bytes_out", "active_connections", "total_connections", "request_errors"), 0)
    assert api.get(f"/v2/loadbalancers/{top}/stats") == {"stats": nothing}
    assert api.get(f"/v2/listeners/{listener}/stats") == {"stats": nothing}
    api.get(f"/v2/listeners/{listener}/stats", 400, query_string="colour=red")


def test_progress(api: Api) -> None:
    top = api.load_balancer(name="top")
    api.listener(top)
    seen = api.get(f"/v2/octavia/loadbalancers/{top}/progress")["progress"]
    assert (seen["load_balancer_id"], seen["generation"], seen["observed"]) == (top, 2, 0)
    assert seen["request_id"].startswith("req-")
    assert api.get("/v2.0/octavia/loadbalancers")["loadbalancers"] == [seen]


def no_udp(graph: Graph) -> list[Refusal]:
    return [
        NotOffered(f"{listener.name} is not rendered") for listener in graph.listeners if listener.protocol == "UDP"
    ]


def test_what_the_data_plane_cannot_do_is_501_once(services: Services) -> None:
    api = Api(build(services))
    top = api.load_balancer()
    api.listener(top, 53, protocol="UDP", name="old")
    strict = Api(build(replace_services(services, offered=no_udp)))
    answer = strict.post(
        "listeners", "listener", 501, loadbalancer_id=top, protocol="UDP", protocol_port=54, name="new"
    )
    assert answer == {"faultcode": "Server", "faultstring": "new is not rendered", "debuginfo": None}
    strict.listener(top, 80)


def test_a_refused_create_leaves_no_address_taken(services: Services, network: FakeNetwork) -> None:
    api = Api(build(replace_services(services, offered=lambda graph: [NotOffered("This is not offered here.")])))
    api.post("loadbalancers", "loadbalancer", 501, vip_subnet_id="demo")
    assert network.made == {}


def test_low_ports_that_cannot_be_bound(services: Services) -> None:
    api = Api(build(replace_services(services, lowest_port=1024)))
    top = api.load_balancer()
    answer = api.post("listeners", "listener", 400, loadbalancer_id=top, protocol="HTTP", protocol_port=80)
    assert "Choose a port from 1024 on" in answer["faultstring"]
    api.listener(top, 1024)


def replace_services(services: Services, **changed: Any) -> Services:
    return dataclasses.replace(services, **changed)


def test_a_conflict_in_the_store_is_told(services: Services) -> None:
    """Refusals leave with the status of their class, wherever they are raised."""

    def busy(graph: Graph) -> list[Refusal]:
        raise Conflict("Something else has it.")

    api = Api(build(replace_services(services, offered=busy)))
    assert (
        api.post("loadbalancers", "loadbalancer", 409, vip_subnet_id="demo")["faultstring"] == "Something else has it."
    )
