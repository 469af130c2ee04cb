"""Telling the neighbours who has an address now: gratuitous ARP, unsolicited neighbour advertisements."""

import socket
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

ARP = 0x0806
IPV6 = 0x86DD
EVERYBODY = b"\xff" * 6
ALL_NODES = IPv6Address("ff02::1")
ALL_NODES_MAC = bytes.fromhex("333300000001")
ICMPV6 = 58
OVERRIDE = 0x20000000


def announce(interface: str, mac: str, address: str) -> None:
    """All on the link have heard that this MAC address has this address. Raises OSError."""
    hardware = bytes.fromhex(mac.replace(":", ""))
    parsed = ip_address(address)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
        link.bind((interface, 0))
        for frame in frames(hardware, parsed):
            link.send(frame)


def frames(mac: bytes, address: IPv4Address | IPv6Address) -> tuple[bytes, ...]:
    if isinstance(address, IPv6Address):
        return (advertisement(mac, address),)
    # Some hosts take news from requests alone, others from replies alone.
    return arp(mac, address, 1), arp(mac, address, 2)


def arp(mac: bytes, address: IPv4Address, operation: int) -> bytes:
    """Sender and target are the same address."""
    target = bytes(6) if operation == 1 else EVERYBODY
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + mac + address.packed + target + address.packed
    return EVERYBODY + mac + struct.pack("!H", ARP) + body


def advertisement(mac: bytes, address: IPv6Address) -> bytes:
    """Neighbours replace what they believed (RFC 4861, 4.4 and 7.2.6)."""
    option = struct.pack("!BB", 2, 1) + mac
    body = struct.pack("!BBHI", 136, 0, 0, OVERRIDE) + address.packed + option
    pseudo = address.packed + ALL_NODES.packed + struct.pack("!II", len(body), ICMPV6)
    body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
    header = struct.pack("!IHBB", 6 << 28, len(body), ICMPV6, 255) + address.packed + ALL_NODES.packed
    return ALL_NODES_MAC + mac + struct.pack("!H", IPV6) + header + body


def checksum(data: bytes) -> int:
    """The ones' complement of the sum of 16-bit words; the data is of even length."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
