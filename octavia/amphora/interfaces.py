"""The amphora's links carry the addresses that the document wishes, and no others of ours."""

import json
import logging
import subprocess
from collections.abc import Sequence
from ipaddress import ip_interface
from typing import Any

from octavia.domain.document import Interface
from octavia.host.announce import announce

LOG = logging.getLogger(__name__)


class LinkError(Exception):
    """A link is not as wished, and why."""


def ensure(interfaces: Sequence[Interface]) -> None:
    """Each link has its addresses and gateways, and neighbours have heard of new ones. Raises LinkError."""
    if not interfaces:
        return
    links = {str(link.get("address", "")).lower(): link for link in listed()}
    for interface in interfaces:
        link = links.get(interface.mac.lower())
        if link is None:
            raise LinkError(f"There is no link with the MAC address {interface.mac}.")
        commands, fresh = changes(interface, link)
        if commands:
            batch(commands)
        for address in fresh:
            told(link["ifname"], interface.mac, address)


def changes(interface: Interface, link: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The commands for `ip -batch` that make the link so, and the addresses that are new. Pure."""
    name = link["ifname"]
    has = {
        str(ip_interface(f"{info['local']}/{info['prefixlen']}"))
        for info in link.get("addr_info", [])
        if info.get("scope") == "global"
    }
    wanted = [str(ip_interface(address)) for address in interface.addresses]
    commands = [f"address del {address} dev {name}" for address in sorted(has.difference(wanted))]
    fresh = [address for address in wanted if address not in has]
    commands += [f"address add {address} dev {name}{' nodad' if ':' in address else ''}" for address in fresh]
    if link.get("operstate") == "DOWN" or "UP" not in link.get("flags", []) or link.get("mtu") != interface.mtu:
        commands.insert(0, f"link set {name} mtu {interface.mtu} up")
    if commands:
        commands += [f"route replace default via {gateway} dev {name}" for gateway in interface.gateways]
    return commands, [address.partition("/")[0] for address in fresh]


def listed() -> list[dict[str, Any]]:
    done = subprocess.run(["ip", "-j", "address", "show"], capture_output=True, text=True, timeout=10, check=False)
    if done.returncode:
        raise LinkError(f"The links cannot be listed: {done.stderr.strip()}")
    return json.loads(done.stdout or "[]")  # type: ignore[no-any-return]


def batch(commands: Sequence[str]) -> None:
    done = subprocess.run(
        ["ip", "-batch", "-"], input="\n".join(commands) + "\n", capture_output=True, text=True, timeout=10, check=False
    )
    if done.returncode:
        raise LinkError(f"ip: {done.stderr.strip()}")


def told(name: str, mac: str, address: str) -> None:
    try:
        announce(name, mac, address)
    except OSError as error:
        LOG.warning("the neighbours could not be told of %s: %s", address, error)
