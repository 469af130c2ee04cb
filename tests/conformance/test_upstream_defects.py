"""Where upstream answers 500, or misleads: our better answer."""

from tests.conformance.bench import Bench
from tests.conformance.language import SETTLED, Ask, Fact, Row, Table, batch, change, get, listed, named, new, put, show
from tests.conformance.nouns import GONE, LBAAS, SERVED
from tests.conformance.suite import check, each

DRIFT = [
    *(Row(f"PUT of a {noun} is 200", change(noun, admin_state_up=True), 200) for noun in SERVED),
    Row("PUT of a quota is 202", put("quotas/{project}", {"quota": {}}), 202),
    Row("DELETE of a quota is 202", Ask("DELETE", f"{LBAAS}/quotas/{{project}}"), 202, None,
        [put("quotas/{project}", {"quota": {"pool": 1}})]),
    Row("/quotas/defaults are the defaults", get("quotas/defaults"), 200, {"pool": -1, "load_balancer": -1}),
    Row("the version of HTTP is null by default", new("healthmonitor"), 201, {"http_version": None}),
    Row("the provider is amphora by default", new("loadbalancer"), 201, {"provider": "amphora"}),
    Row("the tree says health_monitor", show("loadbalancer", "/status"), 200,
        {"loadbalancer": {"listeners": [{"pools": [{"health_monitor": None}]}]}}, [show("served pool")]),
]  # fmt: skip
FIVE_HUNDREDS = [
    *(Row(f"POST {noun} without its root key", Ask("POST", new(noun).path, {}), 400, noun) for noun in SERVED),
    *(Row(f"PUT {noun} without its root key", Ask("PUT", change(noun).path, {}), 400, noun) for noun in SERVED),
    Row("default_pool in POST /listeners", new("listener", default_pool={"name": "p"}), 400, "default_pool"),
    Row("l7policies in POST /listeners", new("listener", l7policies=[]), 400, "l7policies"),
    Row("members in POST /pools", new("pool", members=[]), 400, "members"),
    Row("a pool of an unknown listener", new("pool", loadbalancer_id=None, listener_id=GONE), 404, "Listener"),
    Row("a flavor of an unknown profile", new("flavor", flavor_profile_id=GONE), 400, GONE),
    Row("a zone of an unknown profile", new("availability_zone", availability_zone_profile_id=GONE), 400, GONE),
    Row("a filter that is repeated", listed("loadbalancer", "name=a&name=b"), 400, "duplicate"),
    Row("a filter by a list", listed("loadbalancer", "listeners=x"), 400, "invalid"),
    Row("a filter by an object", listed("pool", "session_persistence=x"), 400, "invalid"),
    Row("protocol_port: null says what is missing", new("listener", protocol_port=None), 400, "protocol_port"),
    *(Row(f"POST {noun}: a tag twice counts once", new(noun, tags=["a", "a"]), 201, {"tags": ["a"]})
      for noun in SERVED),
    *(Row(f"PUT {noun}: a tag twice counts once", change(noun, tags=["a", "a"]), 200, {"tags": ["a"]})
      for noun in SERVED),
    Row("a network twice on PUT", change("listener", allowed_cidrs=["192.0.2.0/24", "192.0.2.0/24"]), 200,
        {"allowed_cidrs": ["192.0.2.0/24"]}),
    Row("lb_algorithm: null", change("pool", lb_algorithm=None), 400, "lb_algorithm"),
    Row("tls_enabled: null", change("pool", tls_enabled=None), 200, {"tls_enabled": False}),
    Row("a flavor's name that is taken, on PUT", change("flavor", name="other flavor of {project}"), 409, None,
        [show("other flavor")]),
    Row("a zone's marker", get("availabilityzones", "name={availability_zone}&marker={availability_zone}"), 200, []),
    Row("a zone's marker that is not there", get("availabilityzones", "marker=mars"), 400, None),
    Row("members: null in a batch", put("pools/{pool}/members", {"members": None}), 400, "members"),
    Row("additional_vips: null", new("loadbalancer", additional_vips=None), 201, {"additional_vips": []}),
    Row("weight: null", new("member", weight=None), 201, {"weight": 1}),
    Row("max_retries_down: null", new("healthmonitor", max_retries_down=None), 201, {"max_retries_down": 3}),
    Row("flavor_id: null", new("loadbalancer", flavor_id=None), 201, {"flavor_id": None}),
    Row("availability_zone: null", new("loadbalancer", availability_zone=None), 201, {"availability_zone": None}),
    Row("SOURCE_IP_PORT is served", new("pool", lb_algorithm="SOURCE_IP_PORT"), 201,
        {"lb_algorithm": "SOURCE_IP_PORT"}),
    Row("an empty list of TLS versions", new("listener", tls_versions=[]), 400, "tls_versions"),
    Row("both parents of a pool are checked", new("pool", listener_id="{foreign listener}"), 400, None),
    Row("security groups and allowed networks, from the other side", change("loadbalancer", vip_sg_ids=["{group}"]),
        400, "allowed_cidrs", [change("listener", allowed_cidrs=["192.0.2.0/24"])]),
    Row("the last certificate of a listener", change("TERMINATED_HTTPS listener", default_tls_container_ref=None), 400,
        "certificate"),
    Row("a rule under another policy", get("l7policies/{other l7policy}/rules/{rule}"), 404, None),
    Row("no member is left in ERROR", batch(), 202, None,
        [named("m", "member", subnet_id="{subnet}"), show("other pool"), SETTLED],
        [(SETTLED, None), (listed("member"), []), (show("loadbalancer"), {"provisioning_status": "ACTIVE"})]),
    Row("GET /v2 is an object", Ask("GET", "/v2"), 200, Fact("an object", lambda answer: isinstance(answer, dict))),
]  # fmt: skip

TABLES = [
    Table("Defects of upstream", "Where its documentation and its code differ", DRIFT),
    Table("Defects of upstream", "Better answers than 500", FIVE_HUNDREDS),
]


@each(TABLES)
def test_better(bench: Bench, row: Row) -> None:
    check(bench, row)
