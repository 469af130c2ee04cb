"""The amphora's links carry the addresses that the documents wish, and none that were ours and are wished no more."""

import json
import logging
import socket
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

import msgspec

from octavia.domain.document import Interface
from octavia.host.announce import announce
from octavia.host.files import write

LOG = logging.getLogger(__name__)
Later = Callable[[float, Callable[[], None]], None]
"""Calls something after so many seconds."""
PROMOTE = "/proc/sys/net/ipv4/conf/{name}/promote_secondaries"
"""Without it the kernel takes the other addresses of a subnet away with the first one."""
Ours = dict[str, list[str]]
"""MAC address to the addresses that we have set there."""
Wishes = dict[str, tuple[Interface, ...]]
"""Load balancer id to what it wishes."""
GROUPS = 0x1 | 0x10 | 0x100
"""Netlink's news of links and of addresses of both kinds (RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR)."""
QUIET = 0.1
REPEATS = (1.0, 3.0)
"""Seconds after which neighbours are told again: the first time a switch may not listen yet."""


class LinkError(Exception):
    """A link is not as wished, and why."""


class Links:
    """All links of the amphora but the management link. What was set is on record, so that it can be taken away.

    Callers take turns.
    """

    def __init__(self, record: Path, later: Later) -> None:
        self._record = record
        self._later = later
        self._ours: Ours = recorded(record)
        self._wished: Wishes = {}
        self._prepared: Wishes = {}
        self._unread: set[str] = set()
        self._untold: list[tuple[str, str, list[str]]] = []

    def expect(self, load_balancer_id: str, interfaces: tuple[Interface, ...] | None) -> None:
        """This is what it wished last, or nobody can read it: then no address is taken away before it is told anew."""
        if interfaces is None:
            self._unread.add(load_balancer_id)
        else:
            self._wished = wishes(self._wished, load_balancer_id, interfaces)

    def prepare(self, load_balancer_id: str, interfaces: tuple[Interface, ...]) -> None:
        """Its links carry these addresses too; what they carried before is still there. Raises LinkError.

        Neighbours hear of it when it is settled: whoever had the address before serves until there is more than links.
        """
        if not interfaces or self._prepared.get(load_balancer_id) == interfaces:
            return
        self._prepared.pop(load_balancer_id, None)
        links = by_mac(listed())
        for interface in interfaces:
            link = links.get(interface.mac.lower())
            if link is None:
                raise LinkError(f"There is no link with the MAC address {interface.mac}.")
            self._remember(union(self._ours, [interface]))
            commands, fresh = additions(interface, link)
            promote(link["ifname"])
            batch(commands)
            self._untold.append((link["ifname"], interface.mac, fresh))
        self._prepared[load_balancer_id] = interfaces

    def settle(self, load_balancer_id: str, interfaces: tuple[Interface, ...]) -> None:
        """These are what it wishes now: addresses of ours that nobody wishes any more are gone."""
        self._wished = wishes(self._wished, load_balancer_id, interfaces)
        self._prepared.pop(load_balancer_id, None)
        self._unread.discard(load_balancer_id)
        self._tell()
        wished = union({}, (interface for each in self._wished.values() for interface in each))
        if not self._unread and (surplus := difference(self._ours, wished)):
            try:
                batch(removals(surplus, by_mac(listed())))
            except LinkError as error:
                LOG.warning("addresses that are not wished any more are still there: %s", error)
                return
            self._remember(wished)
        self._prepared[load_balancer_id] = interfaces

    def repair(self) -> None:
        """Whatever somebody has taken from the links is there again. Raises LinkError."""
        self._prepared.clear()
        for load_balancer_id, interfaces in self._wished.items():
            self.prepare(load_balancer_id, interfaces)
            self._tell()

    def _remember(self, ours: Ours) -> None:
        if ours != self._ours:
            write(self._record, msgspec.json.encode(ours), durable=False)
            self._ours = ours

    def _tell(self) -> None:
        """Neighbours know of the addresses that are new here, but for those that nobody wishes after all."""
        wished = union({}, (interface for each in self._wished.values() for interface in each))
        untold, self._untold = self._untold, []
        for name, mac, fresh in untold:
            mine = {address.partition("/")[0] for address in wished.get(mac.lower(), ())}
            if addresses := [address for address in fresh if address in mine]:
                told(name, mac, addresses)
                for pause in REPEATS:
                    self._later(pause, partial(told, name, mac, addresses))


def wishes(before: Wishes, load_balancer_id: str, interfaces: tuple[Interface, ...]) -> Wishes:
    """Who wishes nothing any more is not kept."""
    return {key: value for key, value in {**before, load_balancer_id: interfaces}.items() if value}


def when_changed(call: Callable[[], None]) -> None:
    """Calls it, for ever, whenever links or addresses of the current namespace have changed and it is quiet again."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as events:
        events.bind((0, GROUPS))
        while True:
            events.settimeout(None)
            drained(events)
            call()


def drained(events: socket.socket) -> None:
    """Something has happened, and then nothing for a moment."""
    try:
        while True:
            events.recv(65536)
            events.settimeout(QUIET)
    except TimeoutError:
        pass
    except OSError as error:
        # More has happened than could be kept for us.
        LOG.info("events of links were lost: %s", error)


def recorded(path: Path) -> Ours:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Ours)
    except (FileNotFoundError, msgspec.DecodeError):
        return {}


def union(ours: Ours, interfaces: Iterable[Interface]) -> Ours:
    """With the addresses of these interfaces."""
    found = {mac: set(addresses) for mac, addresses in ours.items()}
    for interface in interfaces:
        found.setdefault(interface.mac.lower(), set()).update(map(plain, interface.addresses))
    return {mac: sorted(addresses) for mac, addresses in found.items()}


def difference(ours: Ours, wished: Ours) -> Ours:
    left = {mac: sorted(set(addresses).difference(wished.get(mac, ()))) for mac, addresses in ours.items()}
    return {mac: addresses for mac, addresses in left.items() if addresses}


def additions(interface: Interface, link: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The commands for `ip -batch` that make the link so, and the addresses (without prefix) that are new."""
    name, has = link["ifname"], addresses_on(link)
    fresh = [address for address in map(plain, interface.addresses) if address not in has]
    commands = [f"link set {name} mtu {interface.mtu} up"] if differs(link, interface.mtu) else []
    commands += [f"address replace {address} dev {name}{flags(address)}" for address in fresh]
    commands += [f"route replace default via {gateway} dev {name}" for gateway in interface.gateways]
    return commands, [address.partition("/")[0] for address in fresh]


def flags(address: str) -> str:
    """IPv6 addresses are of use at once; those for themselves alone (VIPs) are not what members are spoken to from."""
    if ":" not in address:
        return ""
    return " preferred_lft 0 nodad" if address.endswith("/128") else " nodad"


def removals(surplus: Ours, links: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The commands that take these addresses from the links that there are and that have them."""
    return [
        f"address del {address} dev {links[mac]['ifname']}"
        for mac, addresses in surplus.items()
        if mac in links
        for address in addresses
        if address in addresses_on(links[mac])
    ]


def differs(link: Mapping[str, Any], mtu: int) -> bool:
    return "UP" not in link.get("flags", ()) or link.get("mtu") != mtu


def addresses_on(link: Mapping[str, Any]) -> set[str]:
    return {
        plain(f"{info['local']}/{info['prefixlen']}") for info in link.get("addr_info", ()) if info["scope"] == "global"
    }


def plain(address: str) -> str:
    """As everybody writes it: 2001:db8::1/64."""
    return str(ip_interface(address))


def by_mac(links: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {str(link.get("address", "")).lower(): link for link in links}


def listed() -> list[dict[str, Any]]:
    """Raises LinkError."""
    found: list[dict[str, Any]] = json.loads(ip("-j", "address", "show") or "[]")
    return found


def batch(commands: Sequence[str]) -> None:
    """Raises LinkError."""
    if commands:
        ip("-batch", "-", given="\n".join(commands) + "\n")


def ip(*arguments: str, given: str = "") -> str:
    """What the command prints. Raises LinkError."""
    try:
        done = subprocess.run(["ip", *arguments], input=given, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LinkError(f"ip cannot be run: {error}") from error
    if done.returncode:
        raise LinkError(f"ip: {done.stderr.strip()}")
    return done.stdout


def promote(name: str) -> None:
    try:
        Path(PROMOTE.format(name=name)).write_text("1")
    except OSError as error:
        LOG.info("%s: %s", name, error)


def told(name: str, mac: str, addresses: Iterable[str]) -> None:
    for address in addresses:
        try:
            announce(name, mac, address)
        except OSError as error:
            LOG.warning("the neighbours could not be told of %s: %s", address, error)
