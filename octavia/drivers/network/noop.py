"""Network `noop`: every subnet, network and port that somebody names by a UUID is there. For the API alone.

All is derived from ids, so that processes which share nothing say the same. A network has two subnets, and they have
it: their ids are its own with some bits turned over, the one for IPv6 with a version that no generator writes.
"""

import threading
import uuid
from collections.abc import Iterator
from ipaddress import ip_network
from itertools import count

from octavia.drivers.network import AddressTaken, FixedIp, Network, NetworkPort, Subnet
from octavia.drivers.network.local import NAMES
from octavia.host.links import mac_for

RANGES = {4: ip_network("10.0.0.0/8"), 6: ip_network("fd6e:6f6f:7000::/64")}
"""Where addresses come from that nobody has asked for."""
EVERYTHING = {4: "0.0.0.0/0", 6: "::/0"}
"""Any address that somebody asks for is in the subnet of its kind."""
SIX = 8 << 76
"""The highest bit of a UUID's version: versions from 8 on stand for subnets of IPv6."""
FOUR = uuid.uuid5(NAMES, "noop:subnet").int & ~(15 << 76)


class Noop:
    """Remembers the ports that were ensured until it ends; or, where another process removes them, does not."""

    def __init__(self, *, remembers: bool = True) -> None:
        self._lock = threading.Lock()
        self._remembers = remembers
        self._ports: dict[str, NetworkPort] = {}
        self._taken: set[FixedIp] = set()
        self._owned: dict[str, dict[str, NetworkPort]] = {}

    def subnets(self) -> tuple[Subnet, ...]:
        return ()

    def networks(self) -> tuple[Network, ...]:
        return ()

    def ports(self) -> tuple[NetworkPort, ...]:
        with self._lock:
            return tuple(self._ports.values())

    def ports_of(self, owner: str) -> tuple[NetworkPort, ...]:
        with self._lock:
            return tuple(self._owned.get(owner, {}).values())

    def subnet(self, subnet_id: str) -> Subnet | None:
        number = number_of(subnet_id)
        if number is None:
            return None
        version = 6 if number & SIX else 4
        pool = RANGES[version]
        return Subnet(
            id=subnet_id,
            name=f"subnet-{subnet_id}",
            network_id=network_of(subnet_id),
            cidr=EVERYTHING[version],
            ip_version=version,
            gateway_ip=str(pool[1]),
            allocation_pools=((str(pool[2]), str(pool[-2])),),
        )

    def network(self, network_id: str) -> Network | None:
        number = number_of(network_id)
        if number is None:
            return None
        # An id that stands for a subnet of IPv6 can be no network's that has one.
        subnets = () if number & SIX else (named(number ^ FOUR), named(number ^ SIX))
        return Network(id=network_id, name=f"network-{network_id}", subnets=subnets)

    def port(self, port_id: str) -> NetworkPort | None:
        with self._lock:
            return self._ports.get(port_id) or (stranger(port_id) if number_of(port_id) is not None else None)

    def has_room(self, subnet_id: str, addresses: int) -> bool:
        return True

    def has_qos_policy(self, policy_id: str) -> bool:
        """Whatever is named is there."""
        return True

    def has_security_group(self, group_id: str) -> bool:
        """Whatever is named is there."""
        return True

    def ensure_port(
        self, *, port_id: str, subnet_id: str, address: str | None, owner: str, device_owner: str
    ) -> NetworkPort:
        with self._lock:
            if port_id in self._ports:
                return self._ports[port_id]
            made = NetworkPort(
                id=port_id,
                network_id=network_of(subnet_id),
                owner=owner,
                device_owner=device_owner,
                mac_address=mac_for(port_id),
                fixed_ips=(FixedIp(subnet_id, self._address(subnet_id, address, port_id)),),
            )
            if self._remembers:
                self._ports[port_id] = made
                self._taken.update(made.fixed_ips)
                self._owned.setdefault(owner, {})[port_id] = made
            return made

    def ensure_network(self, network_id: str) -> None:
        """Nothing to do."""

    def remove_port(self, port_id: str) -> None:
        with self._lock:
            port = self._ports.pop(port_id, None)
            if port is not None:
                self._taken.difference_update(port.fixed_ips)
                del self._owned[port.owner][port_id]
                if not self._owned[port.owner]:
                    del self._owned[port.owner]

    def close(self) -> None:
        """Nothing to do."""

    def _address(self, subnet_id: str, address: str | None, port_id: str) -> str:
        """The one asked for; or one that follows from the port's id, and the next one of it where that is taken."""
        if address is None:
            own = addresses_of(port_id, subnet_id)
            return next(found for found in own if FixedIp(subnet_id, found) not in self._taken)
        if FixedIp(subnet_id, address) in self._taken:
            raise AddressTaken(f"{address} is in use already.")
        return address


def stranger(port_id: str) -> NetworkPort:
    """A port that somebody else has made, as far as anybody can tell."""
    subnet_id = invented(f"subnet-of:{port_id}")
    return NetworkPort(
        id=port_id,
        network_id=network_of(subnet_id),
        owner="",
        device_owner="",
        mac_address=mac_for(port_id),
        fixed_ips=(FixedIp(subnet_id, next(addresses_of(port_id, subnet_id))),),
    )


def invented(name: str) -> str:
    return str(uuid.uuid5(NAMES, f"noop:{name}"))


def named(number: int) -> str:
    return str(uuid.UUID(int=number))


def number_of(identifier: str) -> int | None:
    """None for what is no UUID."""
    try:
        return uuid.UUID(identifier).int
    except ValueError:
        return None


def network_of(subnet_id: str) -> str:
    number = uuid.UUID(subnet_id).int
    return named(number ^ (SIX if number & SIX else FOUR))


def addresses_of(port_id: str, subnet_id: str) -> Iterator[str]:
    """The port's own in this subnet, never a network's first two or its last."""
    pool = RANGES[6 if uuid.UUID(subnet_id).int & SIX else 4]
    for attempt in count():
        number = uuid.uuid5(NAMES, f"noop:{port_id}:{attempt}").int
        yield str(pool[number % (pool.num_addresses - 3) + 2])
