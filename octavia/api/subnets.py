"""The subnets that a wish refers to must be there."""

from collections.abc import Iterable

from octavia.domain.declare import Noun
from octavia.domain.member import Member
from octavia.domain.refusal import Invalid
from octavia.drivers.network import NetworkDriver, Subnet


def check_subnets(network: NetworkDriver, rows: Iterable[Noun]) -> None:
    """Raises Invalid for a member in a subnet that is not there."""
    for subnet_id in {row.subnet_id for row in rows if isinstance(row, Member) and row.subnet_id is not None}:
        known_subnet(network, subnet_id)


def known_subnet(network: NetworkDriver, subnet_id: str) -> Subnet:
    subnet = network.subnet(subnet_id)
    if subnet is None:
        raise Invalid(f"Subnet {subnet_id} not found.")
    return subnet
