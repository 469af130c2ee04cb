"""An amphora in a namespace of its own, with a link to its controller and one to its clients and members."""

import os
import subprocess
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from octavia.domain.document import Document, Interface
from octavia.drivers.faults import PortFault, Refused
from octavia.host import namespaces, processes
from tests.amphora.conftest import MISSING
from tests.amphora.stage import Stage, request
from tests.amphora.wishes import Wish, simple
from tests.host.needs import namespaces as needs_namespaces
from tests.host.needs import until

pytestmark = needs_namespaces
MAC = "02:00:00:00:00:0a"
TENANT = "198.18.60"
VIP6 = "2001:db8:60::10"


class Apart(Stage):
    """The test's thread is in one namespace, as the world around the amphora, and the amphora in another."""

    def __init__(self, folder: Path, outside: Path, inside: Path, **seed: Any) -> None:
        self.namespace = inside
        self.link("management", "mgmt", "02:00:00:00:00:01")
        self.link("tenant", "net0", MAC)
        ip(f"-n {inside.name} address add 198.18.50.1/24 dev mgmt")
        ip(f"-n {inside.name} link set mgmt up")
        ip("address add 198.18.50.2/24 dev management")
        for address in (f"{TENANT}.1/24", "2001:db8:60::1/64"):
            ip(f"address add {address} dev tenant")
        super().__init__(folder, shared_host=False, **seed)
        self.vip = f"{TENANT}.10"

    def network_for_us(self) -> str:
        return "198.18.50"

    def link(self, outer: str, inner: str, mac: str) -> None:
        assert self.namespace is not None
        ip(f"link add {outer} type veth peer name {inner} address {mac} netns {self.namespace.name}")
        ip(f"link set {outer} up")

    def inside(self, command: str) -> str:
        assert self.namespace is not None
        return ip(f"-n {self.namespace.name} {command}")

    def web_at(self, number: int) -> str:
        """The address of a member that the tenant's link leads to, and that stays when the link goes."""
        ip(f"address add {TENANT}.{number}/32 dev lo")
        self.network, before = TENANT, self.network
        try:
            return self.web(number=number).address
        finally:
            self.network = before


def ip(command: str) -> str:
    return subprocess.run(["ip", *command.split()], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def spaces() -> Iterator[tuple[Path, Path]]:
    names = [namespaces.name_for(str(uuid.uuid4())) for _ in range(2)]
    outside, inside = (namespaces.ensure(name) for name in names)
    try:
        with namespaces.entered(outside):
            yield outside, inside
    finally:
        for name in names:
            namespaces.remove(name)


@pytest.fixture
def amphora(spaces: tuple[Path, Path], tmp_path: Path) -> Iterator[Apart]:
    if MISSING:
        pytest.skip(f"not installed: {', '.join(MISSING)}")
    made = Apart(tmp_path, *spaces)
    try:
        made.certified()
        yield made
    finally:
        made.close()


@pytest.fixture
def wish(amphora: Apart) -> Wish:
    amphora.web_at(101)
    return simple(amphora, *amphora.webs)


def linked(wish: Wish, addresses: Sequence[str] = (f"{TENANT}.2/24", f"{TENANT}.10/32"), **fields: Any) -> Document:
    """The wish, on the tenant's link."""
    interface = Interface(mac=MAC, addresses=tuple(addresses), **fields)
    return msgspec.structs.replace(wish.document(), interfaces=(interface,))


def test_the_vip_answers_and_goes(amphora: Apart, wish: Wish) -> None:
    amphora.put(linked(wish, gateways=(f"{TENANT}.1",), mtu=1450))
    assert amphora.get() == "m2"
    assert "mtu 1450" in amphora.inside("link show net0")
    assert f"default via {TENANT}.1" in amphora.inside("route")
    amphora.remove(wish.id)
    assert TENANT not in amphora.inside("address show net0")
    assert "198.18.50.1/24" in amphora.inside("address show mgmt")
    assert [process.pid for process in amphora.ours()] == [amphora.running.pid]


def test_ipv6(amphora: Apart, wish: Wish) -> None:
    listener = wish.graph.listeners[0]
    document = linked(wish, ("2001:db8:60::2/64", f"{VIP6}/128", f"{TENANT}.2/24"))
    config = document.config.replace(f"bind {TENANT}.10:80", f"bind [{VIP6}]:80")
    amphora.put(msgspec.structs.replace(document, config=config, binds=((VIP6, 80),)))
    assert listener.id in config
    assert request(VIP6, 80) == "m2"


def test_a_document_that_does_not_fit_changes_no_address(amphora: Apart, wish: Wish) -> None:
    amphora.put(linked(wish))
    before = amphora.inside("-br address show net0")
    worse = linked(wish, (f"{TENANT}.2/24", f"{TENANT}.10/32", f"{TENANT}.11/32"))
    with amphora.traffic() as traffic:
        with pytest.raises(Refused, match="nonsense"):
            amphora.put(msgspec.structs.replace(worse, config="nonsense\n", reload_key="other"))
        assert traffic.stop()["failures"] == {}
    assert amphora.inside("-br address show net0") == before


def test_a_missing_link_may_come_yet(amphora: Apart, wish: Wish) -> None:
    amphora.inside("link del net0")
    with pytest.raises(PortFault, match="no link with the MAC address") as caught:
        amphora.put(linked(wish))
    assert not isinstance(caught.value, Refused)
    assert amphora.state().load_balancers == {}
    amphora.link("tenant", "net0", MAC)
    ip(f"address add {TENANT}.1/24 dev tenant")
    amphora.put(linked(wish))
    assert "10/32" in amphora.inside("address show net0")


def test_a_link_that_is_made_anew_gets_its_addresses(amphora: Apart, wish: Wish) -> None:
    """Nobody pushes a document for it: nothing of what is wished has changed."""
    amphora.put(linked(wish, gateways=(f"{TENANT}.1",)))
    amphora.inside("link del net0")
    amphora.link("tenant", "net0", MAC)
    ip(f"address add {TENANT}.1/24 dev tenant")
    until(lambda: amphora.get() == "m2", 10)
    assert f"default via {TENANT}.1" in amphora.inside("route")


def test_an_address_that_is_taken_away_comes_back(amphora: Apart, wish: Wish) -> None:
    amphora.put(linked(wish))
    amphora.inside(f"address del {TENANT}.10/32 dev net0")
    until(lambda: f"{TENANT}.10/32" in amphora.inside("address show net0"))


def test_addresses_and_traffic_outlive_the_agent(amphora: Apart, wish: Wish) -> None:
    amphora.put(linked(wish))
    with amphora.traffic() as traffic:
        amphora.restart()
        amphora.put(linked(wish, (f"{TENANT}.2/24", f"{TENANT}.10/32", f"{TENANT}.12/32")))
        assert traffic.stop()["failures"] == {}
    amphora.restart()
    amphora.put(linked(wish))
    assert f"{TENANT}.12" not in amphora.inside("address show net0")


def test_haproxy_becomes_somebody_else_and_reloads_still(amphora: Apart, wish: Wish) -> None:
    def as_nobody(port: int) -> Document:
        wish.add_listener(wish.pool, protocol_port=port)
        document = linked(wish)
        config = document.config.replace("    nbthread 1\n", "    nbthread 1\n    user nobody\n    gid 65534\n")
        assert "user nobody" in config
        return msgspec.structs.replace(document, config=config)

    amphora.put(as_nobody(81))
    with amphora.traffic() as traffic:
        for port in (82, 83):
            amphora.put(as_nobody(port))
            assert amphora.get(port) == "m2"
        assert traffic.stop()["failures"] == {}
    assert os.stat(f"/proc/{amphora.worker(wish.id)}").st_uid == 65534
    assert processes.inode_of(amphora.worker(wish.id)) == processes.inode_of(amphora.running.pid)
    amphora.beats()
    assert wish.graph.listeners[-1].id in amphora.beat().listeners


def test_load_balancers_share_a_link(amphora: Apart, wish: Wish) -> None:
    """A new agent takes no address away from one while it looks after the other, whichever can be read."""
    second = simple(amphora, *amphora.webs, port=81)
    first_vip, second_vip = f"{TENANT}.10/32", f"{TENANT}.11/32"
    amphora.put(linked(wish, (f"{TENANT}.2/24", first_vip)))
    amphora.put(linked(second, (f"{TENANT}.2/24", second_vip)))
    with following(amphora) as gone:
        amphora.restart()
        amphora.kill()
        (amphora.place(second.id) / "document.json").write_bytes(b"{}")
        amphora.start()
        amphora.answering()
        amphora.put(linked(wish, (f"{TENANT}.2/24", first_vip)))
        amphora.put(linked(second, (f"{TENANT}.2/24", second_vip)))
        assert gone() == []
        amphora.remove(wish.id)
        assert [line for line in gone() if first_vip in line]
        assert not [line for line in gone() if second_vip in line or ".2/24" in line]


@contextmanager
def following(amphora: Apart) -> Iterator[Callable[[], list[str]]]:
    """What tells which addresses have been taken away since."""
    assert amphora.namespace is not None
    path = amphora.folder / "monitor"
    with path.open("w") as output:
        argv = ["ip", "-n", amphora.namespace.name, "-o", "monitor", "address"]
        monitor = subprocess.Popen(argv, stdout=output)
    try:
        mark(amphora, path)
        yield lambda: [line for line in mark(amphora, path) if line.startswith("Deleted") and MARKER not in line]
    finally:
        monitor.kill()
        monitor.wait()


MARKER = "192.0.2.77/32"


def mark(amphora: Apart, path: Path) -> list[str]:
    """All lines until now: an address that comes and goes is the last of them."""
    before = path.read_text().count(MARKER)

    def shown() -> bool:
        amphora.inside(f"address add {MARKER} dev mgmt")
        amphora.inside(f"address del {MARKER} dev mgmt")
        return path.read_text().count(MARKER) > before

    until(shown)
    return path.read_text().splitlines()
