"""The subnets that a wish refers to must be there, and be the project's or everybody's."""

from collections.abc import Iterable

from octavia.api.call import Call
from octavia.domain.declare import Noun
from octavia.domain.member import Member
from octavia.domain.refusal import Invalid
from octavia.drivers.network import NetworkDriver, Subnet


def check_subnets(call: Call, rows: Iterable[Noun], project_id: str | None) -> None:
    """Raises Invalid for a member in a subnet that is not there for this project."""
    for subnet_id in {row.subnet_id for row in rows if isinstance(row, Member) and row.subnet_id is not None}:
        known_subnet(call.services.network, subnet_id, project_id)


def known_subnet(network: NetworkDriver, subnet_id: str, project_id: str | None) -> Subnet:
    subnet = network.subnet(subnet_id)
    if subnet is None or subnet.project_id not in (None, project_id):
        raise Invalid(f"Subnet {subnet_id} not found.")
    return subnet
