"""Where the virtual addresses of a new load balancer come from: a port, a network or a subnet, in this order."""

import ipaddress
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from msgspec.structs import replace

from octavia.api.ports import Services
from octavia.api.subnets import known_subnet
from octavia.domain.choices import Choices
from octavia.domain.load_balancer import AdditionalVip, LoadBalancer
from octavia.domain.refusal import Conflict, Invalid
from octavia.drivers.faults import PortFault, Refused
from octavia.drivers.network import AddressTaken, FixedIp, NetworkDriver, NetworkPort, Subnet, SubnetFull

DEVICE_OWNER = "octavia:vip"
log = logging.getLogger(__name__)


@contextmanager
def placed(services: Services, top: LoadBalancer, choices: Choices) -> Iterator[LoadBalancer]:
    """The load balancer with its addresses, which are free again if what is done with it fails.

    Raises Invalid for a place that is not there, and Conflict for an address that is taken or a subnet that is full.
    """
    made: list[str] = []
    try:
        seated_first = with_vip(services, choices, top, made)
        check_network(choices, seated_first)
        yield with_additional(services, seated_first, made)
    except BaseException:
        for port_id in made:
            release(services.network, port_id)
        raise


def release(network: NetworkDriver, port_id: str) -> None:
    try:
        network.remove_port(port_id)
    except PortFault as fault:
        log.warning("The network port %s of a refused load balancer is left behind: %s", port_id, fault)


def with_vip(services: Services, choices: Choices, top: LoadBalancer, made: list[str]) -> LoadBalancer:
    check_ways(choices, top)
    if top.vip_port_id is not None:
        return on_port(services.network, top)
    port = first_free(services, top, candidates(services.network, top), top.vip_address)
    made.append(port.id)
    return seated(top, port, port.fixed_ips[0])


def check_ways(choices: Choices, top: LoadBalancer) -> None:
    """Raises Invalid where the operator has taken back this way of saying where the VIP shall be."""
    ways = {
        "vip_port_id": choices.vip_ports,
        "vip_network_id": choices.vip_networks,
        "vip_subnet_id": choices.vip_subnets,
    }
    for field, allowed in ways.items():
        if not allowed and getattr(top, field) is not None:
            others = [name for name, other in ways.items() if other]
            raise Invalid(f"{field} cannot be used here. Use {' or '.join(others)} instead.")


def check_network(choices: Choices, top: LoadBalancer) -> None:
    """Raises Invalid for a network that the operator keeps VIPs out of."""
    valid, denied = choices.valid_vip_networks, choices.denied_vip_networks
    if (valid and top.vip_network_id not in valid) or top.vip_network_id in denied:
        raise Invalid(f"VIPs cannot be in network {top.vip_network_id}. Choose another network.")


def seated(top: LoadBalancer, port: NetworkPort, fixed: FixedIp) -> LoadBalancer:
    return replace(
        top,
        vip_port_id=port.id,
        vip_address=fixed.ip_address,
        vip_subnet_id=fixed.subnet_id,
        vip_network_id=port.network_id,
    )


def on_port(network: NetworkDriver, top: LoadBalancer) -> LoadBalancer:
    """On a port that the caller has made, which stays the caller's."""
    port = network.port(top.vip_port_id or "")
    if port is None:
        raise Invalid(f"Port {top.vip_port_id} not found.")
    if port.owner:
        # By whom is nobody's business: it may be another project's.
        raise Invalid(f"Port {port.id} is in use. Name a free port, or a subnet.")
    fitting = [
        fixed
        for fixed in port.fixed_ips
        if top.vip_subnet_id in (None, fixed.subnet_id) and top.vip_address in (None, fixed.ip_address)
    ]
    if len(fitting) != 1:
        raise Invalid(
            f"Port {port.id} has {len(fitting)} addresses that fit. Say which with vip_subnet_id or vip_address."
        )
    return seated(top, port, fitting[0])


def candidates(network: NetworkDriver, top: LoadBalancer) -> list[Subnet]:
    """The subnets to try, in order."""
    if top.vip_network_id is not None:
        return in_network(network, top)
    if top.vip_subnet_id is None:
        raise Invalid("A load balancer needs one of vip_port_id, vip_network_id and vip_subnet_id.")
    return [known_subnet(network, top.vip_subnet_id, top.project_id)]


def in_network(network: NetworkDriver, top: LoadBalancer) -> list[Subnet]:
    found = network.network(top.vip_network_id or "")
    if found is None or found.project_id not in (None, top.project_id):
        raise Invalid(f"Network {top.vip_network_id} not found.")
    if top.vip_subnet_id is not None:
        subnet = known_subnet(network, top.vip_subnet_id, top.project_id)
        if subnet.network_id != found.id:
            raise Invalid(f"Subnet {subnet.id} is not in network {found.id}.")
        return [subnet]
    subnets = [known_subnet(network, subnet_id, top.project_id) for subnet_id in found.subnets]
    if len(subnets) == 1:
        return subnets
    address = top.vip_address
    fitting = sorted((s for s in subnets if holds(s, address)), key=lambda subnet: subnet.ip_version)
    if address is None:
        # One for the VIP and one for an amphora; where none has both, the first says that it is full.
        fitting = [subnet for subnet in fitting if network.has_room(subnet.id, 2)] or fitting
    if not fitting:
        raise Invalid(f"No subnet of network {found.id} " + (f"holds the address {address}." if address else "exists."))
    return fitting


def first_free(services: Services, top: LoadBalancer, subnets: Sequence[Subnet], address: str | None) -> NetworkPort:
    """A new port with an address of the first of these subnets that has one left."""
    for subnet in subnets[:-1]:
        try:
            return allocated(services, top, subnet, address)
        except SubnetFull:
            continue
    try:
        return allocated(services, top, subnets[-1], address)
    except SubnetFull:
        raise Conflict(f"Subnet {subnets[-1].id} has no free address left. Choose another one.") from None


def allocated(services: Services, top: LoadBalancer, subnet: Subnet, address: str | None) -> NetworkPort:
    try:
        return services.network.ensure_port(
            port_id=services.new_id(), subnet_id=subnet.id, address=address, owner=top.id, device_owner=DEVICE_OWNER
        )
    except Refused as refused:
        raise Invalid(str(refused)) from None
    except AddressTaken:
        raise Conflict(
            f"The address {address} in subnet {subnet.id} is in use already. Choose another one, or give none."
        ) from None


def with_additional(services: Services, top: LoadBalancer, made: list[str]) -> LoadBalancer:
    """The further addresses too: in the same network, each in a subnet of its own."""
    vips: list[AdditionalVip] = []
    for vip in top.additional_vips:
        subnet = known_subnet(services.network, vip.subnet_id, top.project_id)
        if subnet.network_id != top.vip_network_id:
            raise Invalid(f"Subnet {subnet.id} is not in network {top.vip_network_id}, as every VIP must be.")
        port = first_free(services, top, [subnet], vip.ip_address)
        made.append(port.id)
        vips.append(replace(vip, ip_address=port.fixed_ips[0].ip_address, port_id=port.id))
    return replace(top, additional_vips=tuple(vips))


def holds(subnet: Subnet, address: str | None) -> bool:
    return address is None or ipaddress.ip_address(address) in ipaddress.ip_network(subnet.cidr)
