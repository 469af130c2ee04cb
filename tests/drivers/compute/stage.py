"""What tests of amphorae in namespaces ask and do."""

import json
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

from octavia.drivers.compute import Wish
from octavia.drivers.compute.folders import Folders
from octavia.drivers.compute.netns import Netns
from octavia.drivers.compute.onhost import Deployment
from octavia.drivers.network import FixedIp, NetworkPort
from octavia.host import links, namespaces, processes
from octavia.host.processes import Process
from tests.host.needs import until

Make = Callable[[], Netns]


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
