"""Amphorae as namespaces, for real; agents that sleep stand in for ours."""

import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from octavia.domain.document import AGENT_PORT
from octavia.domain.heartbeat import amphora_key
from octavia.drivers.compute import Compute, Wish
from octavia.drivers.compute.folders import Folders
from octavia.drivers.compute.netns import Netns, management_bridge
from octavia.drivers.compute.onhost import MARK, Deployment, marked
from octavia.drivers.faults import PortFault, Refused
from octavia.drivers.network import FixedIp, NetworkPort
from octavia.host import links, namespaces, privileges, processes
from octavia.host.processes import Process
from tests.host import needs
from tests.host.needs import until

pytestmark = needs.namespaces
Make = Callable[[], Netns]


@pytest.fixture
def make(deployment: Deployment, management: str) -> Iterator[Make]:
    """Another control plane over the same amphorae, each time it is called."""
    computes: list[Netns] = []

    def made() -> Netns:
        computes.append(Netns(deployment, management))
        return computes[-1]

    yield made
    # Two control planes at once are never right: one would keep alive what the other removes.
    for compute in computes:
        compute.close()
    cleaner = made()
    for amphora_id in cleaner.list():
        cleaner.remove(amphora_id)
    cleaner.clear()
    cleaner.close()


@pytest.fixture
def compute(make: Make) -> Netns:
    return make()


@pytest.fixture
def network_id() -> Iterator[str]:
    made = str(uuid.uuid4())
    yield made
    links.remove(links.bridge_name(made))


def wish(amphora_id: str | None = None, secret: str = "secret") -> Wish:
    return Wish(amphora_id=amphora_id or str(uuid.uuid4()), boot_secret=secret)


def port_in(network_id: str, owner: str) -> NetworkPort:
    port_id = str(uuid.uuid4())
    fixed = (FixedIp("subnet", "198.51.100.5"),)
    return NetworkPort(
        id=port_id,
        network_id=network_id,
        owner=owner,
        device_owner="octavia:amphora",
        mac_address=links.mac_for(port_id),
        fixed_ips=fixed,
    )


def namespace_of(amphora_id: str) -> Path:
    return namespaces.path_of(namespaces.name_for(amphora_id))


def agent_of(deployment: Deployment, amphora_id: str) -> Process:
    """The agent that runs; it may just be starting."""
    found: list[Process] = []

    def running() -> bool:
        found[:] = [process for process in [Folders(deployment.folder).agent(amphora_id)] if process]
        return bool(found)

    until(running)
    return found[0]


def links_in(amphora_id: str) -> dict[str, str]:
    """Name to MAC address of what iproute2 sees inside."""
    command = ["ip", "-n", namespace_of(amphora_id).name, "-j", "link"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return {link["ifname"]: link["address"] for link in found}


def start_inside(amphora_id: str, folder: Path) -> Process:
    """What an agent would start: a process in its namespace and of its mark, in a session of its own."""
    return processes.spawn(["sleep", "1000"], cwd=folder, log=folder / "log", namespace=namespace_of(amphora_id))


def test_it_is_a_compute(compute: Netns) -> None:
    port: Compute = compute
    assert port.abilities().kind == "netns"
    assert port.abilities().lowest_port == 1


def test_heartbeats_arrive_on_the_management_bridge(compute: Netns, deployment: Deployment, management: str) -> None:
    gateway = management.replace("0/24", "1")
    assert compute.receiver_address() == (gateway, 5555)
    assert links.holder_of(gateway) == management_bridge(deployment.folder)


def test_an_amphora_is_made_with_its_seed_and_agent(compute: Netns, deployment: Deployment, management: str) -> None:
    made = wish()
    instance = compute.ensure(made)
    assert instance == compute.get(made.amphora_id)
    assert (instance.status, instance.port) == ("RUNNING", AGENT_PORT)
    assert instance.address == management.replace("0/24", "2")
    folder = deployment.folder / made.amphora_id
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "seed.json").stat().st_mode & 0o777 == 0o600
    seed = Folders(deployment.folder).seed(made.amphora_id)
    assert seed is not None
    assert seed.listen == (instance.address, AGENT_PORT)
    assert seed.receivers == (compute.receiver_address(),)
    assert seed.heartbeat_key == amphora_key(b"master", made.amphora_id).hex()
    assert (seed.boot_secret, seed.heartbeat_interval, seed.haproxy_user) == ("secret", 0.5, "haproxy")
    agent = agent_of(deployment, made.amphora_id)
    assert processes.in_namespace(namespace_of(made.amphora_id)) == [agent]
    assert set(links_in(made.amphora_id)) == {"lo", "mgmt0"}
    until(lambda: processes.arguments(agent.pid) == ("sleep", "1000"))
    assert f"{MARK}={made.amphora_id}" in processes.environment(agent.pid)


def test_passwords_of_ours_are_not_for_the_agent(
    compute: Netns, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_PASSWORD", "secret")
    made = wish()
    compute.ensure(made)
    assert "OS_PASSWORD" not in str(processes.environment(agent_of(deployment, made.amphora_id).pid))


def test_ensuring_again_changes_nothing(compute: Netns, deployment: Deployment) -> None:
    made = wish()
    first = compute.ensure(made)
    agent = agent_of(deployment, made.amphora_id)
    assert compute.ensure(made) == first
    assert agent_of(deployment, made.amphora_id) == agent


def test_a_new_secret_reaches_the_agent(compute: Netns, deployment: Deployment) -> None:
    made = wish()
    first = compute.ensure(made)
    agent = agent_of(deployment, made.amphora_id)
    assert compute.ensure(wish(made.amphora_id, "another")) == first
    seed = Folders(deployment.folder).seed(made.amphora_id)
    assert seed is not None
    assert seed.boot_secret == "another"
    assert not processes.alive(agent)
    assert agent_of(deployment, made.amphora_id) != agent


def test_nothing_is_there_before_and_after(compute: Netns, deployment: Deployment) -> None:
    made = wish()
    assert compute.get(made.amphora_id) is None
    compute.remove(made.amphora_id)
    compute.ensure(made)
    agent = agent_of(deployment, made.amphora_id)
    haproxy = start_inside(made.amphora_id, deployment.folder)
    compute.remove(made.amphora_id)
    assert compute.get(made.amphora_id) is None
    assert compute.list() == frozenset()
    assert not processes.alive(agent)
    assert not processes.alive(haproxy)
    assert not namespace_of(made.amphora_id).exists()
    assert not links.exists(links.management_name(made.amphora_id))
    assert not (deployment.folder / made.amphora_id).exists()
    compute.remove(made.amphora_id)


def test_an_agent_that_dies_comes_back_and_harms_nobody(compute: Netns, deployment: Deployment) -> None:
    made = wish()
    compute.ensure(made)
    first = agent_of(deployment, made.amphora_id)
    haproxy = start_inside(made.amphora_id, deployment.folder)
    processes.end(first, grace=1)
    assert agent_of(deployment, made.amphora_id) != first
    assert processes.alive(haproxy)


def test_a_new_control_plane_adopts(compute: Netns, make: Make, deployment: Deployment) -> None:
    made = wish()
    compute.ensure(made)
    first = agent_of(deployment, made.amphora_id)
    compute.close()
    later = make()
    assert later.adopt() == {made.amphora_id}
    assert agent_of(deployment, made.amphora_id) == first
    processes.end(first, grace=1)
    assert agent_of(deployment, made.amphora_id) != first


def test_an_agent_that_died_meanwhile_is_started_on_adoption(
    compute: Netns, make: Make, deployment: Deployment
) -> None:
    made = wish()
    compute.ensure(made)
    compute.close()
    processes.end(agent_of(deployment, made.amphora_id), grace=1)
    later = make()
    stopped = later.get(made.amphora_id)
    assert stopped is not None
    assert stopped.status == "STOPPED"
    later.adopt()
    running = later.get(made.amphora_id)
    assert running is not None
    assert running.status == "RUNNING"


def test_an_agent_that_was_never_recorded_is_found(deployment: Deployment, management: str) -> None:
    staying = msgspec.structs.replace(deployment, command=(sys.executable, "-c", "import signal; signal.pause()"))
    made = wish()
    before, later = Netns(staying, management), Netns(staying, management)
    try:
        before.ensure(made)
        before.close()
        agent = agent_of(deployment, made.amphora_id)
        (deployment.folder / made.amphora_id / "agent.json").unlink()
        later.adopt()
        assert agent_of(deployment, made.amphora_id) == agent
        assert marked(made.amphora_id) == [agent]
    finally:
        later.remove(made.amphora_id)
        later.clear()
        later.close()


def test_other_settings_reach_adopted_agents(compute: Netns, deployment: Deployment, management: str) -> None:
    made = wish()
    first = compute.ensure(made)
    agent = agent_of(deployment, made.amphora_id)
    compute.close()
    compute.clear()
    moved = management.replace("10.214.", "10.216.")
    later = Netns(msgspec.structs.replace(deployment, receiver_port=6666), moved)
    try:
        later.adopt()
        seed = Folders(deployment.folder).seed(made.amphora_id)
        assert seed is not None
        assert seed.receivers == (later.receiver_address(),)
        assert seed.listen[0] == moved.replace("0/24", "2") != first.address
        assert agent_of(deployment, made.amphora_id) != agent
    finally:
        later.close()
        later.clear()


def test_addresses_are_the_lowest_free_ones(compute: Netns, make: Make, management: str) -> None:
    wishes = [wish() for _ in range(3)]
    addresses = [compute.ensure(each).address for each in wishes]
    assert addresses == [management.replace("0/24", str(number)) for number in (2, 3, 4)]
    compute.remove(wishes[1].amphora_id)
    assert make().ensure(wish()).address == addresses[1]


def test_a_full_management_network_is_a_fault(deployment: Deployment, management: str) -> None:
    compute = Netns(deployment, management.replace("/24", "/30"))
    first = wish()
    try:
        compute.ensure(first)
        with pytest.raises(PortFault, match="no free address"):
            compute.ensure(wish())
    finally:
        compute.remove(first.amphora_id)
        compute.clear()
        compute.close()


def test_a_second_deployment_in_the_same_network_is_refused(
    compute: Netns, deployment: Deployment, management: str, tmp_path: Path
) -> None:
    compute.receiver_address()
    other = Netns(msgspec.structs.replace(deployment, folder=tmp_path / "other"), management)
    with pytest.raises(Refused, match="another management network"):
        other.receiver_address()
    other.close()


def test_a_port_is_a_link_with_its_mac(compute: Netns, network_id: str) -> None:
    made = wish()
    compute.ensure(made)
    port = port_in(network_id, made.amphora_id)
    compute.set_port(made.amphora_id, port)
    compute.set_port(made.amphora_id, port)
    assert links_in(made.amphora_id)[links.inner_name(port.id)] == port.mac_address
    assert links.exists(links.bridge_name(network_id))
    compute.remove_port(made.amphora_id, port.id)
    compute.remove_port(made.amphora_id, port.id)
    assert set(links_in(made.amphora_id)) == {"lo", "mgmt0"}


def test_a_port_needs_its_amphora(compute: Netns, network_id: str) -> None:
    with pytest.raises(PortFault, match="no amphora"):
        compute.set_port(str(uuid.uuid4()), port_in(network_id, "nobody"))
    compute.remove_port(str(uuid.uuid4()), str(uuid.uuid4()))
    with pytest.raises(PortFault, match="no amphora"):
        compute.set_agent_version(str(uuid.uuid4()))


def test_what_a_reboot_took_is_made_again(compute: Netns, make: Make, deployment: Deployment, network_id: str) -> None:
    made = wish()
    first = compute.ensure(made)
    port = port_in(network_id, made.amphora_id)
    compute.set_port(made.amphora_id, port)
    compute.close()
    processes.end_all(processes.in_namespace(namespace_of(made.amphora_id)), grace=1)
    namespaces.remove(namespaces.name_for(made.amphora_id))
    links.remove(management_bridge(deployment.folder))
    links.remove(links.bridge_name(network_id))
    later = make()
    later.adopt()
    assert later.get(made.amphora_id) == first
    assert links_in(made.amphora_id)[links.inner_name(port.id)] == port.mac_address


def test_a_namespace_that_lost_its_name_is_replaced(compute: Netns, deployment: Deployment) -> None:
    made = wish()
    compute.ensure(made)
    lost = agent_of(deployment, made.amphora_id)
    namespaces.remove(namespaces.name_for(made.amphora_id))
    assert compute.get(made.amphora_id) is None
    compute.ensure(made)
    assert not processes.alive(lost)
    agent = agent_of(deployment, made.amphora_id)
    assert processes.in_namespace(namespace_of(made.amphora_id)) == [agent]


def test_half_made_amphorae_are_listed_and_removed(compute: Netns, deployment: Deployment) -> None:
    only_folder, only_namespace = str(uuid.uuid4()), str(uuid.uuid4())
    (deployment.folder / only_folder).mkdir(parents=True)
    (deployment.folder / "lost+found").mkdir()
    namespaces.ensure(namespaces.name_for(only_namespace))
    assert compute.list() == compute.adopt() == {only_folder}
    assert compute.get(only_folder) is None
    compute.remove(only_folder)
    compute.remove(only_namespace)
    assert compute.list() == frozenset()
    assert not namespace_of(only_namespace).exists()


def test_a_half_made_amphora_is_completed(compute: Netns, deployment: Deployment) -> None:
    made = wish()
    (deployment.folder / made.amphora_id).mkdir(parents=True)
    assert compute.ensure(made).status == "RUNNING"


def test_the_agent_is_renewed_alone(compute: Netns, make: Make, deployment: Deployment) -> None:
    made = wish()
    compute.ensure(made)
    first = agent_of(deployment, made.amphora_id)
    haproxy = start_inside(made.amphora_id, deployment.folder)
    compute.set_agent_version(made.amphora_id)
    assert not processes.alive(first)
    second = agent_of(deployment, made.amphora_id)
    assert processes.alive(haproxy)
    compute.close()
    make().set_agent_version(made.amphora_id)
    assert not processes.alive(second)
    assert agent_of(deployment, made.amphora_id) != second


def test_a_command_that_is_not_there_is_a_fault(deployment: Deployment, management: str) -> None:
    compute = Netns(msgspec.structs.replace(deployment, command=("/nonexistent",)), management)
    made = wish()
    try:
        with pytest.raises(PortFault, match="nonexistent"):
            compute.ensure(made)
        stopped = compute.get(made.amphora_id)
        assert stopped is not None
        assert stopped.status == "STOPPED"
    finally:
        compute.remove(made.amphora_id)
        compute.clear()
        compute.close()


@pytest.mark.skipif(not privileges.writable("memory"), reason="cgroup v1 is not there, or not ours to write")
def test_what_an_amphora_may_use_is_limited(compute: Netns, deployment: Deployment) -> None:
    made = wish()
    compute.ensure(made)
    agent = agent_of(deployment, made.amphora_id)
    group = privileges.CGROUPS / "memory" / privileges.PARENT / made.amphora_id
    assert (group / "cgroup.procs").read_text().split() == [str(agent.pid)]
    assert int((group / "memory.limit_in_bytes").read_text()) == deployment.memory_limit
    assert "memory at most" in compute.abilities().summary
    compute.remove(made.amphora_id)
    assert not group.exists()


def test_eight_threads_at_once(compute: Netns) -> None:
    wishes = [wish() for _ in range(16)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(compute.ensure, [*wishes, *wishes]))
        assert len({instance.address for instance in made}) == 16
        assert compute.list() == {each.amphora_id for each in wishes}
        assert all(len(processes.in_namespace(namespace_of(each.amphora_id))) == 1 for each in wishes)
        list(pool.map(compute.remove, [each.amphora_id for each in [*wishes, *wishes]]))
    assert compute.list() == frozenset()
    assert not any(namespace_of(each.amphora_id).exists() for each in wishes)


def test_removing_while_it_is_being_made_leaves_nothing(compute: Netns) -> None:
    made = wish()
    with ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            making, removing = pool.submit(compute.ensure, made), pool.submit(compute.remove, made.amphora_id)
            making.result()
            removing.result()
    compute.remove(made.amphora_id)
    assert marked(made.amphora_id) == []
    assert compute.list() == frozenset()
