"""Amphorae whose agent, control plane, namespace or host dies."""

import sys
import uuid

import msgspec

from octavia.drivers.compute.folders import Folders
from octavia.drivers.compute.netns import Netns, management_bridge
from octavia.drivers.compute.onhost import Deployment, marked
from octavia.host import links, namespaces, processes
from tests.drivers.compute.stage import Make, agent_of, links_in, namespace_of, port_in, start_inside, wish
from tests.host import needs

pytestmark = needs.namespaces


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
