"""Network `noop`: every subnet, network and port that somebody names is there. For the API alone."""

import threading
import uuid
from ipaddress import ip_network

from octavia.drivers.network import AddressTaken, FixedIp, Network, NetworkPort, Subnet
from octavia.drivers.network.local import NAMES
from octavia.host.links import mac_for

RANGE = ip_network("10.0.0.0/8")


class Noop:
    """Remembers the ports that were ensured until it ends; or, where another process removes them, does not."""

    def __init__(self, *, remembers: bool = True) -> None:
        self._lock = threading.Lock()
        self._remembers = remembers
        self._ports: dict[str, NetworkPort] = {}
        self._owned: dict[str, set[str]] = {}

    def subnets(self) -> tuple[Subnet, ...]:
        return ()

    def networks(self) -> tuple[Network, ...]:
        return ()

    def ports(self) -> tuple[NetworkPort, ...]:
        with self._lock:
            return tuple(self._ports.values())

    def ports_of(self, owner: str) -> tuple[NetworkPort, ...]:
        with self._lock:
            return tuple(self._ports[port_id] for port_id in sorted(self._owned.get(owner, ())))

    def subnet(self, subnet_id: str) -> Subnet | None:
        return Subnet(
            id=subnet_id,
            name=f"subnet-{subnet_id}",
            network_id=network_of(subnet_id),
            cidr=str(RANGE),
            ip_version=4,
            gateway_ip=str(RANGE[1]),
            allocation_pools=((str(RANGE[2]), str(RANGE[-2])),),
        )

    def network(self, network_id: str) -> Network | None:
        return Network(id=network_id, name=f"network-{network_id}", subnets=(invented(f"subnet:{network_id}"),))

    def port(self, port_id: str) -> NetworkPort | None:
        with self._lock:
            return self._ports.get(port_id) or self._invented(port_id)

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
                self._owned.setdefault(owner, set()).add(port_id)
            return made

    def ensure_network(self, network_id: str) -> None:
        """Nothing to do."""

    def remove_port(self, port_id: str) -> None:
        with self._lock:
            port = self._ports.pop(port_id, None)
            if port is not None:
                self._owned[port.owner].discard(port_id)
                if not self._owned[port.owner]:
                    del self._owned[port.owner]

    def close(self) -> None:
        """Nothing to do."""

    def _address(self, subnet_id: str, address: str | None, port_id: str) -> str:
        """Without a wish, one that follows from the port's id, so that processes that share nothing rarely agree."""
        if address is None:
            return str(RANGE[number_of(port_id)])
        if any(FixedIp(subnet_id, address) in port.fixed_ips for port in self._ports.values()):
            raise AddressTaken(f"{address} is in use already.")
        return address

    def _invented(self, port_id: str) -> NetworkPort:
        """A port that somebody else has made, as far as anybody can tell."""
        subnet = invented(f"subnet-of:{port_id}")
        return NetworkPort(
            id=port_id,
            network_id=network_of(subnet),
            owner="",
            device_owner="",
            mac_address=mac_for(port_id),
            fixed_ips=(FixedIp(subnet, str(RANGE[number_of(port_id)])),),
        )


def invented(name: str) -> str:
    return str(uuid.uuid5(NAMES, f"noop:{name}"))


def network_of(subnet_id: str) -> str:
    return invented(f"network-of:{subnet_id}")


def number_of(port_id: str) -> int:
    """Of an address in the range, around the network's own, the gateway's and the broadcast address."""
    return int(uuid.UUID(invented(port_id))) % (RANGE.num_addresses - 3) + 2
