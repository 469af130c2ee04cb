"""Answers have exactly the keys that clients count."""

from typing import Any

from tests.api.world import Api

COMMON = set(
    "id name description provisioning_status operating_status admin_state_up project_id tenant_id "
    "created_at updated_at tags".split()
)
LOAD_BALANCER = COMMON | set(
    "vip_address vip_port_id vip_subnet_id vip_network_id vip_qos_policy_id vip_vnic_type vip_sg_ids additional_vips "
    "listeners pools provider flavor_id availability_zone".split()
)
LISTENER = COMMON | set(
    "protocol protocol_port connection_limit default_pool_id default_tls_container_ref sni_container_refs l7policies "
    "loadbalancers insert_headers timeout_client_data timeout_member_connect timeout_member_data timeout_tcp_inspect "
    "client_authentication client_ca_tls_container_ref client_crl_container_ref allowed_cidrs tls_ciphers tls_versions "
    "alpn_protocols hsts_max_age hsts_include_subdomains hsts_preload".split()
)
POOL = COMMON | set(
    "protocol lb_algorithm session_persistence loadbalancers listeners members tls_enabled tls_container_ref "
    "ca_tls_container_ref crl_container_ref tls_ciphers tls_versions alpn_protocols".split()
)
MEMBER = set(
    "id name provisioning_status operating_status admin_state_up address protocol_port weight backup subnet_id "
    "monitor_address monitor_port vnic_type project_id tenant_id created_at updated_at tags".split()
)
MONITOR = set(
    "id name type delay timeout max_retries max_retries_down http_method url_path expected_codes http_version "
    "domain_name pools provisioning_status operating_status admin_state_up project_id tenant_id created_at updated_at "
    "tags".split()
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
