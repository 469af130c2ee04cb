"""Where a new load balancer's addresses come from."""

from typing import Any

from tests.api.world import Api, FakeNetwork


def test_from_a_subnet(api: Api, network: FakeNetwork) -> None:
    made = api.post("loadbalancers", "loadbalancer", vip_subnet_id="demo")
    assert (made["vip_address"], made["vip_network_id"], made["vip_subnet_id"]) == ("192.0.2.1", "net-1", "demo")
    port = network.made[made["vip_port_id"]]
    assert (port.owner, port.device_owner) == (made["id"], "octavia:vip")


def test_an_address_of_a_subnet(api: Api) -> None:
    wish: dict[str, Any] = {"vip_subnet_id": "six", "vip_address": "2001:0db8:0::7"}
    assert api.post("loadbalancers", "loadbalancer", **wish)["vip_address"] == "2001:db8::7"
    answer = api.post("loadbalancers", "loadbalancer", 409, **wish)
    assert "2001:db8::7" in answer["faultstring"]


def test_a_network_prefers_ipv4_and_takes_a_subnet_with_room_for_an_amphora_too(api: Api) -> None:
    found = [api.post("loadbalancers", "loadbalancer", vip_network_id="net-1")["vip_subnet_id"] for _ in range(3)]
    assert found == ["tiny", "demo", "demo"]


def test_a_full_subnet(api: Api) -> None:
    for _ in range(2):
        api.load_balancer(vip_subnet_id="tiny")
    answer = api.post("loadbalancers", "loadbalancer", 409, vip_subnet_id="tiny")
    assert "no free address" in answer["faultstring"]


def test_an_address_of_a_network(api: Api) -> None:
    made = api.post("loadbalancers", "loadbalancer", vip_network_id="net-1", vip_address="192.0.2.200")
    assert (made["vip_subnet_id"], made["vip_address"]) == ("demo", "192.0.2.200")


def test_a_network_and_its_subnet(api: Api) -> None:
    assert (
        api.post("loadbalancers", "loadbalancer", vip_network_id="net-1", vip_subnet_id="six")["vip_subnet_id"] == "six"
    )


def test_a_port_of_the_caller(api: Api, network: FakeNetwork) -> None:
    network.lend("port-1", ("demo", "192.0.2.99"))
    made = api.post("loadbalancers", "loadbalancer", vip_port_id="port-1")
    assert (made["vip_port_id"], made["vip_address"], made["vip_subnet_id"]) == ("port-1", "192.0.2.99", "demo")


def test_ports_that_do_not_do(api: Api, network: FakeNetwork) -> None:
    network.lend("taken", ("demo", "192.0.2.98"), owner="a server")
    network.lend("two", ("demo", "192.0.2.97"), ("six", "2001:db8::97"))
    api.post("loadbalancers", "loadbalancer", 400, vip_port_id="taken")
    api.post("loadbalancers", "loadbalancer", 400, vip_port_id="two")
    api.post("loadbalancers", "loadbalancer", 400, vip_port_id="two", vip_subnet_id="other")
    assert (
        api.post("loadbalancers", "loadbalancer", vip_port_id="two", vip_subnet_id="six")["vip_address"]
        == "2001:db8::97"
    )


def test_additional_vips(api: Api, network: FakeNetwork) -> None:
    wish = [{"subnet_id": "six", "ip_address": "2001:db8::5"}]
    made = api.post("loadbalancers", "loadbalancer", vip_subnet_id="demo", additional_vips=wish)
    (vip,) = made["additional_vips"]
    assert (vip["subnet_id"], vip["ip_address"]) == ("six", "2001:db8::5")
    assert set(network.made) == {made["vip_port_id"], vip["port_id"]}


def test_a_refused_additional_vip_gives_the_first_address_back(api: Api, network: FakeNetwork) -> None:
    api.post("loadbalancers", "loadbalancer", 400, vip_subnet_id="demo", additional_vips=[{"subnet_id": "other"}])
    assert network.made == {}
