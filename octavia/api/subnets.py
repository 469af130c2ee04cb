"""What a wish refers to in the network must be there, and be the project's or everybody's."""

from collections.abc import Collection, Iterable

from octavia.api.call import Call
from octavia.domain.declare import Noun
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.refusal import Invalid
from octavia.drivers.network import NetworkDriver, Subnet


def check_subnets(call: Call, rows: Iterable[Noun], project_id: str | None) -> None:
    """Raises Invalid for a member in a subnet that is not there for this project."""
    for subnet_id in {row.subnet_id for row in rows if isinstance(row, Member) and row.subnet_id is not None}:
        known_subnet(call.services.network, subnet_id, project_id)


def check_vip_extras(call: Call, top: LoadBalancer, wish: Collection[str]) -> None:
    """Raises Invalid for a QoS policy or security group, named by the wish, that is not there."""
    network = call.services.network
    if "vip_qos_policy_id" in wish and top.vip_qos_policy_id and not network.has_qos_policy(top.vip_qos_policy_id):
        raise Invalid(f"QoS policy {top.vip_qos_policy_id} not found.")
    for group_id in top.vip_sg_ids if "vip_sg_ids" in wish else ():
        if not network.has_security_group(group_id):
            raise Invalid(f"Security Group {group_id} not found.")


def known_subnet(network: NetworkDriver, subnet_id: str, project_id: str | None) -> Subnet:
    subnet = network.subnet(subnet_id)
    if subnet is None or subnet.project_id not in (None, project_id):
        raise Invalid(f"Subnet {subnet_id} not found.")
    return subnet
