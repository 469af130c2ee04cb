"""The official `openstack loadbalancer` command, unmodified, with stand-ins for all below the API."""

from collections.abc import Iterator
from typing import Any

import pytest

from octavia.api.ports import NOBODY
from tests.e2e.conftest import with_stand_ins
from tests.e2e.stage import Stage
from tests.e2e.test_clients import asked, openstack

SUBNET = "7548a719-347d-479c-9cfe-3cecbded0cb1"


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    yield from with_stand_ins()


def typed(stage: Stage, line: str) -> None:
    openstack(stage, *line.split())


def told(stage: Stage, line: str) -> Any:
    return asked(stage, *line.split())


def names(rows: list[dict[str, Any]], key: str = "name") -> list[str]:
    return [str(row[key]) for row in rows]


def test_what_operators_offer_is_chosen(stage: Stage) -> None:
    data = '{"loadbalancer_topology": "SINGLE"}'
    profiled = ("--provider", "amphora", "--flavor-data", data)
    profile = asked(stage, "flavorprofile", "create", "--name", "fp", *profiled)
    flavor = asked(stage, *("flavor", "create", "--name", "small", "--flavorprofile", "fp", "--description", "one"))
    assert (flavor["flavor_profile_id"], flavor["enabled"]) == (profile["id"], True)
    words = ("availabilityzoneprofile", "create", "--name", "zp", "--provider", "amphora")
    asked(stage, *words, "--availability-zone-data", '{"compute_zone": "a"}')
    asked(stage, "availabilityzone", "create", "--name", "here", "--availabilityzoneprofile", "zp")
    chosen = ("--flavor", "small", "--availability-zone", "here")
    made = asked(stage, "create", "--name", "chosen", "--vip-subnet-id", SUBNET, *chosen, "--wait")
    assert (made["flavor_id"], made["availability_zone"], made["vip_subnet_id"]) == (flavor["id"], "here", SUBNET)
    assert names(asked(stage, "flavor", "list")) == ["small"]
    assert names(asked(stage, "availabilityzone", "list")) == ["here"]
    refused = openstack(stage, "flavor", "delete", "small", check=False)
    assert "in use" in refused.stdout + refused.stderr
    openstack(stage, "flavor", "set", "small", "--disable")
    refused = openstack(stage, "create", "--vip-subnet-id", SUBNET, "--flavor", "small", check=False)
    assert "disabled" in refused.stdout + refused.stderr
    assert {"loadbalancer_topology"} < set(names(asked(stage, "provider", "capability", "list", "amphora")))


def test_policies_and_rules(stage: Stage) -> None:
    openstack(stage, "create", "--name", "lb", "--vip-subnet-id", SUBNET, "--wait")
    typed(stage, "listener create --name web --protocol HTTP --protocol-port 80 lb")
    typed(stage, "pool create --name elsewhere --protocol HTTP --lb-algorithm ROUND_ROBIN --loadbalancer lb")
    told(stage, "l7policy create --name first --action REJECT web")
    made = told(
        stage, "l7policy create --name second --action REDIRECT_TO_POOL --redirect-pool elsewhere --position 1 web"
    )
    assert made["position"] == 1
    rule = told(stage, "l7rule create --type HEADER --key X-A --compare-type EQUAL_TO --value a second --wait")
    assert (rule["key"], rule["provisioning_status"], rule["operating_status"]) == ("X-A", "ACTIVE", "ONLINE")
    typed(stage, "l7policy set second --action REDIRECT_TO_URL --redirect-url http://a.example/ --wait")
    shown = told(stage, "l7policy show second")
    assert (shown["redirect_url"], shown["redirect_pool_id"], shown["redirect_http_code"]) == (
        "http://a.example/",
        None,
        302,
    )
    assert sorted(names(asked(stage, "l7policy", "list"))) == ["first", "second"]
    typed(stage, f"l7rule delete second {rule['id']} --wait")
    typed(stage, "l7policy delete second --wait")
    assert asked(stage, "l7policy", "show", "first")["position"] == 1


def test_quotas_and_amphorae(stage: Stage) -> None:
    stage.call("POST", "/loadbalancers", {"loadbalancer": {"name": "one", "vip_subnet_id": SUBNET}}, status=201)
    assert asked(stage, "quota", "defaults", "show")["load_balancer"] == -1
    openstack(stage, "quota", "set", "--loadbalancer", "7", "--l7policy", "3", NOBODY)
    shown = asked(stage, "quota", "show", NOBODY)
    assert (shown["load_balancer"], shown["l7policy"], shown["member"]) == (7, 3, -1)
    openstack(stage, "quota", "reset", NOBODY)
    (top,) = (row for row in stage.call("GET", "/loadbalancers")["loadbalancers"] if row["name"] == "one")
    stage.active(top["id"])
    (old,) = asked(stage, "amphora", "list", "--loadbalancer", top["id"])
    assert (old["status"], old["role"]) == ("ALLOCATED", "STANDALONE")
    assert asked(stage, "amphora", "show", old["id"])["ha_ip"] == top["vip_address"]
    openstack(stage, "amphora", "configure", old["id"])
    openstack(stage, "amphora", "failover", old["id"], "--wait")
    openstack(stage, "failover", top["id"], "--wait")
    (new,) = asked(stage, "amphora", "list", "--loadbalancer", top["id"])
    assert new["id"] != old["id"]
