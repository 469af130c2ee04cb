"""Answers have exactly the keys that clients count."""

import re
from typing import Any

from tests.api.world import Api


def words(text: str) -> set[str]:
    return set(text.split())


COMMON = words(
    "id name description provisioning_status operating_status admin_state_up project_id tenant_id "
    "created_at updated_at tags"
)
LOAD_BALANCER = COMMON | words(
    "vip_address vip_port_id vip_subnet_id vip_network_id vip_qos_policy_id vip_vnic_type vip_sg_ids additional_vips "
    "listeners pools provider flavor_id availability_zone"
)
LISTENER = COMMON | words(
    "protocol protocol_port connection_limit default_pool_id default_tls_container_ref sni_container_refs l7policies "
    "loadbalancers insert_headers timeout_client_data timeout_member_connect timeout_member_data timeout_tcp_inspect "
    "client_authentication client_ca_tls_container_ref client_crl_container_ref allowed_cidrs tls_ciphers tls_versions "
    "alpn_protocols hsts_max_age hsts_include_subdomains hsts_preload"
)
POOL = COMMON | words(
    "protocol lb_algorithm session_persistence loadbalancers listeners members tls_enabled tls_container_ref "
    "ca_tls_container_ref crl_container_ref tls_ciphers tls_versions alpn_protocols"
)
MEMBER = words(
    "id name provisioning_status operating_status admin_state_up address protocol_port weight backup subnet_id "
    "monitor_address monitor_port vnic_type project_id tenant_id created_at updated_at tags"
)
MONITOR = words(
    "id name type delay timeout max_retries max_retries_down http_method url_path expected_codes http_version "
    "domain_name pools provisioning_status operating_status admin_state_up project_id tenant_id created_at updated_at "
    "tags"
)


def everywhere(api: Api, collection: str, root: str, identifier: str) -> list[dict[str, Any]]:
    """The object as GET, as a list item and as PUT show it."""
    listed = next(row for row in api.get(f"/v2/{collection}")[f"{root}s"] if row["id"] == identifier)
    path = f"{collection}/{identifier}"
    return [api.get(f"/v2/{path}")[root], listed, api.put(path, root, name="another")]


def test_every_noun_everywhere(api: Api) -> None:
    load_balancer = api.load_balancer()
    pool = api.pool(load_balancer, session_persistence={"type": "SOURCE_IP"})
    cases = [
        ("loadbalancers", "loadbalancer", load_balancer, LOAD_BALANCER),
        ("listeners", "listener", api.listener(load_balancer, default_pool_id=pool), LISTENER),
        ("pools", "pool", pool, POOL),
        (f"pools/{pool}/members", "member", api.member(pool), MEMBER),
        ("healthmonitors", "healthmonitor", api.monitor(pool), MONITOR),
        ("pools", "pool", pool, POOL | {"healthmonitor_id"}),
    ]
    for collection, root, identifier, keys in cases[-5:]:
        expected = keys | {"healthmonitor_id"} if root == "pool" else keys
        for found in everywhere(api, collection, root, identifier):
            assert set(found) == expected, root


def test_a_pool_without_a_monitor_has_no_such_key(api: Api) -> None:
    pool = api.pool(api.load_balancer())
    assert set(api.get(f"/v2/pools/{pool}")["pool"]) == POOL


def test_persistence_shows_all_of_its_keys(api: Api) -> None:
    pool = api.pool(api.load_balancer(), session_persistence={"type": "SOURCE_IP"})
    assert api.get(f"/v2/pools/{pool}")["pool"]["session_persistence"] == {
        "type": "SOURCE_IP",
        "cookie_name": None,
        "persistence_timeout": None,
        "persistence_granularity": None,
    }


def test_a_full_create_answers_in_full(api: Api) -> None:
    made = api.post(
        "loadbalancers",
        "loadbalancer",
        vip_subnet_id="demo",
        listeners=[{"protocol": "HTTP", "protocol_port": 80, "default_pool": {"name": "web"}}],
        pools=[
            {
                "name": "web",
                "protocol": "HTTP",
                "lb_algorithm": "ROUND_ROBIN",
                "members": [{"address": "192.0.2.9", "protocol_port": 80}],
                "healthmonitor": {"type": "HTTP", "delay": 5, "timeout": 3, "max_retries": 2},
            },
            {"name": "bare", "protocol": "TCP", "lb_algorithm": "SOURCE_IP"},
        ],
    )
    web, bare = made["pools"]
    assert set(made) == LOAD_BALANCER
    assert [set(row) for row in made["listeners"]] == [LISTENER - {"loadbalancers"}]
    assert made["listeners"][0]["default_pool_id"] == web["id"]
    assert set(web) == set(bare) == (POOL - {"loadbalancers"}) | {"healthmonitor"}
    assert set(web["members"][0]) == MEMBER
    assert set(web["healthmonitor"]) == MONITOR - {"pools"}
    assert (bare["members"], bare["healthmonitor"]) == ([], None)
    listed = api.get(f"/v2/loadbalancers/{made['id']}")["loadbalancer"]
    assert listed["listeners"] == [{"id": made["listeners"][0]["id"]}]
    assert {row["id"] for row in listed["pools"]} == {web["id"], bare["id"]}


def test_a_plain_create_has_empty_lists(api: Api) -> None:
    made = api.post("loadbalancers", "loadbalancer", vip_subnet_id="demo")
    assert (made["listeners"], made["pools"], made["additional_vips"], made["vip_sg_ids"]) == ([], [], [], [])


def test_dates_have_no_zone(api: Api) -> None:
    made = api.post("loadbalancers", "loadbalancer", vip_subnet_id="demo")
    assert made["updated_at"] is None
    assert "T" in made["created_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", made["created_at"])
    assert api.put(f"loadbalancers/{made['id']}", "loadbalancer")["updated_at"] is not None
