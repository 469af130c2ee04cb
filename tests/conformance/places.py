"""The networks of the conformance suite: large enough for a load balancer for every row."""

import ipaddress
import itertools
import uuid
from collections.abc import Iterator
from typing import Any

from octavia.drivers.network import FixedIp, Network, NetworkPort, Subnet
from tests.api.world import FakeNetwork, subnet
from tests.conformance.nouns import GONE

NET = "11111111-0000-4000-8000-000000000001"
OTHER_NET = "11111111-0000-4000-8000-000000000002"
SIX_NET = "11111111-0000-4000-8000-000000000003"
CIDRS = {
    "six": ("22222222-0000-4000-8000-000000000006", "2001:db8::/64", NET),
    "tiny": ("22222222-0000-4000-8000-000000000005", "198.51.100.0/32", NET),
    "subnet": ("22222222-0000-4000-8000-000000000004", "10.0.0.0/8", NET),
    "second": ("22222222-0000-4000-8000-000000000007", "172.16.0.0/12", NET),
    "elsewhere": ("22222222-0000-4000-8000-000000000008", "203.0.113.0/24", OTHER_NET),
    "only six": ("22222222-0000-4000-8000-000000000009", "2001:db8:6::/64", SIX_NET),
}
NAMES = {name: identifier for name, (identifier, _, _) in CIDRS.items()} | {
    "network": NET,
    "other network": OTHER_NET,
    "six network": SIX_NET,
    "gone": GONE,
    "group": "33333333-0000-4000-8000-000000000001",
    "qos": "44444444-0000-4000-8000-000000000001",
}
"""What rows may name in braces without making it."""
LENT: dict[str, list[tuple[str, str]]] = {
    "port": [("subnet", "10.77.0.1")],
    "used port": [("subnet", "10.77.0.2")],
    "two addresses": [("subnet", "10.77.0.3"), ("second", "172.16.77.1")],
    "no address": [],
}
"""Ports that a user has made; each scene has its own."""


class Places(FakeNetwork):
    """Addresses in order, each given once."""

    def __init__(self) -> None:
        super().__init__()
        self.places = {identifier: subnet(identifier, cidr, home) for identifier, cidr, home in CIDRS.values()}
        self._next = {identifier: itertools.count(4096) for identifier in self.places}
        self._lent: dict[str, str] = {}

    def networks(self) -> tuple[Network, ...]:
        homes = (NET, OTHER_NET, SIX_NET)
        return tuple(Network(id=home, name=home[:8], subnets=self._subnets(home)) for home in homes)

    def _subnets(self, home: str) -> tuple[str, ...]:
        return tuple(place.id for place in self.places.values() if place.network_id == home)

    def lent(self) -> dict[str, str]:
        """New ports of these kinds, in the place of the old ones: name to id."""
        for port_id in self._lent.values():
            self.made.pop(port_id, None)
        self._lent = {name: str(uuid.uuid4()) for name in LENT}
        for name, ips in LENT.items():
            fixed = [FixedIp(NAMES[place], address) for place, address in ips]
            self.made[self._lent[name]] = NetworkPort(
                id=self._lent[name],
                network_id=NET,
                owner="somebody" if name == "used port" else "",
                device_owner="",
                mac_address="fa:16:3e:00:00:02",
                fixed_ips=tuple(fixed),
            )
        return self._lent

    def has_qos_policy(self, policy_id: str) -> bool:
        return policy_id != GONE

    def has_security_group(self, group_id: str) -> bool:
        return group_id != GONE

    def ensure_port(self, *, port_id: str, **wish: Any) -> NetworkPort:
        """A port that is there stays as it is."""
        return self.made.get(port_id) or super().ensure_port(port_id=port_id, **wish)

    def hosts(self, place: Subnet) -> Iterator[Any]:
        network = ipaddress.ip_network(place.cidr)
        if network.num_addresses < 2**16:
            return iter(network.hosts())
        return (network[number] for number in self._next[place.id])
