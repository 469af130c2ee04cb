"""Compute `netns`: an amphora is a network namespace of this host. Without privileges too, inside the holder's."""

import hashlib
from pathlib import Path

from octavia.domain.document import Seed
from octavia.drivers.compute import Abilities
from octavia.drivers.compute.onhost import LAST_GRACE, Deployment, OnHost, marked
from octavia.drivers.faults import PortFault, Refused
from octavia.drivers.network import NetworkPort
from octavia.host import links, namespaces, privileges, processes
from octavia.host.processes import Process

MANAGEMENT = "198.19.0.0/16"
INNER = "mgmt0"
ROOTFUL = "Each amphora is a network namespace of this host, with links of its own to its networks{limits}."
UNLIMITED = "; this host has no cgroup v1 that we can write, so nothing limits its memory"
ROOTLESS = (
    "Each amphora is a network namespace inside a user namespace of ours: VIPs are reached with `octavia exec`, "
    "members outside of it cannot be reached, HAProxy cannot become another user, and nothing limits its memory."
)


class Netns(OnHost):
    """Keeps amphorae in namespaces named octavia-<id>, joined to bridges of this host."""

    def __init__(self, deployment: Deployment, management: str = MANAGEMENT, *, rootless: bool = False) -> None:
        super().__init__(deployment, management)
        self._rootless = rootless
        self._bridge = management_bridge(deployment.folder)
        self._bridge_ready = False

    def abilities(self) -> Abilities:
        return Abilities(kind="netns", summary=ROOTLESS if self._rootless else ROOTFUL.format(limits=self._limits()))

    def receiver_address(self) -> tuple[str, int]:
        try:
            self._ensure_bridge()
        except OSError as error:
            raise PortFault(f"The management bridge {self._bridge} could not be made: {error}") from error
        return super().receiver_address()

    def set_port(self, amphora_id: str, port: NetworkPort) -> None:
        with self._at(amphora_id, "joined to a network"):
            if self._folders.seed(amphora_id) is None:
                raise PortFault(f"There is no amphora {amphora_id} to join to network {port.network_id}.")
            # Noted first, so that a link that was made is always found again.
            self._folders.put_port(amphora_id, port)
            self._join(amphora_id, port)

    def remove_port(self, amphora_id: str, port_id: str) -> None:
        with self._at(amphora_id, "taken from a network"):
            links.remove(links.port_name(port_id))
            self._folders.remove_port(amphora_id, port_id)

    def clear(self) -> None:
        """The management bridge is gone too, and the parent of all limits; for when all amphorae are."""
        links.remove(self._bridge)
        privileges.unlimit_all()
        self._bridge_ready = False

    def _surround(self, amphora_id: str, seed: Seed) -> None:
        self._ensure_bridge()
        name = namespaces.name_for(amphora_id)
        if not namespaces.there(name):
            # Whatever still runs in a namespace that lost its name can never be reached again.
            self._keeper.drop(amphora_id)
            processes.end_all(marked(amphora_id), grace=LAST_GRACE)
        namespaces.ensure(name)
        address = f"{seed.listen[0]}/{self._management.prefixlen}"
        outer = links.management_name(amphora_id)
        links.ensure_link(
            self._bridge, outer, namespaces.path_of(name), INNER, links.mac_for(amphora_id), addresses=[address]
        )
        for port in self._folders.ports(amphora_id):
            self._join(amphora_id, port)

    def _join(self, amphora_id: str, port: NetworkPort) -> None:
        bridge = links.bridge_name(port.network_id)
        if not links.exists(bridge):
            links.ensure_bridge(bridge)
        namespace = namespaces.path_of(namespaces.name_for(amphora_id))
        links.ensure_link(bridge, links.port_name(port.id), namespace, links.inner_name(port.id), port.mac_address)

    def _is_there(self, amphora_id: str) -> bool:
        return namespaces.there(namespaces.name_for(amphora_id))

    def _namespace(self, amphora_id: str) -> Path:
        return namespaces.path_of(namespaces.name_for(amphora_id))

    def _clear_surroundings(self, amphora_id: str) -> None:
        for port in self._folders.ports(amphora_id):
            links.remove(links.port_name(port.id))
        links.remove(links.management_name(amphora_id))
        namespaces.remove(namespaces.name_for(amphora_id))
        privileges.unlimit(amphora_id)

    def _confine(self, amphora_id: str, agent: Process) -> None:
        if not self._rootless:
            deployment = self._deployment
            privileges.limit(amphora_id, agent.pid, memory=deployment.memory_limit, pids=deployment.task_limit)

    def _limits(self) -> str:
        memory = self._deployment.memory_limit
        if memory is None:
            return ""
        return f" and {memory >> 20} MB of memory at most" if privileges.writable("memory") else UNLIMITED

    def _ensure_bridge(self) -> None:
        if self._bridge_ready and links.exists(self._bridge):
            return
        gateway = self._gateway()
        holder = links.holder_of(gateway)
        if holder not in (None, self._bridge):
            raise Refused(
                f"{gateway} is on link {holder} already, so another Octavia may be running here: give this one "
                "another [local_network] management_cidr."
            )
        links.ensure_bridge(self._bridge, [f"{gateway}/{self._management.prefixlen}"])
        self._bridge_ready = True


def management_bridge(folder: Path) -> str:
    """Each state folder has a bridge of its own."""
    return links.bridge_name(hashlib.sha256(str(folder.resolve()).encode()).hexdigest())
