"""Where a load balancer's addresses come from, and single-call creates."""

from typing import Any

from tests.conformance.bench import Bench
from tests.conformance.language import Ask, Fact, Row, Table, asking, change, delete, new, show
from tests.conformance.nouns import GONE
from tests.conformance.suite import check, each

NET, SUBNET, SECOND, SIX = "{network}", "{subnet}", "{second}", "{six}"


def at(app: str = "noauth", **place: Any) -> Ask:
    """A load balancer asked for with these vip_ fields and no others."""
    wish = {"vip_subnet_id": None, **{f"vip_{name}": value for name, value in place.items()}}
    return asking(app, new("loadbalancer", **wish))


VIP = [
    Row("one of port, network and subnet is needed", at(), 400, "vip_"),
    Row("an address alone is no place", at(address="10.0.0.9"), 400, "vip_"),
    Row("a subnet gives the network", at(subnet_id=SUBNET), 201, {"vip_subnet_id": SUBNET, "vip_network_id": NET}),
    Row("a subnet that is not there", at(subnet_id=GONE), 400, f"Subnet {GONE} not found"),
    Row("a network that is not there", at(network_id=GONE), 400, f"Network {GONE} not found"),
    Row("a port that is not there", at(port_id=GONE), 400, f"Port {GONE} not found"),
    Row("a subnet of another network", at(network_id=NET, subnet_id="{elsewhere}"), 400, "{elsewhere}"),
    Row("a network gives an IPv4 subnet first", at(network_id=NET), 201, {"vip_subnet_id": SUBNET}),
    Row("a network with IPv6 alone gives that", at(network_id="{six network}"), 201, {"vip_subnet_id": "{only six}"}),
    Row("the address chooses the subnet", at(network_id=NET, address="172.16.3.3"), 201,
        {"vip_subnet_id": SECOND, "vip_address": "172.16.3.3"}),
    Row("an IPv6 address chooses the subnet", at(network_id=NET, address="2001:db8::abcd"), 201,
        {"vip_subnet_id": SIX, "vip_address": "2001:db8::abcd"}),
    Row("an address in no subnet of the network", at(network_id=NET, address="203.0.113.9"), 400, "203.0.113.9"),
    Row("an address outside of the subnet", at(subnet_id=SUBNET, address="203.0.113.9"), 400, "203.0.113.9"),
    Row("network and subnet together", at(network_id=NET, subnet_id=SECOND), 201, {"vip_subnet_id": SECOND}),
    Row("an address that is taken", at(subnet_id=SUBNET, address="10.99.0.1"), 409, "10.99.0.1",
        [at(subnet_id=SUBNET, address="10.99.0.1")], ()),
    Row("a port gives address, subnet and network", at(port_id="{port}"), 201,
        {"vip_port_id": "{port}", "vip_subnet_id": SUBNET, "vip_network_id": NET, "vip_address": "10.77.0.1"}),
    Row("a port goes before network and subnet", at(port_id="{port}", network_id=NET, subnet_id=SUBNET), 201,
        {"vip_port_id": "{port}", "vip_address": "10.77.0.1"}),
    Row("a port that somebody uses", at(port_id="{used port}"), 400, "{used port}"),
    Row("a port with two addresses", at(port_id="{two addresses}"), 400, "{two addresses}"),
    Row("a port with two addresses, and one of them", at(port_id="{two addresses}", address="10.77.0.3"), 201,
        {"vip_address": "10.77.0.3"}),
    Row("a port with two addresses, and the subnet of one", at(port_id="{two addresses}", subnet_id=SECOND), 201,
        {"vip_subnet_id": SECOND}),
    Row("a port without that address", at(port_id="{port}", address="10.77.0.99"), 400, "{port}"),
    Row("a port without that subnet", at(port_id="{port}", subnet_id=SECOND), 400, "{port}"),
    Row("a port without addresses", at(port_id="{no address}"), 400, "{no address}"),
    Row("ports may be forbidden", at("no ports", port_id="{port}"), 400, "vip_port_id"),
    Row("networks may be forbidden", at("no networks", network_id=NET), 400, "vip_network_id"),
    Row("subnets may be forbidden", at("no subnets", subnet_id=SUBNET), 400, "vip_subnet_id"),
    Row("only some networks may be allowed", at("one network", network_id="{other network}"), 400, "{other network}"),
    Row("a subnet of a network that is not allowed", at("one network", subnet_id="{elsewhere}"), 400, None),
    Row("the network that is allowed", at("one network", network_id=NET), 201, {"vip_network_id": NET}),
    Row("networks may be denied", at("denied network", network_id="{other network}"), 400, "{other network}"),
    Row("a subnet of a network that is denied", at("denied network", subnet_id="{elsewhere}"), 400, None),
    Row("a network that is not denied", at("denied network", network_id=NET), 201, {"vip_network_id": NET}),
    Row("a QoS policy that is not there", new("loadbalancer", vip_qos_policy_id=GONE), 400, f"{GONE} not found"),
    Row("PUT of a QoS policy that is not there", change("loadbalancer", vip_qos_policy_id=GONE), 400,
        f"{GONE} not found"),
    Row("a security group that is not there", new("loadbalancer", vip_sg_ids=[GONE]), 400, f"{GONE} not found"),
    Row("PUT of a security group that is not there", change("loadbalancer", vip_sg_ids=[GONE]), 400,
        f"{GONE} not found"),
    Row("the VIP's card is normal", new("loadbalancer"), 201, {"vip_vnic_type": "normal"}),
    Row("nobody sets the VIP's card", new("loadbalancer", vip_vnic_type="direct"), 400, "Unknown attribute"),
]  # fmt: skip


def further(*vips: Any, **more: Any) -> Ask:
    return new("loadbalancer", additional_vips=list(vips), **more)


WORDS = {"subnet_id", "ip_address", "port_id"}
THREE_KEYS = Fact("three keys with values", lambda vip: set(vip) == WORDS and all(vip.values()))
ADDITIONAL = [
    Row("a further VIP in another subnet of the network", further({"subnet_id": SIX}), 201,
        {"additional_vips": [{"subnet_id": SIX}]}),
    Row("each has a subnet, an address and a port", further({"subnet_id": SIX}), 201,
        {"additional_vips": [THREE_KEYS]}),
    Row("two further ones", further({"subnet_id": SIX}, {"subnet_id": SECOND}), 201,
        {"additional_vips": [{"subnet_id": SIX}, {"subnet_id": SECOND}]}),
    Row("an address of one's own", further({"subnet_id": SIX, "ip_address": "2001:db8::a:1"}), 201,
        {"additional_vips": [{"ip_address": "2001:db8::a:1"}]}),
    Row("the VIP's own subnet again", further({"subnet_id": SUBNET}), 400, "{subnet}"),
    Row("the same subnet twice", further({"subnet_id": SIX}, {"subnet_id": SIX}), 400, "{six}"),
    Row("a subnet of another network", further({"subnet_id": "{elsewhere}"}), 400, "{elsewhere}"),
    Row("a subnet that is not there", further({"subnet_id": GONE}), 400, f"Subnet {GONE} not found"),
    Row("a subnet is needed", further({"ip_address": "2001:db8::1"}), 400, "subnet_id"),
    Row("an address outside of its subnet", further({"subnet_id": SIX, "ip_address": "10.0.0.9"}), 400, "10.0.0.9"),
    Row("no address at all", further({"subnet_id": SIX, "ip_address": "web"}), 400, "web"),
    Row("an unknown key", further({"subnet_id": SIX, "more": 1}), 400, "more"),
    Row("PUT cannot change them", change("loadbalancer", additional_vips=[]), 400, "Unknown attribute"),
    Row("a listener may allow networks of each version", new("listener", loadbalancer_id="{dual}", allowed_cidrs=[
        "2001:db8::/64", "192.0.2.0/24"]), 201, None,
        [Ask("POST", "/v2/lbaas/loadbalancers", {"loadbalancer": {"vip_subnet_id": SUBNET, "additional_vips": [
            {"subnet_id": SIX}]}}, remember="dual")]),
    Row("UDP members of each version", Ask("POST", "/v2/lbaas/pools/{dual pool}/members",
        {"member": {"address": "2001:db8::9", "protocol_port": 80}}), 201, None,
        [Ask("POST", "/v2/lbaas/loadbalancers", {"loadbalancer": {"vip_subnet_id": SUBNET, "additional_vips": [
            {"subnet_id": SIX}]}}, remember="dual"),
         Ask("POST", "/v2/lbaas/pools", {"pool": {"loadbalancer_id": "{dual}", "protocol": "UDP",
                                                  "lb_algorithm": "ROUND_ROBIN"}}, remember="dual pool")]),
]  # fmt: skip
CHILDREN = [
    Row("with a listener it is not deleted", delete("loadbalancer"), 400, "it has children", [show("listener")]),
    Row("with a pool it is not deleted", delete("loadbalancer"), 400, "it has children", [show("pool")]),
    Row("busy and with children is 400 too", delete("loadbalancer"), 400, "it has children",
        [show("pool"), change("loadbalancer", name="x")]),
    Row("alone it is deleted", delete("loadbalancer"), 204, None, [show("loadbalancer")]),
    *(Row(f"with cascade={text} it is deleted with its children", delete("loadbalancer", f"cascade={text}"), 204, None,
          [show("listener"), show("healthmonitor")]) for text in ("true", "True", "yes", "1")),
    *(Row(f"cascade={text} keeps it", delete("loadbalancer", f"cascade={text}"), 400, "it has children",
          [show("listener")]) for text in ("false", "no", "0")),
    Row("cascade is true or false", delete("loadbalancer", "cascade=perhaps"), 400, "cascade"),
    Row("provider octavia is another name", new("loadbalancer", provider="octavia"), 201, {"provider": "octavia"}),
    Row("a provider that is not enabled", new("loadbalancer", provider="nobody"), 400, "nobody"),
    Row("a flavor that is not there", new("loadbalancer", flavor_id=GONE), 400, GONE),
    Row("a zone that is not there", new("loadbalancer", availability_zone="mars"), 400, "mars"),
    Row("a project of the body", new("loadbalancer", project_id="p1"), 201, {"project_id": "p1", "tenant_id": "p1"}),
    Row("tenant_id is a synonym", new("loadbalancer", project_id=None, tenant_id="p2"), 201, {"project_id": "p2"}),
    Row("without a project in the body the header says it",
        asking("noauth", new("loadbalancer", project_id=None), X_Project_Id="p3"), 201, {"project_id": "p3"}),
]  # fmt: skip

TABLES = [
    Table("5", "VIP resolution", VIP),
    Table("5", "Additional VIPs", ADDITIONAL),
    Table("5", "Children, providers and projects of a load balancer", CHILDREN),
]


@each(TABLES)
def test_vip(bench: Bench, row: Row) -> None:
    check(bench, row)
