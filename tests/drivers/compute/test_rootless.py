"""Amphorae of an unprivileged user: they live in the holder's namespaces, and outlive who made them."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from octavia.host import holder, processes
from tests.host import needs

pytestmark = needs.unprivileged
PREPARE = """
import json, os, subprocess
from pathlib import Path
from octavia.domain.network import NetworkPort
from octavia.drivers.compute import Wish
from octavia.drivers.compute.netns import Netns
from octavia.drivers.compute.onhost import Deployment
from octavia.drivers.network.local import DEMO, Local, MemoryLedger, network_id, subnet_id
from octavia.host import holder, links, namespaces, processes
state, amphora_id = Path(os.environ["STATE"]), os.environ["ID"]
holder.enter(holder.ensure(state))
compute = Netns(
    Deployment(
        folder=state / "amphorae", certificate_authority="", heartbeat_master=b"", receiver_port=5555,
        command=("sh", "-c", "exec sleep 1000"),
    ),
    rootless=True,
)
network = Local(DEMO, MemoryLedger(), bridged=True)
def tell(value): print(json.dumps(value))
"""


@pytest.fixture
def state() -> Iterator[Path]:
    with needs.folder_of_others() as folder:
        yield folder / "state"
        holder.remove(folder / "state")


def told(state: Path, amphora_id: str, script: str) -> Any:
    done = needs.run_unprivileged(PREPARE + script, STATE=str(state), ID=amphora_id)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_an_amphora_outlives_its_control_plane_and_is_adopted(state: Path) -> None:
    amphora_id = str(uuid.uuid4())
    make = """
instance = compute.ensure(Wish(amphora_id=amphora_id, boot_secret="secret"))
port = network.ensure_port(
    port_id=amphora_id, subnet_id=subnet_id("demo"), address=None, owner=amphora_id, device_owner="octavia:amphora"
)
compute.set_port(amphora_id, port)
tell([instance.status, instance.address, compute.receiver_address()[0], links.holder_of("198.18.0.1") is not None])
"""
    assert told(state, amphora_id, make) == ["RUNNING", "198.19.0.2", "198.19.0.1", True]
    adopt = """
compute.adopt()
with namespaces.entered(namespaces.path_of(namespaces.name_for(amphora_id))):
    inside = [links.exists("mgmt0"), links.exists(links.inner_name(amphora_id))]
tell([compute.get(amphora_id).status, processes.recall(state / "amphorae" / amphora_id / "agent.json").pid, inside])
"""
    status, pid, inside = told(state, amphora_id, adopt)
    agent = processes.identify(pid)
    assert (status, inside) == ("RUNNING", [True, True])
    assert agent is not None
    remove = """
compute.remove(amphora_id)
compute.clear()
network.clear()
bridges = [links.exists(links.bridge_name(network_id("demo"))), links.exists(links.management_name(amphora_id))]
tell([list(compute.list()), bridges, "octavia exec" in compute.abilities().summary])
"""
    assert told(state, amphora_id, remove) == [[], [False, False], True]
    assert not processes.alive(agent)


def test_removing_the_holder_ends_its_amphorae(state: Path) -> None:
    amphora_id = str(uuid.uuid4())
    script = """
compute.ensure(Wish(amphora_id=amphora_id, boot_secret="secret"))
tell(processes.recall(state / "amphorae" / amphora_id / "agent.json").pid)
"""
    agent = processes.identify(told(state, amphora_id, script))
    assert agent is not None
    holder.remove(state)
    assert not processes.alive(agent)
