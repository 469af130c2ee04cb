"""The network port: subnets, addresses and network ports. Adapters: local, noop, memory."""

from typing import Protocol

from octavia.domain.network import FixedIp as FixedIp
from octavia.domain.network import Network as Network
from octavia.domain.network import NetworkPort as NetworkPort
from octavia.domain.network import Subnet as Subnet


class AddressTaken(Exception):
    """Somebody else has the address that was asked for."""


class SubnetFull(Exception):
    """The subnet has no free address left."""


class NetworkDriver(Protocol):
    """Verbs are idempotent. Lookups return None for what is not there (for an id and a name alike, see each)."""

    def subnets(self) -> tuple[Subnet, ...]: ...

    def networks(self) -> tuple[Network, ...]: ...

    def ports(self) -> tuple[NetworkPort, ...]: ...

    def ports_of(self, owner: str) -> tuple[NetworkPort, ...]:
        """The ports that were taken for this load balancer or amphora (the local ledger has `of(owner)` for it)."""
        ...

    def subnet(self, subnet_id: str) -> Subnet | None: ...

    def network(self, network_id: str) -> Network | None: ...

    def port(self, port_id: str) -> NetworkPort | None: ...

    def has_room(self, subnet_id: str, addresses: int) -> bool:
        """Whether so many addresses of the subnet can still be given out."""
        ...

    def has_qos_policy(self, policy_id: str) -> bool: ...

    def has_security_group(self, group_id: str) -> bool: ...

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
