"""Network `local`: subnets from the configuration, addresses from a ledger, bridges of this host."""

import logging
import threading
import uuid
from collections.abc import Iterator, Sequence
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import islice
from typing import Final, Protocol

from msgspec import Struct

from octavia.drivers.faults import PortFault, Refused
from octavia.drivers.network import AddressTaken, FixedIp, Network, NetworkPort, Subnet, SubnetFull
from octavia.host import links

LOG = logging.getLogger(__name__)
NAMES: Final = uuid.UUID("6f637461-7669-5a00-8000-6e6574776f72")
"""The namespace of our ids: a name has the same id on every host and after every start."""

Address = IPv4Address | IPv6Address


class Definition(Struct, frozen=True, kw_only=True):
    """A subnet as the configuration declares it."""

    name: str
    cidr: str
    network: str
    gateway: str | None = None


DEMO = (
    Definition(name="demo", cidr="198.18.0.0/20", network="demo", gateway="198.18.0.1"),
    Definition(name="demo6", cidr="fd6f:6374:6176::/64", network="demo", gateway="fd6f:6374:6176::1"),
)
DEMO_LOOPBACK = (Definition(name="demo", cidr="127.18.0.0/16", network="demo"),)
"""For compute `process`: addresses that every Linux host has."""


class Ledger(Protocol):
    """What the adapter must remember; the store does it. Each verb is atomic."""

    def take(self, port: NetworkPort) -> bool:
        """All addresses of the port are its own; False, and nothing changed, where one is somebody else's already."""
        ...

    def release(self, port_id: str) -> None: ...

    def get(self, port_id: str) -> NetworkPort | None: ...

    def all(self) -> tuple[NetworkPort, ...]: ...

    def of(self, owner: str) -> tuple[NetworkPort, ...]: ...

    def taken(self, subnet_id: str) -> frozenset[str]: ...


class MemoryLedger:
    """A ledger for tests, forgotten when the process ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ports: dict[str, NetworkPort] = {}

    def take(self, port: NetworkPort) -> bool:
        with self._lock:
            held = {ip for other in self._ports.values() for ip in other.fixed_ips}
            if port.id in self._ports or held.intersection(port.fixed_ips):
                return False
            self._ports[port.id] = port
            return True

    def release(self, port_id: str) -> None:
        with self._lock:
            self._ports.pop(port_id, None)

    def get(self, port_id: str) -> NetworkPort | None:
        with self._lock:
            return self._ports.get(port_id)

    def all(self) -> tuple[NetworkPort, ...]:
        with self._lock:
            return tuple(self._ports[key] for key in sorted(self._ports))

    def of(self, owner: str) -> tuple[NetworkPort, ...]:
        return tuple(port for port in self.all() if port.owner == owner)

    def taken(self, subnet_id: str) -> frozenset[str]:
        ips = (ip for port in self.all() for ip in port.fixed_ips)
        return frozenset(ip.ip_address for ip in ips if ip.subnet_id == subnet_id)


class Range:
    """The addresses of one subnet."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.cidr: IPv4Network | IPv6Network = ip_network(definition.cidr)
        self.gateway = ip_address(definition.gateway) if definition.gateway else None
        if self.gateway is not None and self.gateway not in self.cidr:
            raise Refused(f"Gateway {self.gateway} of subnet {definition.name} is not in {self.cidr}.")

    @cached_property
    def first(self) -> Address:
        return self.cidr[1]

    @cached_property
    def last(self) -> Address:
        return self.cidr[-2 if self.cidr.version == 4 else -1]

    @property
    def pools(self) -> tuple[tuple[str, str], ...]:
        """From the first to the last address that can be given out, around the gateway."""
        if self.gateway is None:
            spans = [(self.first, self.last)]
        else:
            spans = [(self.first, self.gateway - 1), (self.gateway + 1, self.last)]
        return tuple((str(low), str(high)) for low, high in spans if int(low) <= int(high))

    def free(self, taken: frozenset[str]) -> Iterator[str]:
        """All that are not taken, the lowest first."""
        for number in range(int(self.first), int(self.last) + 1):
            address = type(self.first)(number)
            if address != self.gateway and str(address) not in taken:
                yield str(address)

    def checked(self, text: str) -> str:
        """The address as it is written everywhere. Raises Refused where nobody can have it."""
        name = f"subnet {self.definition.name} ({self.cidr})"
        try:
            address = ip_address(text)
        except ValueError:
            raise Refused(f"{text} is not an IP address.") from None
        if address not in self.cidr:
            raise Refused(f"{address} is not in {name}.")
        if address == self.gateway:
            raise Refused(f"{address} is the gateway of {name}.")
        if not self.first <= address <= self.last:  # type: ignore[operator]  # both are of the CIDR's version
            raise Refused(f"{address} is the network or broadcast address of {name}.")
        return str(address)


class Local:
    """Networks of this host. Bridged: each network is a bridge that has the gateways' addresses. Otherwise the
    addresses are this host's already, as those of the loopback are."""

    def __init__(self, definitions: Sequence[Definition], ledger: Ledger, *, bridged: bool) -> None:
        self._ranges = {subnet_id(definition.name): Range(definition) for definition in definitions}
        self._ledger = ledger
        self._bridged = bridged
        self._allocating = threading.Lock()
        self._ready: set[str] = set()

    def subnets(self) -> tuple[Subnet, ...]:
        return tuple(subnet_of(each) for each in self._ranges.values())

    def networks(self) -> tuple[Network, ...]:
        names = dict.fromkeys(each.definition.network for each in self._ranges.values())
        return tuple(self._network(name) for name in names)

    def ports(self) -> tuple[NetworkPort, ...]:
        return self._ledger.all()

    def ports_of(self, owner: str) -> tuple[NetworkPort, ...]:
        return self._ledger.of(owner)

    def subnet(self, subnet_id: str) -> Subnet | None:
        found = self._ranges.get(subnet_id)
        return subnet_of(found) if found else None

    def network(self, network_id: str) -> Network | None:
        return next((network for network in self.networks() if network.id == network_id), None)

    def port(self, port_id: str) -> NetworkPort | None:
        return self._ledger.get(port_id)

    def has_room(self, subnet_id: str, addresses: int) -> bool:
        free = self._ranges[subnet_id].free(self._ledger.taken(subnet_id))
        return len(list(islice(free, addresses))) == addresses

    def has_qos_policy(self, policy_id: str) -> bool:
        """There are none on one host."""
        return False

    def has_security_group(self, group_id: str) -> bool:
        """There are none on one host."""
        return False

    def ensure_port(
        self, *, port_id: str, subnet_id: str, address: str | None, owner: str, device_owner: str
    ) -> NetworkPort:
        found = self._ranges.get(subnet_id)
        if found is None:
            raise Refused(f"There is no subnet {subnet_id}.")
        network = network_id(found.definition.network)
        draft = NetworkPort(
            id=port_id,
            network_id=network,
            owner=owner,
            device_owner=device_owner,
            mac_address=links.mac_for(port_id),
            fixed_ips=(),
        )
        if not (network in self._ready and links.exists(links.bridge_name(network))):
            self.ensure_network(network)
        with self._allocating:
            return self._ledger.get(port_id) or self._take(draft, found, subnet_id, address)

    def ensure_network(self, network_id: str) -> None:
        network = self.network(network_id)
        if network is None:
            raise Refused(f"There is no network {network_id}.")
        if self._bridged:
            try:
                links.ensure_bridge(links.bridge_name(network_id), self._gateways(network), network.mtu)
            except OSError as error:
                raise PortFault(f"Network {network.name} could not be made on this host: {error}") from error
            self._ready.add(network_id)

    def remove_port(self, port_id: str) -> None:
        self._ledger.release(port_id)

    def clear(self) -> None:
        """No bridge of these networks is left on this host; for when nothing uses them."""
        for network in self.networks() if self._bridged else ():
            links.remove(links.bridge_name(network.id))

    def close(self) -> None:
        """Nothing to do: networks outlive the control plane."""

    def _network(self, name: str) -> Network:
        subnets = tuple(key for key, each in self._ranges.items() if each.definition.network == name)
        return Network(id=network_id(name), name=name, subnets=subnets)

    def _gateways(self, network: Network) -> list[str]:
        ranges = (self._ranges[key] for key in network.subnets)
        return [f"{each.gateway}/{each.cidr.prefixlen}" for each in ranges if each.gateway]

    def _take(self, draft: NetworkPort, found: Range, subnet_id: str, address: str | None) -> NetworkPort:
        if address is not None:
            address = found.checked(address)
            if port := self._taken(draft, subnet_id, address):
                return port
            raise AddressTaken(f"{address} is in use already.")
        for candidate in found.free(self._ledger.taken(subnet_id)):
            if port := self._taken(draft, subnet_id, candidate):
                return port
        raise SubnetFull(f"Subnet {found.definition.name} ({found.cidr}) has no free address left.")

    def _taken(self, draft: NetworkPort, subnet_id: str, address: str) -> NetworkPort | None:
        """The port with this address; None where somebody else was faster."""
        port = NetworkPort(
            id=draft.id,
            network_id=draft.network_id,
            owner=draft.owner,
            device_owner=draft.device_owner,
            mac_address=draft.mac_address,
            fixed_ips=(FixedIp(subnet_id, address),),
        )
        return port if self._ledger.take(port) else None


def subnet_id(name: str) -> str:
    return str(uuid.uuid5(NAMES, f"subnet:{name}"))


def network_id(name: str) -> str:
    return str(uuid.uuid5(NAMES, f"network:{name}"))


def subnet_of(found: Range) -> Subnet:
    definition = found.definition
    return Subnet(
        id=subnet_id(definition.name),
        name=definition.name,
        network_id=network_id(definition.network),
        cidr=str(found.cidr),
        ip_version=found.cidr.version,
        gateway_ip=definition.gateway,
        allocation_pools=found.pools,
    )
