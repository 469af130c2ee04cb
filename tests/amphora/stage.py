"""One amphora as processes of this host, on loopback addresses of its own, and a controller that speaks to it."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from octavia.amphora import haproxy
from octavia.amphora.haproxy import HaproxyError
from octavia.domain.document import AgentState, Applied, Document, Fence, Limits, Seed
from octavia.domain.heartbeat import Heartbeat, amphora_key, decode
from octavia.drivers.agent import Endpoint
from octavia.drivers.agent.https import HttpsAgents
from octavia.drivers.faults import PortFault
from octavia.host import processes
from octavia.host.pki import Authority
from octavia.host.processes import Process
from tests.amphora.web import Web
from tests.builders import new_id
from tests.host.needs import until

MASTER = b"the master key of all heartbeats"
MARK = "OCTAVIA_TEST_AMPHORA"
AGENT_PORT = 9443
TRAFFIC = Path(__file__).parents[1] / "e2e" / "traffic.py"


def network() -> str:
    """The first three numbers of a loopback network that is nobody else's."""
    return f"127.{32 + secrets.randbelow(200)}.{secrets.randbelow(256)}"


class Stage:
    """Everything that a test of one amphora needs. `close` leaves no process behind."""

    namespace: Path | None = None
    """Where the amphora is; None where it is a part of this host."""

    def __init__(self, folder: Path, **seed: Any) -> None:
        self.network = self.network_for_us()
        self.id = new_id()
        self.folder = folder / "amphora"
        self.folder.mkdir(mode=0o700)
        self.authority = Authority.ensure(folder / "pki")
        self.endpoint = Endpoint(self.id, f"{self.network}.1", AGENT_PORT)
        self.vip = f"{self.network}.10"
        self.receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.receiver.bind((f"{self.network}.2", 0))
        self.seed = self.planted(**seed)
        self.agents = HttpsAgents(*self.authority.controller_credentials(), self.authority.certificate_authority)
        self.agent: Process | None = None
        self.webs: list[Web] = []

    def network_for_us(self) -> str:
        return network()

    def planted(self, **given: Any) -> Seed:
        """The seed in the amphora's folder, as compute leaves it there."""
        fields: dict[str, Any] = {
            "amphora_id": self.id,
            "boot_secret": secrets.token_hex(16),
            "certificate_authority": self.authority.certificate_authority,
            "listen": (self.endpoint.address, AGENT_PORT),
            "receivers": (self.receiver.getsockname(),),
            "heartbeat_key": amphora_key(MASTER, self.id).hex(),
            "heartbeat_interval": 0.5,
            "shared_host": True,
        }
        seed = Seed(**fields | given)
        (self.folder / "seed.json").write_bytes(msgspec.json.encode(seed))
        return seed

    # --- the agent -------------------------------------------------------------------------------------------------

    def start(self) -> Process:
        """The agent runs; it may not answer yet."""
        argv = [sys.executable, "-m", "octavia.amphora", str(self.folder)]
        env = os.environ | {MARK: self.id}
        log = self.folder / "agent.log"
        self.agent = processes.spawn(argv, cwd=self.folder, log=log, env=env, namespace=self.namespace)
        return self.agent

    def restart(self, number: signal.Signals = signal.SIGKILL) -> Process:
        """Another agent answers; the one before got this signal."""
        self.kill(number)
        self.start()
        self.answering()
        return self.running

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        os.kill(self.running.pid, number)
        assert processes.wait(self.running, 10), self.log()

    def certified(self) -> None:
        """The agent runs with a certificate that the authority has signed."""
        if self.agent is None:
            self.start()
        self.introduced()
        self.answering()

    def introduced(self) -> None:
        until(self.listening, 10)
        said = self.agents.introduction(self.endpoint)
        pem, _ = self.authority.sign(said.certificate_request, self.id, datetime.now(UTC).replace(tzinfo=None))
        self.agents.set_certificate(self.endpoint, pem)

    def listening(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex((self.endpoint.address, AGENT_PORT)) == 0

    def answering(self) -> None:
        until(self.try_state, 10)

    def try_state(self) -> AgentState | None:
        try:
            return self.state()
        except PortFault:
            return None

    @property
    def running(self) -> Process:
        assert self.agent is not None
        return self.agent

    def log(self) -> str:
        return (self.folder / "agent.log").read_text(errors="replace")

    # --- what it is told, and what it says -------------------------------------------------------------------------

    def put(self, document: Document) -> Applied:
        return self.agents.set_load_balancer(self.endpoint, document).load_balancers[document.load_balancer_id]

    def remove(self, load_balancer_id: str, fence: Fence = Fence(1, 1)) -> AgentState:  # noqa: B008
        return self.agents.remove_load_balancer(self.endpoint, load_balancer_id, fence)

    def state(self) -> AgentState:
        return self.agents.state(self.endpoint)

    def applied(self, load_balancer_id: str) -> Applied:
        return self.state().load_balancers[load_balancer_id]

    def beat(self, seconds: float = 5) -> Heartbeat:
        """The next heartbeat that arrives."""
        self.receiver.settimeout(seconds)
        return decode(self.receiver.recv(65536), MASTER)

    def beats(self) -> None:
        """What has arrived so far is forgotten."""
        self.receiver.setblocking(False)
        try:
            while self.receiver.recv(65536):
                pass
        except BlockingIOError:
            pass

    # --- HAProxy ---------------------------------------------------------------------------------------------------

    def place(self, load_balancer_id: str) -> Path:
        return self.folder / "lb" / load_balancer_id

    def master(self, load_balancer_id: str) -> int:
        """The process id of the HAProxy master that serves; 0 where there is none."""
        found = processes.recall(self.place(load_balancer_id) / "haproxy.json")
        return found.pid if found else 0

    def worker(self, load_balancer_id: str) -> int:
        """The process id of the worker that takes new connections; 0 where there is none."""
        try:
            with self.short(load_balancer_id, haproxy.MASTER) as path:
                return next(iter(haproxy.workers(path).current), 0)
        except HaproxyError:
            return 0

    def ask(self, load_balancer_id: str, command: str) -> str:
        with self.short(load_balancer_id, haproxy.RUNTIME) as path:
            return haproxy.ask(path, command)

    @contextmanager
    def short(self, load_balancer_id: str, name: str) -> Iterator[Path]:
        """A path of this file that is short enough for a socket, wherever the test's folder is."""
        folder = os.open(self.place(load_balancer_id), os.O_PATH | os.O_DIRECTORY)
        try:
            yield Path(f"/proc/self/fd/{folder}") / name
        finally:
            os.close(folder)

    def ours(self) -> list[Process]:
        """All processes of the amphora."""
        return processes.those(lambda pid: f"{MARK}={self.id}" in processes.environment(pid))

    # --- members and clients ---------------------------------------------------------------------------------------

    def web(self, name: str = "", number: int = 0) -> Web:
        """A web server that answers with its name."""
        number = number or 100 + len(self.webs)
        made = Web(name or f"m{number - 99}", f"{self.network}.{number}")
        self.webs.append(made)
        return made

    def get(self, port: int = 80) -> str:
        """Who answers on the VIP; empty where nobody does."""
        try:
            return request(self.vip, port)
        except (OSError, ValueError):
            return ""

    def answered_by(self, *names: str) -> None:
        """All of these answer, and nobody else does meanwhile."""
        missing = set(names)
        while missing:
            name = self.get()
            assert name in names
            missing.discard(name)

    def served(self, port: int = 80, within: float = 10) -> float:
        """Seconds until the VIP answered."""
        begin = time.monotonic()
        until(lambda: self.get(port), within)
        return time.monotonic() - begin

    @contextmanager
    def traffic(self, port: int = 80, interval: float = 0.003) -> Iterator["Traffic"]:
        made = Traffic(self.vip, port, interval)
        try:
            yield made
        finally:
            made.stop()

    def close(self) -> None:
        """Nothing is left; what a test forgot to end is ended here."""
        if self.agent is not None:
            processes.end(self.agent, grace=5)
        processes.end_all(self.ours(), grace=0)
        for web in self.webs:
            web.close()
        self.agents.close()
        self.receiver.close()


class Traffic:
    """A client beside the test, with a connection for each request."""

    def __init__(self, address: str, port: int, interval: float) -> None:
        argv = [sys.executable, str(TRAFFIC), address, str(port), str(interval), "120"]
        self._child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._result: dict[str, Any] | None = None
        assert self._child.stdout is not None
        assert self._child.stdout.readline().startswith("first ")

    def stop(self) -> dict[str, Any]:
        """What it has seen: requests, failures, answers, longest_gap."""
        if self._result is None:
            said, _ = self._child.communicate("", timeout=30)
            self._result = msgspec.json.decode(said.splitlines()[-1])
        return self._result


@contextmanager
def near(folder: Path) -> Iterator[Path]:
    """The folder under a short name: the paths of sockets must not be long."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Path(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def request(address: str, port: int) -> str:
    """Who answers. Raises OSError or ValueError."""
    with connection(address, port) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: vip\r\nConnection: close\r\n\r\n")
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise ValueError(head[:40].decode(errors="replace"))
    return body.decode().strip()


def connection(address: str, port: int = 80) -> socket.socket:
    return socket.create_connection((address, port), timeout=2)


def limits() -> Limits:
    return Limits(nofile=20_000)
