"""Amphorae as namespaces, for real; agents that sleep stand in for ours."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from octavia.domain.document import AGENT_PORT
from octavia.domain.heartbeat import amphora_key
from octavia.drivers.compute import Compute
from octavia.drivers.compute.folders import Folders
from octavia.drivers.compute.netns import Netns, management_bridge
from octavia.drivers.compute.onhost import MARK, Deployment, marked
from octavia.drivers.faults import PortFault, Refused
from octavia.host import links, privileges, processes
from tests.drivers.compute.stage import Make, agent_of, links_in, namespace_of, port_in, start_inside, wish
from tests.host import needs
from tests.host.needs import until

pytestmark = needs.namespaces


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
    with pytest.raises(Refused, match="management_cidr"):
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
