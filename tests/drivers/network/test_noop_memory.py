"""Networks without a host: noop, and memory with its faults."""

import uuid
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octavia.drivers.faults import Crash, PortFault
from octavia.drivers.network import AddressTaken, NetworkDriver, NetworkPort
from octavia.drivers.network.local import MemoryLedger, network_id, subnet_id
from octavia.drivers.network.memory import Memory
from octavia.drivers.network.noop import Noop


def ensure(driver: NetworkDriver, subnet: str, address: str | None = None, port_id: str | None = None) -> NetworkPort:
    return driver.ensure_port(
        port_id=port_id or str(uuid.uuid4()),
        subnet_id=subnet,
        address=address,
        owner="somebody",
        device_owner="octavia:vip",
    )


ANY = "ca5e0000-0000-4000-8000-000000000000"


@given(st.uuids().map(str))
def test_noop_networks_have_their_subnets_and_these_have_them(identifier: str) -> None:
    """By whatever id one begins, in whatever process."""
    noop: NetworkDriver = Noop()
    subnet = noop.subnet(identifier)
    assert subnet is not None
    assert subnet.id == identifier
    assert subnet == Noop().subnet(identifier)
    network = noop.network(subnet.network_id)
    assert network is not None
    assert identifier in network.subnets
    found = [noop.subnet(subnet_id) for subnet_id in network.subnets]
    assert [(one.network_id, one.ip_version) for one in found if one] == [(network.id, 4), (network.id, 6)]


@given(st.uuids(version=4).map(str))
def test_noop_networks_are_there(identifier: str) -> None:
    network = Noop().network(identifier)
    assert network is not None
    assert (network.id, len(network.subnets)) == (identifier, 2)


def test_noop_knows_nothing_by_its_name() -> None:
    """Clients ask for a name in the place of an id first, and must be told that there is none."""
    noop: NetworkDriver = Noop()
    assert (noop.subnet("any"), noop.network("any"), noop.port("any")) == (None, None, None)
    assert (noop.subnets(), noop.networks(), noop.ports()) == ((), (), ())
    noop.ensure_network(ANY)
    noop.close()


def test_noop_gives_addresses_out() -> None:
    noop: NetworkDriver = Noop()
    first, second = ensure(noop, ANY), ensure(noop, ANY, "203.0.113.7")
    assert first.fixed_ips[0].ip_address != second.fixed_ips[0].ip_address == "203.0.113.7"
    assert ensure(noop, ANY, port_id=first.id) == first == noop.port(first.id)
    with pytest.raises(AddressTaken):
        ensure(noop, ANY, "203.0.113.7")
    with pytest.raises(AddressTaken):
        ensure(noop, ANY, first.fixed_ips[0].ip_address)
    assert set(noop.ports()) == set(noop.ports_of("somebody")) == {first, second}
    noop.remove_port(first.id)
    noop.remove_port(first.id)
    assert noop.ports() == (second,)


@given(st.uuids().map(str), st.uuids().map(str))
def test_noop_addresses_follow_from_ports_and_are_given_once(subnet: str, port_id: str) -> None:
    one, other = Noop(), Noop(remembers=False)
    found = ensure(one, subnet, port_id=port_id)
    assert ensure(other, subnet, port_id=port_id) == found
    (address,) = (fixed.ip_address for fixed in found.fixed_ips)
    place = one.subnet(subnet)
    assert place is not None
    assert ip_address(address).version == place.ip_version
    one.remove_port(port_id)
    ensure(one, subnet, address)
    assert ensure(one, subnet, port_id=port_id).fixed_ips[0].ip_address != address


def test_noop_knows_ports_that_others_made() -> None:
    port = Noop().port(ANY)
    assert port is not None
    assert port.owner == ""
    assert Noop().port(port.id) == port
    assert Noop().ports() == ()


def test_memory_is_a_local_network_without_a_host() -> None:
    memory: NetworkDriver = Memory()
    port = ensure(memory, subnet_id("demo"))
    assert port.fixed_ips[0].ip_address == "198.18.0.2"
    assert memory.ports_of("somebody") == (port,)
    memory.ensure_network(network_id("demo"))
    memory.remove_port(port.id)
    assert memory.ports() == ()


def test_memory_goes_wrong_as_it_is_told_to() -> None:
    ledger = MemoryLedger()
    memory = Memory(ledger=ledger)
    memory.faults.fail("network.ensure_port")
    with pytest.raises(PortFault):
        ensure(memory, subnet_id("demo"))
    memory.faults.crash_after("network.ensure_port")
    with pytest.raises(Crash):
        ensure(memory, subnet_id("demo"))
    (port,) = Memory(ledger=ledger).ports()
    memory.faults.crash_before("network.remove_port")
    with pytest.raises(Crash):
        memory.remove_port(port.id)
    memory.faults.lie("network.ports_of", ())
    assert memory.ports_of("somebody") == ()
    assert memory.ports_of("somebody") == (port,)
    memory.faults.fail("network.ensure_network")
    with pytest.raises(PortFault):
        ensure(memory, subnet_id("demo"))
