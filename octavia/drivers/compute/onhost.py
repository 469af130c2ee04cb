"""What the kinds of compute on this very host have in common: folders, seeds, addresses, agents that stay alive."""

import logging
import os
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Literal

from msgspec import Struct

from octavia.domain.document import AGENT_PORT, Seed
from octavia.domain.heartbeat import amphora_key
from octavia.drivers.compute import Abilities, Instance, Wish
from octavia.drivers.compute.folders import Folders
from octavia.drivers.compute.keeper import Keeper
from octavia.drivers.faults import PortFault
from octavia.drivers.network import NetworkPort
from octavia.host import processes
from octavia.host.processes import Process

LOG = logging.getLogger(__name__)
MARK = "OCTAVIA_AMPHORA"
"""The environment variable that tells to which amphora a process belongs."""
LOCKS = 64
ROUNDS = 8
LAST_GRACE = 0.1
"""Seconds for what is removed for good, and has nothing to put in order."""
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "HOME", "TMPDIR")


class Deployment(Struct, frozen=True, kw_only=True):
    """What all agents of this deployment are told, and where their folders are."""

    folder: Path
    certificate_authority: str
    heartbeat_master: bytes
    receiver_port: int
    command: tuple[str, ...] = (sys.executable, "-m", "octavia.amphora")
    heartbeat_interval: float = 1.0
    haproxy_user: str | None = None
    haproxy_command: str = "haproxy"
    memory_limit: int | None = 1 << 30
    """Bytes that all processes of an amphora may use together, where this host can limit it."""
    task_limit: int | None = 512


class OnHost(ABC):
    """A compute whose amphorae are processes of this host. The heir says what surrounds them."""

    shared_host = False

    def __init__(self, deployment: Deployment, management: str) -> None:
        self._deployment = deployment
        self._management = ip_network(management)
        self._folders = Folders(deployment.folder)
        self._keeper = Keeper(self._launch, self._folders.agent)
        self._locks = [threading.Lock() for _ in range(LOCKS)]
        self._addressing = threading.Lock()
        self._addresses: dict[str, str] | None = None

    @abstractmethod
    def abilities(self) -> Abilities: ...

    @abstractmethod
    def set_port(self, amphora_id: str, port: NetworkPort) -> None: ...

    @abstractmethod
    def remove_port(self, amphora_id: str, port_id: str) -> None: ...

    @abstractmethod
    def _surround(self, amphora_id: str, seed: Seed) -> None:
        """All that the agent needs around it is there."""

    @abstractmethod
    def _namespace(self, amphora_id: str) -> Path | None:
        """Where the agent is started."""

    @abstractmethod
    def _clear_surroundings(self, amphora_id: str) -> None:
        """Nothing but the folder is left."""

    def _confine(self, amphora_id: str, agent: Process) -> None:
        """The agent, and what it will start, are kept within their limits; not every kind has some."""
        return

    def _is_there(self, amphora_id: str) -> bool:
        """False where what surrounds it has gone, so that it has to be made anew."""
        return True

    def receiver_address(self) -> tuple[str, int]:
        return self._gateway(), self._deployment.receiver_port

    def ensure(self, wish: Wish) -> Instance:
        with self._at(wish.amphora_id, "made"):
            seed = self._seed(wish)
            self._make(seed)
        return self._instance(seed)

    def get(self, amphora_id: str) -> Instance | None:
        seed = self._folders.seed(amphora_id)
        return self._instance(seed) if seed and self._is_there(amphora_id) else None

    def list(self) -> frozenset[str]:
        return self._folders.ids()

    def set_agent_version(self, amphora_id: str) -> None:
        with self._at(amphora_id, "given a new agent"):
            if self._folders.seed(amphora_id) is None:
                raise PortFault(f"There is no amphora {amphora_id} to give a new agent to.")
            self._keeper.renew(amphora_id)

    def remove(self, amphora_id: str) -> None:
        with self._at(amphora_id, "removed"):
            self._keeper.drop(amphora_id)
            # The agent first: it would start again what is ended beneath it.
            if agent := self._folders.agent(amphora_id):
                processes.end(agent, grace=LAST_GRACE)
            self._end_all(amphora_id)
            self._clear_surroundings(amphora_id)
            self._folders.remove(amphora_id)
            with self._addressing:
                self._known_addresses().pop(amphora_id, None)

    def adopt(self) -> frozenset[str]:
        ids = self._folders.ids()
        self._record_strays(ids)
        for amphora_id in sorted(ids):
            try:
                self._adopt(amphora_id)
            except PortFault as fault:
                LOG.error("%s", fault)
        return ids

    def close(self) -> None:
        self._keeper.close()

    def _adopt(self, amphora_id: str) -> None:
        before = self._folders.seed(amphora_id)
        if before is None:
            return
        with self._at(amphora_id, "adopted"):
            self._make(self._seed(Wish(amphora_id=amphora_id, boot_secret=before.boot_secret)))

    def _make(self, seed: Seed) -> None:
        """All of it is there, and the agent goes by this seed."""
        changed = self._folders.put_seed(seed)
        self._surround(seed.amphora_id, seed)
        if changed and self._folders.agent(seed.amphora_id):
            self._keeper.renew(seed.amphora_id)
        self._keeper.keep(seed.amphora_id)

    def _record_strays(self, ids: frozenset[str]) -> None:
        """Agents are on record that were started by a control plane which died before it could write that down."""
        lost = {str(self._folders.path(each)): each for each in ids if self._folders.agent(each) is None}
        strays = processes.those(lambda pid: last_argument(pid) in lost) if lost else []
        for process in strays:
            if amphora_id := lost.get(last_argument(process.pid)):
                self._folders.put_agent(amphora_id, process)

    @contextmanager
    def _at(self, amphora_id: str, done: str) -> Iterator[None]:
        """One verb at a time for each amphora; what the host refuses is told as a PortFault."""
        with self._locks[hash(amphora_id) % LOCKS]:
            try:
                yield
            except OSError as error:
                raise PortFault(f"Amphora {amphora_id} could not be {done}: {error}") from error

    def _instance(self, seed: Seed) -> Instance:
        address, port = seed.listen
        status: Literal["RUNNING", "STOPPED"] = "RUNNING" if self._folders.agent(seed.amphora_id) else "STOPPED"
        return Instance(amphora_id=seed.amphora_id, status=status, address=address, port=port)

    def _seed(self, wish: Wish) -> Seed:
        deployment = self._deployment
        return Seed(
            amphora_id=wish.amphora_id,
            boot_secret=wish.boot_secret,
            certificate_authority=deployment.certificate_authority,
            listen=(self._address(wish.amphora_id), AGENT_PORT),
            receivers=((self._gateway(), deployment.receiver_port),),
            heartbeat_key=amphora_key(deployment.heartbeat_master, wish.amphora_id).hex(),
            heartbeat_interval=deployment.heartbeat_interval,
            haproxy_user=deployment.haproxy_user,
            haproxy_command=deployment.haproxy_command,
            shared_host=self.shared_host,
        )

    def _gateway(self) -> str:
        return str(self._management[1])

    def _address(self, amphora_id: str) -> str:
        """The address that the amphora has, or the lowest free one."""
        with self._addressing:
            known = self._known_addresses()
            if amphora_id not in known:
                known[amphora_id] = self._free_address(frozenset(known.values()))
            return known[amphora_id]

    def _known_addresses(self) -> dict[str, str]:
        if self._addresses is None:
            seeds = (self._folders.seed(amphora_id) for amphora_id in self._folders.ids())
            inside = (seed for seed in seeds if seed and ip_address(seed.listen[0]) in self._management)
            self._addresses = {seed.amphora_id: seed.listen[0] for seed in inside}
        return self._addresses

    def _free_address(self, taken: frozenset[str]) -> str:
        for offset in range(2, self._management.num_addresses - 1):
            if (address := str(self._management[offset])) not in taken:
                return address
        raise PortFault(f"The management network {self._management} has no free address left.")

    def _launch(self, amphora_id: str) -> Process:
        folder = self._folders.path(amphora_id)
        process = processes.spawn(
            [*self._deployment.command, str(folder)],
            cwd=folder,
            log=self._folders.log(amphora_id),
            namespace=self._namespace(amphora_id),
            env=environment(amphora_id),
        )
        try:
            self._folders.put_agent(amphora_id, process)
            self._confine(amphora_id, process)
        except OSError:
            processes.end(process, grace=LAST_GRACE)
            raise
        return process

    def _members(self, amphora_id: str) -> Sequence[Process]:
        """All processes of the amphora, whoever started them."""
        namespace = self._namespace(amphora_id)
        inode = processes.inode_at(namespace) if namespace else None

        def belongs(pid: int) -> bool:
            return bears_mark(pid, amphora_id) or (inode is not None and processes.inode_of(pid) == inode)

        return processes.those(belongs)

    def _end_all(self, amphora_id: str) -> None:
        """No process of the amphora is left, nor what they started while they were ended."""
        quiet = 0
        for _ in range(ROUNDS):
            members = self._members(amphora_id)
            # A process that is just becoming another program shows no mark for a moment.
            quiet = 0 if members else quiet + 1
            if quiet == 2:
                return
            processes.end_all(members, grace=LAST_GRACE)
        raise TimeoutError("its processes start again as fast as they are ended")


def marked(amphora_id: str) -> Sequence[Process]:
    return processes.those(lambda pid: bears_mark(pid, amphora_id))


def bears_mark(pid: int, amphora_id: str) -> bool:
    return f"{MARK}={amphora_id}" in processes.environment(pid)


def last_argument(pid: int) -> str:
    return (processes.arguments(pid) or ("",))[-1]


def environment(amphora_id: str) -> dict[str, str]:
    """What an agent needs to know of our environment; passwords of ours are not for it."""
    wanted = {key: value for key, value in os.environ.items() if key in PASSED_ON or key.startswith("PYTHON")}
    return wanted | {MARK: amphora_id}
