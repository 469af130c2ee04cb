"""Networks, subnets and network ports, with the Network API's names."""

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
