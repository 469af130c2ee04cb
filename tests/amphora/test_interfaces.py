"""The amphora's links: in a namespace, with what neighbours hear."""

import json
import os
import socket
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from octavia.amphora import interfaces
from octavia.amphora.interfaces import LinkError, Links
from octavia.domain.document import Interface
from octavia.host import namespaces
from tests.host import needs

MAC, OTHER = "02:00:00:00:00:01", "02:00:00:00:00:02"
OWN, VIP = "198.18.0.2/24", "198.18.0.10/32"


@pytest.fixture
def inside() -> Iterator[None]:
    """The test's thread is in a namespace with two pairs of links, down and bare."""
    name = namespaces.name_for(str(uuid.uuid4()))
    path = namespaces.ensure(name)
    try:
        with namespaces.entered(path):
            for number, mac in enumerate((MAC, OTHER)):
                ip(f"link add net{number} address {mac} type veth peer name peer{number}")
                ip(f"link set peer{number} up")
            yield
    finally:
        namespaces.remove(name)


def ip(command: str) -> str:
    return subprocess.run(["ip", *command.split()], check=True, capture_output=True, text=True).stdout


def link(name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads(ip(f"-j address show dev {name}"))
    return found[0]


def addresses(name: str = "net0") -> set[str]:
    return interfaces.addresses_on(link(name))


def interface(*wanted: str, mac: str = MAC, **fields: Any) -> Interface:
    return Interface(mac=mac, addresses=wanted, **fields)


class Later:
    """Remembers what is to be done later."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, Callable[[], None]]] = []

    def __call__(self, seconds: float, call: Callable[[], None]) -> None:
        self.calls.append((seconds, call))


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
def links(tmp_path: Path, later: Later) -> Links:
    return Links(tmp_path / "addresses.json", later)


def wish(links: Links, owner: str, *wanted: Interface) -> None:
    links.prepare(owner, wanted)
    links.settle(owner, wanted)


@needs.namespaces
@pytest.mark.usefixtures("inside")
class TestInNamespace:
    def test_a_link_is_up_with_its_addresses_and_gateways(self, links: Links) -> None:
        wanted = interface(
            OWN, VIP, "2001:db8::2/64", "2001:db8::10/128", gateways=("198.18.0.1", "2001:db8::1"), mtu=1400
        )
        wish(links, "a", wanted)
        assert addresses() == set(wanted.addresses)
        assert (link("net0")["mtu"], link("net0")["operstate"]) == (1400, "UP")
        assert "default via 198.18.0.1 dev net0" in ip("-4 route")
        assert "default via 2001:db8::1 dev net0" in ip("-6 route")
        states = {info["local"]: info for info in link("net0")["addr_info"]}
        assert not any(info.get("tentative") for info in states.values())
        assert states["2001:db8::10"]["preferred_life_time"] == 0

    def test_nothing_is_done_twice(self, links: Links, later: Later) -> None:
        wish(links, "a", interface(OWN))
        done = len(later.calls)
        wish(links, "a", interface(OWN))
        links.prepare("b", (interface(OWN),))
        assert len(later.calls) == done
        assert addresses() == {OWN}

    def test_only_addresses_of_ours_are_taken_away(self, links: Links) -> None:
        ip("address add 203.0.113.9/24 dev net0")
        wish(links, "a", interface(OWN, VIP))
        wish(links, "a", interface(OWN))
        assert addresses() == {OWN, "203.0.113.9/24"}

    def test_others_of_a_subnet_stay_when_its_first_address_goes(self, links: Links) -> None:
        wish(links, "a", interface("198.18.0.2/24"))
        wish(links, "a", interface("198.18.0.3/24", "198.18.0.4/24"))
        assert addresses() == {"198.18.0.3/24", "198.18.0.4/24"}

    def test_two_load_balancers_on_one_link(self, links: Links) -> None:
        wish(links, "a", interface(OWN, "198.18.0.10/32"))
        wish(links, "b", interface(OWN, "198.18.0.11/32"))
        assert addresses() == {OWN, "198.18.0.10/32", "198.18.0.11/32"}
        links.settle("a", ())
        assert addresses() == {OWN, "198.18.0.11/32"}
        links.settle("b", ())
        assert addresses() == set()

    def test_a_wish_that_failed_leaves_nothing(self, links: Links) -> None:
        wish(links, "a", interface(OWN))
        links.prepare("a", (interface(OWN, VIP),))
        assert addresses() == {OWN, VIP}
        links.settle("a", (interface(OWN),))
        assert addresses() == {OWN}

    def test_a_missing_link_is_said(self, links: Links) -> None:
        with pytest.raises(LinkError, match="no link with the MAC address 02:00:00:00:00:99"):
            links.prepare("a", (interface(OWN), interface("198.18.1.2/24", mac="02:00:00:00:00:99")))
        links.settle("a", ())
        assert addresses() == set()

    def test_a_gateway_that_cannot_be_is_said(self, links: Links) -> None:
        with pytest.raises(LinkError, match="ip: "):
            links.prepare("a", (interface(OWN, gateways=("203.0.113.1",)),))

    def test_what_an_earlier_agent_set_is_taken_away(self, links: Links, tmp_path: Path, later: Later) -> None:
        wish(links, "a", interface(OWN, VIP))
        successor = Links(tmp_path / "addresses.json", later)
        wish(successor, "a", interface(OWN))
        assert addresses() == {OWN}

    def test_a_link_that_was_made_anew(self, links: Links) -> None:
        wish(links, "a", interface(OWN), interface("198.18.1.2/24", mac=OTHER))
        ip("link del net1")
        links.settle("a", (interface(OWN),))
        ip(f"link add net1 address {OTHER} type veth peer name peer1")
        wish(links, "a", interface(OWN), interface("198.18.1.2/24", mac=OTHER.upper()))
        assert addresses("net1") == {"198.18.1.2/24"}

    def test_the_gateway_alone_changes(self, links: Links) -> None:
        wish(links, "a", interface(OWN, gateways=("198.18.0.1",)))
        wish(links, "a", interface(OWN, gateways=("198.18.0.254",)))
        assert ip("-4 route show default").split()[:3] == ["default", "via", "198.18.0.254"]

    def test_what_somebody_took_away_is_set_again(self, links: Links) -> None:
        wish(links, "a", interface(OWN, VIP, gateways=("198.18.0.1",)))
        wish(links, "b", interface("198.18.1.2/24", mac=OTHER))
        ip(f"address del {VIP} dev net0")
        ip("link del net1")
        ip(f"link add net1 address {OTHER} type veth peer name peer1")
        links.repair()
        assert addresses() == {OWN, VIP}
        assert addresses("net1") == {"198.18.1.2/24"}

    def test_changes_are_noticed(self) -> None:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as events:
            events.bind((0, interfaces.GROUPS))
            for change in ("address add 198.18.0.9/24 dev net0", "-6 address add ::9/64 dev net0", "link del net1"):
                ip(change)
                events.settimeout(5)
                interfaces.drained(events)

    def test_neighbours_hear_of_new_addresses_and_hear_it_again(self, links: Links, later: Later) -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806)) as neighbour:
            neighbour.bind(("peer0", 0x0806))
            neighbour.settimeout(5)
            ip("link set net0 up")
            wish(links, "a", interface(OWN))
            first = [neighbour.recv(100) for _ in range(2)]
            assert all(socket.inet_aton("198.18.0.2") in frame for frame in first)
            assert [seconds for seconds, _ in later.calls] == list(interfaces.REPEATS)
            later.calls[0][1]()
            assert neighbour.recv(100) == first[0]


def test_a_missing_ip_command_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "PATH", "/nowhere")
    with pytest.raises(LinkError, match="ip cannot be run"):
        interfaces.listed()
