"""Subnets from definitions, addresses from a ledger."""

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

import msgspec
import pytest

from octavia.drivers.faults import PortFault, Refused
from octavia.drivers.network import AddressTaken, NetworkDriver, NetworkPort, Subnet, SubnetFull
from octavia.drivers.network.local import (
    DEMO,
    DEMO_LOOPBACK,
    Definition,
    Local,
    MemoryLedger,
    network_id,
    subnet_id,
)
from octavia.host import links
from tests.host import needs

SMALL = Definition(name="small", cidr="192.0.2.0/29", network="small", gateway="192.0.2.1")
V6 = Definition(name="six", cidr="2001:db8::/64", network="small", gateway="2001:db8::1")


@pytest.fixture
def local() -> Local:
    return Local([SMALL, V6], MemoryLedger(), bridged=False)


def ensure(local: NetworkDriver, address: str | None = None, *, subnet: str = "small", port: str = "") -> NetworkPort:
    return local.ensure_port(
        port_id=port or str(uuid.uuid4()),
        subnet_id=subnet_id(subnet),
        address=address,
        owner="somebody",
        device_owner="octavia:vip",
    )


def address_of(port: NetworkPort) -> str:
    return port.fixed_ips[0].ip_address


def known(local: NetworkDriver, name: str) -> Subnet:
    subnet = local.subnet(subnet_id(name))
    assert subnet is not None
    return subnet


def test_the_demo_network_has_both_versions() -> None:
    local: NetworkDriver = Local(DEMO, MemoryLedger(), bridged=True)
    (network,) = local.networks()
    assert network == local.network(network_id("demo"))
    assert [subnet.name for subnet in local.subnets()] == ["demo", "demo6"]
    assert network.subnets == tuple(subnet.id for subnet in local.subnets())
    assert known(local, "demo").gateway_ip == "198.18.0.1"
    assert known(local, "demo6").ip_version == 6
    local.close()


def test_ids_are_the_same_on_every_host() -> None:
    assert subnet_id("demo") == "7548a719-347d-579c-9cfe-3cecbded0cb1"
    assert network_id("demo") == "0bfdf873-dda4-5b22-952c-dfbe00dd2768"


def test_loopback_needs_no_gateway() -> None:
    local = Local(DEMO_LOOPBACK, MemoryLedger(), bridged=False)
    assert known(local, "demo").gateway_ip is None
    assert known(local, "demo").allocation_pools == (("127.18.0.1", "127.18.255.254"),)
    assert address_of(ensure(local, subnet="demo")) == "127.18.0.1"


def test_pools_leave_the_gateway_out() -> None:
    middle = msgspec.structs.replace(SMALL, gateway="192.0.2.4")
    pools = {
        "192.0.2.1": (("192.0.2.2", "192.0.2.6"),),
        "192.0.2.4": (("192.0.2.1", "192.0.2.3"), ("192.0.2.5", "192.0.2.6")),
    }
    for definition in (SMALL, middle):
        local = Local([definition], MemoryLedger(), bridged=False)
        assert known(local, "small").allocation_pools == pools[str(definition.gateway)]


def test_what_is_not_there_is_none(local: Local) -> None:
    assert local.subnet("nothing") is None
    assert local.network("nothing") is None
    assert local.port("nothing") is None
    with pytest.raises(Refused, match="no subnet"):
        ensure(local, subnet="nothing")
    with pytest.raises(Refused, match="no network"):
        local.ensure_network("nothing")
    local.remove_port("nothing")


def test_addresses_are_the_lowest_free_until_there_are_none(local: Local) -> None:
    ports = [ensure(local) for _ in range(5)]
    assert [address_of(port) for port in ports] == [f"192.0.2.{number}" for number in (2, 3, 4, 5, 6)]
    with pytest.raises(SubnetFull, match="no free address"):
        ensure(local)
    local.remove_port(ports[1].id)
    assert address_of(ensure(local)) == "192.0.2.3"


def test_ipv6_has_addresses_too(local: Local) -> None:
    assert [address_of(ensure(local, subnet="six")) for _ in range(2)] == ["2001:db8::2", "2001:db8::3"]
    assert address_of(ensure(local, "2001:0db8:0:0::00ff", subnet="six")) == "2001:db8::ff"


def test_a_port_keeps_its_address(local: Local) -> None:
    first = ensure(local, port="8c8f3c1e-0000-4000-8000-000000000001")
    again = ensure(local, "192.0.2.6", port=first.id)
    assert again == first == local.port(first.id)
    assert local.ports() == local.ports_of("somebody") == (first,)
    assert local.ports_of("nobody") == ()
    assert first.network_id == network_id("small")
    assert first.mac_address == links.mac_for(first.id)
    assert (first.owner, first.device_owner) == ("somebody", "octavia:vip")


def test_a_taken_address_is_taken(local: Local) -> None:
    ensure(local, "192.0.2.5")
    with pytest.raises(AddressTaken, match=r"192\.0\.2\.5"):
        ensure(local, "192.0.2.5")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("192.0.2.0", "network or broadcast"),
        ("192.0.2.7", "network or broadcast"),
        ("192.0.2.1", "gateway"),
        ("192.0.2.8", "not in subnet"),
        ("2001:db8::5", "not in subnet"),
        ("nonsense", "no IP address|not an IP address"),
    ],
)
def test_addresses_that_nobody_can_have(local: Local, address: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        ensure(local, address)
    assert local.ports() == ()


def test_a_gateway_must_be_in_its_subnet() -> None:
    with pytest.raises(Refused, match="not in"):
        Local([msgspec.structs.replace(SMALL, gateway="192.0.3.1")], MemoryLedger(), bridged=False)


class Rival(MemoryLedger):
    """A ledger in which another host is always a little faster."""

    def taken(self, subnet_id: str) -> frozenset[str]:
        return frozenset()


def test_who_loses_a_race_takes_the_next() -> None:
    local = Local([SMALL], Rival(), bridged=False)
    assert [address_of(ensure(local)) for _ in range(5)] == [f"192.0.2.{number}" for number in (2, 3, 4, 5, 6)]
    with pytest.raises(SubnetFull):
        ensure(local)


def test_eight_threads_get_different_addresses() -> None:
    ledger = MemoryLedger()
    drivers = [Local(DEMO, ledger, bridged=False) for _ in range(8)]
    start = threading.Barrier(8)

    def many(driver: Local) -> list[str]:
        start.wait()
        return [address_of(ensure(driver, subnet="demo")) for _ in range(20)]

    with ThreadPoolExecutor(8) as pool:
        given = [address for part in pool.map(many, drivers) for address in part]
    assert len(set(given)) == 160
    assert max(map(ip_address, given)) == ip_address("198.18.0.161")


@pytest.fixture
def bridged() -> Iterator[Local]:
    name = f"test-{uuid.uuid4()}"
    four = Definition(name=name, cidr="10.215.3.0/24", network=name, gateway="10.215.3.1")
    made = Local([four], MemoryLedger(), bridged=True)
    yield made
    made.clear()


@needs.namespaces
def test_a_network_is_a_bridge_with_its_gateway(bridged: Local) -> None:
    (subnet,) = bridged.subnets()
    bridge = links.bridge_name(subnet.network_id)
    assert not links.exists(bridge)
    ensure(bridged, subnet=subnet.name)
    assert links.holder_of("10.215.3.1") == bridge
    links.remove(bridge)
    ensure(bridged, subnet=subnet.name)
    bridged.ensure_network(subnet.network_id)
    assert links.holder_of("10.215.3.1") == bridge
    bridged.clear()
    bridged.clear()
    assert not links.exists(bridge)


def test_a_host_that_refuses_is_a_fault(bridged: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(links, "ensure_bridge", refuse)
    with pytest.raises(PortFault, match="could not be made on this host"):
        ensure(bridged, subnet=bridged.subnets()[0].name)
    assert bridged.ports() == ()
