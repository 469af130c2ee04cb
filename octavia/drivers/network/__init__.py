"""The network port: subnets, addresses and network ports. Adapters: local, noop, memory."""

from typing import Protocol

from msgspec import Struct


class Subnet(Struct, frozen=True, kw_only=True):
    """A subnet, with the Network API's names."""

    id: str
    name: str
    network_id: str
    cidr: str
    ip_version: int
    gateway_ip: str | None
    allocation_pools: tuple[tuple[str, str], ...]
    project_id: str | None = None
    """None: shared, everybody may use it."""


class Network(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    subnets: tuple[str, ...]
    mtu: int = 1500
    project_id: str | None = None


class FixedIp(Struct, frozen=True):
    subnet_id: str
    ip_address: str


class NetworkPort(Struct, frozen=True, kw_only=True):
    """A port of a network: addresses that are taken, for somebody."""

    id: str
    network_id: str
    owner: str
    """What it was made for: a load balancer's or an amphora's id."""
    device_owner: str
    """octavia:vip or octavia:amphora."""
    mac_address: str
    fixed_ips: tuple[FixedIp, ...]


class AddressTaken(Exception):
    """Somebody else has the address that was asked for."""


class SubnetFull(Exception):
    """The subnet has no free address left."""


class NetworkDriver(Protocol):
    """Verbs are idempotent. Lookups return None for what is not there (for an id and a name alike, see each)."""

    def subnets(self) -> tuple[Subnet, ...]: ...

    def networks(self) -> tuple[Network, ...]: ...

    def ports(self) -> tuple[NetworkPort, ...]: ...

    def subnet(self, subnet_id: str) -> Subnet | None: ...

    def network(self, network_id: str) -> Network | None: ...

    def port(self, port_id: str) -> NetworkPort | None: ...

    def ensure_port(
        self, *, port_id: str, subnet_id: str, address: str | None, owner: str, device_owner: str
    ) -> NetworkPort:
        """The port exists with one address of this subnet: the one asked for, or a free one that it keeps.

        A port of this id that is there already is returned as it is. The network itself is made ready too.
        Raises AddressTaken, SubnetFull, or PortFault.
        """
        ...

    def ensure_network(self, network_id: str) -> None:
        """The network is there on this host (after a reboot too)."""
        ...

    def remove_port(self, port_id: str) -> None:
        """The port and its address are free again."""
        ...

    def close(self) -> None: ...
