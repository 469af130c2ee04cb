"""Networks without a host: noop, and memory with its faults."""

import uuid

import pytest

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


def test_noop_knows_every_subnet_and_network() -> None:
    noop: NetworkDriver = Noop()
    subnet = noop.subnet("any")
    assert subnet is not None
    assert subnet.id == "any"
    assert noop.subnet("any") == subnet
    network = noop.network(subnet.network_id)
    assert network is not None
    assert network.id == subnet.network_id
    noop.ensure_network(network.id)
    assert noop.subnets() == ()
    assert noop.networks() == ()
    noop.close()


def test_noop_gives_addresses_out() -> None:
    noop: NetworkDriver = Noop()
    first, second = ensure(noop, "any"), ensure(noop, "any", "203.0.113.7")
    assert first.fixed_ips[0].ip_address != second.fixed_ips[0].ip_address == "203.0.113.7"
    assert ensure(noop, "any", port_id=first.id) == first == noop.port(first.id)
    with pytest.raises(AddressTaken):
        ensure(noop, "any", "203.0.113.7")
    assert noop.ports() == noop.ports_of("somebody") == (first, second)
    noop.remove_port(first.id)
    noop.remove_port(first.id)
    assert noop.ports() == (second,)


def test_noop_knows_ports_that_others_made() -> None:
    noop = Noop()
    port = noop.port("ca5e0000-0000-4000-8000-000000000000")
    assert port is not None
    assert port.owner == ""
    assert noop.port(port.id) == port
    assert noop.ports() == ()


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
