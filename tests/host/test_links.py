"""Bridges and pairs of links, for real."""

import json
import socket
import subprocess
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from octavia.host import links, namespaces
from tests.host import needs

MAC = "02:00:00:00:12:34"


def shown(name: str, namespace: Path | None = None) -> dict[str, Any]:
    """What iproute2 says of a link."""
    inside = ["-n", namespace.name] if namespace else []
    command = ["ip", *inside, "-d", "-j", "addr", "show", "dev", name]
    done: list[dict[str, Any]] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return done[0]


def addresses(link: dict[str, Any]) -> set[str]:
    return {f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"] if a["scope"] == "global"}


@pytest.fixture
def bridge() -> Iterator[str]:
    name = links.bridge_name(str(uuid.uuid4()))
    yield name
    links.remove(name)


@pytest.fixture
def namespace() -> Iterator[Callable[[], Path]]:
    with ExitStack() as stack:

        def make() -> Path:
            name = namespaces.name_for(str(uuid.uuid4()))
            stack.callback(namespaces.remove, name)
            return namespaces.ensure(name)

        yield make


@pytest.mark.parametrize(
    "name", [links.bridge_name, links.port_name, links.inner_name, links.management_name], ids=lambda f: f.__name__
)
def test_names_fit_and_differ(name: Callable[[str], str]) -> None:
    made = {name(str(uuid.uuid4())) for _ in range(100)} | {name("demo"), name("")}
    assert len(made) == 102
    assert max(map(len, made)) <= 15


def test_a_mac_is_local_and_stays_the_same() -> None:
    identifier = str(uuid.uuid4())
    assert links.mac_for(identifier) == links.mac_for(identifier) != links.mac_for("other")
    assert int(links.mac_for(identifier)[:2], 16) & 3 == 2


@needs.namespaces
def test_a_bridge_may_be_ensured_again(bridge: str) -> None:
    links.ensure_bridge(bridge, ["10.213.7.1/24"])
    first = shown(bridge)
    links.ensure_bridge(bridge, ["10.213.7.1/24", "fd00:213:7::1/64"])
    second = shown(bridge)
    assert second["ifindex"] == first["ifindex"]
    assert second["linkinfo"]["info_kind"] == "bridge"
    assert addresses(second) == {"10.213.7.1/24", "fd00:213:7::1/64"}
    assert "UP" in second["flags"]
    assert links.holder_of("10.213.7.1") == bridge
    assert links.holder_of("10.213.7.9") is None


@needs.namespaces
def test_a_bridge_keeps_its_mac(bridge: str, namespace: Callable[[], Path]) -> None:
    links.ensure_bridge(bridge)
    mac = shown(bridge)["address"]
    links.ensure_link(bridge, links.port_name(str(uuid.uuid4())), namespace(), "net0", "02:00:00:00:00:01")
    assert shown(bridge)["address"] == mac


@needs.namespaces
def test_a_link_joins_bridge_and_namespace(bridge: str, namespace: Callable[[], Path]) -> None:
    inside, outer = namespace(), links.port_name(str(uuid.uuid4()))
    links.ensure_bridge(bridge, ["10.213.7.1/24"])
    for _ in range(2):
        links.ensure_link(bridge, outer, inside, "net0", MAC, ["10.213.7.2/24", "fd00:213:7::2/64"], mtu=1400)
    assert shown(outer)["master"] == bridge
    inner = shown("net0", inside)
    assert inner["address"] == MAC
    assert inner["mtu"] == 1400
    assert addresses(inner) == {"10.213.7.2/24", "fd00:213:7::2/64"}
    links.remove(outer)
    links.remove(outer)
    assert not links.exists(outer)


@needs.namespaces
def test_traffic_passes(bridge: str, namespace: Callable[[], Path]) -> None:
    inside = namespace()
    links.ensure_bridge(bridge, ["10.213.7.1/24", "fd00:213:7::1/64"])
    links.ensure_link(
        bridge, links.port_name(str(uuid.uuid4())), inside, "net0", MAC, ["10.213.7.2/24", "fd00:213:7::2/64"]
    )
    # The kernel drops what is sent in the first millisecond, and the next try is a second later.
    needs.until(lambda: shown("net0", inside)["operstate"] == shown(bridge)["operstate"] == "UP")
    for family, near, far in (
        (socket.AF_INET, "10.213.7.1", "10.213.7.2"),
        (socket.AF_INET6, "fd00:213:7::1", "fd00:213:7::2"),
    ):
        with namespaces.entered(inside):
            server = socket.create_server((far, 80), family=family)
        server.settimeout(5)
        with server, socket.create_connection((far, 80), timeout=5) as client, server.accept()[0]:
            assert client.getsockname()[0] == near


@needs.namespaces
def test_a_link_whose_namespace_has_gone_is_made_anew(bridge: str, namespace: Callable[[], Path]) -> None:
    first, second, outer = namespace(), namespace(), links.port_name(str(uuid.uuid4()))
    links.ensure_bridge(bridge)
    links.ensure_link(bridge, outer, first, "net0", MAC)
    links.ensure_link(bridge, outer, second, "net0", MAC)
    assert shown("net0", second)["address"] == MAC


@needs.namespaces
def test_what_cannot_be_is_an_oserror(namespace: Callable[[], Path]) -> None:
    with pytest.raises(OSError, match="no link"):
        links.ensure_link("octbnone", "octpnone", namespace(), "net0", MAC)
    links.remove("octpnone")
    with pytest.raises(OSError, match="Numerical"):
        links.ensure_bridge("octb-far-too-long-a-name")


@needs.namespaces
def test_eight_threads_at_once(bridge: str, namespace: Callable[[], Path]) -> None:
    spaces = [namespace() for _ in range(16)]

    def join(number: int) -> None:
        links.ensure_bridge(bridge, ["10.213.7.1/24"])
        address = f"10.213.7.{number + 2}/24"
        links.ensure_link(bridge, links.port_name(spaces[number].name[8:]), spaces[number], "net0", MAC, [address])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(join, range(16)))
    assert [addresses(shown("net0", space)) for space in spaces] == [{f"10.213.7.{n + 2}/24"} for n in range(16)]
