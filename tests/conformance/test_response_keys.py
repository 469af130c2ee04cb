"""Exactly the keys that clients count, on POST, GET, PUT and in lists."""

from tests.conformance.bench import Bench
from tests.conformance.language import SETTLED, Ask, Fact, Row, Table, change, get, keys, listed, new, show
from tests.conformance.nouns import OCTAVIA, SERVED
from tests.conformance.suite import check, each
from tests.conformance.test_single_call import HTTP, MEMBER, MONITOR, POOL, REJECT, RULE, full

COMMON = (
    "id name description provisioning_status operating_status admin_state_up project_id tenant_id created_at updated_at"
)
KEYS = {
    "loadbalancer": f"{COMMON} vip_address vip_port_id vip_subnet_id vip_network_id vip_qos_policy_id vip_vnic_type "
    "vip_sg_ids additional_vips listeners pools provider flavor_id availability_zone tags",
    "listener": f"{COMMON} protocol protocol_port connection_limit default_pool_id default_tls_container_ref "
    "sni_container_refs l7policies loadbalancers insert_headers timeout_client_data timeout_member_connect "
    "timeout_member_data timeout_tcp_inspect client_authentication client_ca_tls_container_ref "
    "client_crl_container_ref allowed_cidrs tls_ciphers tls_versions alpn_protocols hsts_max_age "
    "hsts_include_subdomains hsts_preload tags",
    "pool": f"{COMMON} protocol lb_algorithm session_persistence loadbalancers listeners members tls_enabled "
    "tls_container_ref ca_tls_container_ref crl_container_ref tls_ciphers tls_versions alpn_protocols tags",
    "member": "id name provisioning_status operating_status admin_state_up address protocol_port weight backup "
    "subnet_id monitor_address monitor_port vnic_type project_id tenant_id created_at updated_at tags",
    "healthmonitor": "id name type delay timeout max_retries max_retries_down http_method url_path expected_codes "
    "http_version domain_name pools provisioning_status operating_status admin_state_up project_id tenant_id "
    "created_at updated_at tags",
    "l7policy": f"{COMMON} listener_id action redirect_pool_id redirect_url redirect_prefix redirect_http_code "
    "position rules tags",
    "rule": "id type compare_type key value invert provisioning_status operating_status admin_state_up project_id "
    "tenant_id created_at updated_at tags",
    "flavor": "id name description enabled flavor_profile_id",
    "flavorprofile": "id name provider_name flavor_data",
    "availability_zone": "name description enabled availability_zone_profile_id",
    "availability_zone_profile": "id name provider_name availability_zone_data",
}
NO_CHANGE = {"flavorprofile", "availability_zone_profile", "flavor", "availability_zone"}
CHANGES = {noun: {"description" if noun.endswith(("flavor", "zone")) else "name": "x"} for noun in NO_CHANGE}
NEW = {"rule": {"invert": True}}
STATISTICS = keys("bytes_in bytes_out active_connections total_connections request_errors")
QUOTA = keys(
    "project_id tenant_id loadbalancer load_balancer listener pool member healthmonitor health_monitor l7policy l7rule"
)
AMPHORA = keys(
    "id loadbalancer_id compute_id lb_network_ip vrrp_ip ha_ip vrrp_port_id ha_port_id cert_expiration cert_busy role "
    "status vrrp_interface vrrp_id vrrp_priority cached_zone created_at updated_at image_id compute_flavor"
)


def each_of(fact: Fact) -> Fact:
    return Fact(f"items with {fact}", lambda items: len(items) > 0 and all(fact.holds(item) for item in items))


def of(noun: str) -> list[Row]:
    expected = keys(KEYS[noun])
    query = "project_id={project}" if noun in SERVED else ""
    fields = CHANGES.get(noun) or NEW.get(noun) or {"name": "x"}
    return [
        *([] if noun == "loadbalancer" else [Row(f"POST {noun}: its keys", new(noun), 201, expected)]),
        Row(f"GET {noun}: its keys", show(noun), 200, expected),
        Row(f"PUT {noun}: its keys", change(noun, **fields), 200, expected),
        Row(f"list of {noun}: its keys", listed(noun, query), 200, each_of(expected), [show(noun)]),
    ]


WITH_MONITOR = keys(KEYS["pool"], "healthmonitor_id")
WHOLE = full(
    {
        **HTTP,
        "default_pool": {**POOL, "members": [MEMBER], "healthmonitor": MONITOR},
        "l7policies": [{**REJECT, "rules": [RULE]}],
    }
)


def less(noun: str, *names: str, more: str = "") -> Fact:
    return keys(*(name for name in KEYS[noun].split() if name not in names), more)


OTHERS = [
    Row("a pool with a monitor has healthmonitor_id too", show("pool"), 200, WITH_MONITOR, [show("healthmonitor")]),
    Row("stats of a load balancer", show("loadbalancer", "/stats"), 200, STATISTICS),
    Row("stats of a listener", show("listener", "/stats"), 200, STATISTICS),
    Row("stats are numbers", show("loadbalancer", "/stats"), 200,
        Fact("integers", lambda found: all(type(value) is int for value in found.values()))),
    Row("a quota of a project", get("quotas/{project}"), 200, QUOTA),
    Row("a list of quotas", get("quotas"), 200, each_of(QUOTA),
        [Ask("PUT", "/v2/lbaas/quotas/{project}", {"quota": {"pool": 5}})]),
    Row("an amphora", Ask("GET", f"{OCTAVIA}/amphorae", query="loadbalancer_id={loadbalancer}"), 200, each_of(AMPHORA),
        [show("loadbalancer"), SETTLED]),
]  # fmt: skip
NESTED = [
    Row("POST load balancer: its keys", new("loadbalancer"), 201, keys(KEYS["loadbalancer"])),
    Row("a nested listener", WHOLE, 201, {"listeners": [less("listener", "loadbalancers")]}),
    Row("a nested policy", WHOLE, 201, {"listeners": [{"l7policies": [keys(KEYS["l7policy"])]}]}),
    Row("a nested rule", WHOLE, 201, {"listeners": [{"l7policies": [{"rules": [keys(KEYS["rule"])]}]}]}),
    Row("a nested pool", WHOLE, 201, {"pools": [less("pool", "loadbalancers", more="healthmonitor")]}),
    Row("a nested member", WHOLE, 201, {"pools": [{"members": [keys(KEYS["member"])]}]}),
    Row("a nested monitor", WHOLE, 201, {"pools": [{"healthmonitor": less("healthmonitor", "pools")}]}),
]
TREE = [
    Row("its root is statuses", show("loadbalancer", "/status"), 200, keys("loadbalancer")),
    Row("/statuses is another name", show("loadbalancer", "/statuses"), 200, keys("loadbalancer")),
    Row("the load balancer", show("loadbalancer", "/status"), 200,
        {"loadbalancer": keys("id name operating_status provisioning_status listeners")}),
    Row("a listener", show("loadbalancer", "/status"), 200,
        {"loadbalancer": {"listeners": [keys("id name operating_status provisioning_status pools")]}},
        [show("listener")]),
    Row("a pool", show("loadbalancer", "/status"), 200, {"loadbalancer": {"listeners": [{"pools": [
        keys("id name provisioning_status operating_status health_monitor members")]}]}}, [show("served pool")]),
    Row("no monitor is null", show("loadbalancer", "/status"), 200,
        {"loadbalancer": {"listeners": [{"pools": [{"health_monitor": None, "members": []}]}]}}, [show("served pool")]),
    Row("a monitor", show("loadbalancer", "/status"), 200, {"loadbalancer": {"listeners": [{"pools": [{"health_monitor":
        keys("id name type provisioning_status operating_status")}]}]}},
        [new("healthmonitor", pool_id="{served pool}")]),
    Row("a member", show("loadbalancer", "/status"), 200, {"loadbalancer": {"listeners": [{"pools": [{"members": [
        keys("id name operating_status provisioning_status address protocol_port")]}]}]}},
        [Ask("POST", "/v2/lbaas/pools/{served pool}/members", {"member": MEMBER})]),
    Row("a pool that nobody uses is not in it", show("loadbalancer", "/status"), 200,
        {"loadbalancer": {"listeners": []}}, [show("pool")]),
    Row("pools of policies are under their listener", show("loadbalancer", "/status"), 200,
        {"loadbalancer": {"listeners": [{"id": "{listener}", "pools": [{"id": "{pool}"}]}]}},
        [show("REDIRECT_TO_POOL l7policy")]),
    Row("a pool that listener and policy use is there once", show("loadbalancer", "/status"), 200,
        {"loadbalancer": {"listeners": [{"pools": [{"id": "{pool}"}]}]}},
        [change("listener", default_pool_id="{pool}"), show("REDIRECT_TO_POOL l7policy")]),
]  # fmt: skip
DATES = [
    Row(f"{noun}: dates are ISO 8601 without a zone", show(noun), 200, {
        "created_at": Fact("a date", lambda text: len(text) == 19 and text[10] == "T"), "updated_at": None})
    for noun in SERVED
] + [
    Row(f"{noun}: a PUT sets updated_at", change(noun, admin_state_up=True), 200,
        {"updated_at": Fact("a date", lambda text: text is not None and len(text) == 19)})
    for noun in SERVED
]  # fmt: skip

TABLES = [
    *(Table("13", f"Keys of each noun: {noun.replace('_', ' ')}", of(noun)) for noun in KEYS),
    Table("13", "Keys of everything else", OTHERS),
    Table("13", "Keys inside the POST of a load balancer", NESTED),
    Table("5", "The status tree", TREE),
    Table("1", "Dates", DATES),
]


@each(TABLES)
def test_keys(bench: Bench, row: Row) -> None:
    check(bench, row)
