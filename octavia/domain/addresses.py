"""IP addresses and networks as texts: one canonical form each."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network


def parsed(text: str) -> IPv4Address | IPv6Address | None:
    """The address; None for anything but a plain one. A zone (fe80::1%eth0) is not plain: it is any text at all."""
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None


def unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that ::ffff:192.0.2.1 stands for; any other one is itself."""
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def canonical(text: str) -> str:
    """The address in its one form; a text that is no address stays what it is, for the laws to find."""
    found = parsed(text)
    return text if found is None else str(found)


def network(text: str) -> IPv4Network | IPv6Network | None:
    """The network, its host bits masked off."""
    try:
        return None if "%" in text else ip_network(text, strict=False)
    except ValueError:
        return None


def canonical_network(text: str) -> str:
    found = network(text)
    return text if found is None else str(found)


def version(text: str) -> int | None:
    found = parsed(text)
    return None if found is None else found.version


def is_mask(text: str) -> bool:
    """Whether it is ones, then zeros, such as 255.255.255.0 or ffff:ffff::."""
    found = parsed(text)
    if found is None:
        return False
    hosts = ~int(found) & ((1 << found.max_prefixlen) - 1)
    return hosts & (hosts + 1) == 0
