"""Bridges, and pairs of links from a bridge into a namespace, over netlink. Every verb may be repeated."""

import errno
import hashlib
import os
import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_interface
from pathlib import Path
from typing import TYPE_CHECKING, Any

from octavia.host.namespaces import entered, write_sysctl

if TYPE_CHECKING:
    from pyroute2 import IPRoute

NODAD = 0x02


def bridge_name(network_id: str) -> str:
    """The bridge of a network on this host."""
    return "octb" + short(network_id)


def port_name(port_id: str) -> str:
    """The bridge's end of a network port's link."""
    return "octp" + short(port_id)


def inner_name(port_id: str) -> str:
    """The amphora's end of a network port's link."""
    return "net" + short(port_id)


def management_name(amphora_id: str) -> str:
    """The bridge's end of an amphora's management link."""
    return "octm" + short(amphora_id)


def short(identifier: str) -> str:
    """Eleven characters of the identifier, so that the name of a link fits into fifteen."""
    plain = identifier.replace("-", "")
    return plain[:11] if len(plain) >= 11 else hashlib.sha256(plain.encode()).hexdigest()[:11]


def mac_for(identifier: str) -> str:
    """A locally administered MAC address that is always the same for this identifier."""
    octets = bytearray(hashlib.sha256(identifier.encode()).digest()[:6])
    octets[0] = octets[0] & 0xFC | 0x02
    return octets.hex(":")


def netlink() -> "IPRoute":
    # 0.2 s to import: only who makes links pays for it.
    from pyroute2 import IPRoute

    return IPRoute()


def attempt(call: Callable[[], Any], *harmless: int) -> None:
    """The call was made; these errors mean that what it wants is true already. Others are raised as OSError."""
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        call()
    except NetlinkError as error:
        if error.code not in harmless:
            raise OSError(error.code, os.strerror(error.code)) from error


def index_of(name: str) -> int | None:
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return None


def ensure_bridge(name: str, addresses: Sequence[str] = (), mtu: int = 1500) -> None:
    """The bridge is up with these addresses (192.0.2.1/24) among its own. Raises OSError."""
    with netlink() as route:
        if index_of(name) is None:
            # Without a MAC of its own a bridge takes that of a port, and changes it as ports come and go.
            attempt(
                lambda: route.link(
                    "add", ifname=name, kind="bridge", address=mac_for(name), mtu=mtu, br_stp_state=0, state="up"
                ),
                errno.EEXIST,
            )
        index = required(name)
        attempt(lambda: route.link("set", index=index, state="up"))
        for address in addresses:
            add_address(route, index, address)


def required(name: str) -> int:
    index = index_of(name)
    if index is None:
        raise OSError(errno.ENODEV, f"there is no link {name}")
    return index


def add_address(route: "IPRoute", index: int, address: str) -> None:
    interface = ip_interface(address)
    family = socket.AF_INET if interface.version == 4 else socket.AF_INET6
    given: dict[str, Any] = {"address": str(interface.ip), "prefixlen": interface.network.prefixlen, "family": family}
    if interface.version == 6:
        given["flags"] = NODAD
    attempt(lambda: route.addr("add", index=index, **given), errno.EEXIST)


def ensure_link(
    bridge: str, outer: str, namespace: Path, inner: str, mac: str, addresses: Sequence[str] = (), mtu: int = 1500
) -> None:
    """A pair of links joins the bridge and the namespace: `outer` is the bridge's end, `inner` has the MAC address
    and, among its own, the addresses. Raises OSError."""
    with entered(namespace):
        complete = exists(inner)
    if not complete:
        # A namespace that has just gone may keep the other end for a while.
        remove(outer)
    with netlink() as route:
        if not exists(outer):
            make_pair(route, outer, namespace, inner, mac, mtu)
        ends = required(outer), required(bridge)
        attempt(lambda: route.link("set", index=ends[0], master=ends[1], state="up"))
    with entered(namespace), netlink() as inside:
        index = required(inner)
        attempt(lambda: inside.link("set", index=index, state="up"))
        for address in addresses:
            add_address(inside, index, address)


def make_pair(route: "IPRoute", outer: str, namespace: Path, inner: str, mac: str, mtu: int) -> None:
    """The inner end is born in the namespace with its name and MAC: nobody ever sees it elsewhere."""
    descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        peer = {"ifname": inner, "address": mac, "mtu": mtu, "net_ns_fd": descriptor}
        attempt(
            lambda: route.link("add", ifname=outer, kind="veth", address=mac_for(outer), mtu=mtu, peer=peer),
            errno.EEXIST,
        )
    finally:
        os.close(descriptor)
    # The bridge speaks for all of its ports.
    write_sysctl(f"net/ipv6/conf/{outer}/disable_ipv6", "1")


def remove(name: str) -> None:
    """No link of this name is left in the current namespace, nor its other end."""
    with netlink() as route:
        index = index_of(name)
        if index is not None:
            attempt(lambda: route.link("del", index=index), errno.ENODEV)


def exists(name: str) -> bool:
    return index_of(name) is not None


def holder_of(address: str) -> str | None:
    """The link of the current namespace that has this address."""
    with netlink() as route:
        found = route.get_addr(address=address)
        return next((socket.if_indextoname(entry["index"]) for entry in found), None)
