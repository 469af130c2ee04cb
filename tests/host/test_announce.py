"""Neighbours believe what is announced."""

import json
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv6Address
from pathlib import Path

import pytest

from octavia.host import links, namespaces
from octavia.host.announce import ALL_NODES, advertisement, announce, checksum
from tests.host import needs

OLD, NEW = "02:00:00:00:00:01", "02:00:00:00:00:02"
NETWORKS = {"10.213.8.9": "10.213.8.1/24", "fd00:213:8::9": "fd00:213:8::1/64"}


@pytest.fixture
def place() -> Iterator[tuple[str, Path]]:
    """A bridge, and a namespace that is joined to it by its link net0."""
    name, bridge = namespaces.name_for(str(uuid.uuid4())), links.bridge_name(str(uuid.uuid4()))
    with ExitStack() as stack:
        stack.callback(links.remove, bridge)
        stack.callback(namespaces.remove, name)
        links.ensure_bridge(bridge, list(NETWORKS.values()))
        links.ensure_link(bridge, links.port_name(name[8:]), namespaces.ensure(name), "net0", NEW)
        yield bridge, namespaces.path_of(name)


def believed(bridge: str, address: str) -> str | None:
    command = ["ip", "-j", "neigh", "show", address, "dev", bridge]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return str(found[0]["lladdr"]) if found else None


@needs.namespaces
@pytest.mark.parametrize("address", NETWORKS)
def test_a_neighbour_learns_who_has_the_address_now(place: tuple[str, Path], address: str) -> None:
    bridge, inside = place
    subprocess.run(["ip", "neigh", "replace", address, "lladdr", OLD, "nud", "stale", "dev", bridge], check=True)
    with namespaces.entered(inside):
        announce("net0", NEW, address)
    needs.until(lambda: believed(bridge, address) == NEW)


def test_an_advertisement_has_a_right_checksum() -> None:
    sender = IPv6Address("fd00::9")
    body = advertisement(bytes.fromhex("020000000002"), sender)[54:]
    pseudo = sender.packed + ALL_NODES.packed + len(body).to_bytes(4, "big") + (58).to_bytes(4, "big")
    assert checksum(pseudo + body) == 0


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="address"):
        announce("lo", OLD, "nonsense")
