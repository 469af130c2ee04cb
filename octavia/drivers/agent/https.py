"""Agents over HTTPS with mutual TLS; connections are kept, and found to be dead only when they are needed."""

import http.client
import threading
from pathlib import Path
from ssl import SSLContext
from typing import Any

import msgspec

from octavia.domain.document import PROTOCOL, AgentState, Document, Fence, Limits
from octavia.drivers.agent import Endpoint, Introduction
from octavia.drivers.faults import PortFault, Refused
from octavia.host import tls

CONNECT = 2.0
"""Seconds for the connection, and for the handshake."""
READ = 10.0


class Fenced(PortFault):
    """The agent has heard a newer controller than us."""


class Connection(http.client.HTTPSConnection):
    """Connects to an address, and checks another name: the amphora's id."""

    def __init__(self, endpoint: Endpoint, context: SSLContext, name: str | None) -> None:
        super().__init__(endpoint.address, endpoint.port, timeout=CONNECT, context=context)
        self._name = name
        self._tls = context

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        assert self.sock is not None
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._name)
        self.sock.settimeout(READ)

    def exchange(self, verb: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        """Status and body of the answer. Raises OSError and HTTPException; the connection is closed then."""
        try:
            self.request(verb, path, body=body)
            answer = self.getresponse()
            return answer.status, answer.read()
        except BaseException:
            self.close()
            raise


class Pool:
    """Connections to one agent that nobody uses just now."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.idle: list[Connection] = []


class HttpsAgents:
    """Speaks to agents as a controller: with this certificate and key, trusting this authority."""

    def __init__(self, certificate: Path, key: Path, authority: str) -> None:
        self._verified = tls.client_context(certificate, key, authority)
        self._introducing = tls.introducing_context(certificate, key)
        self._pools: dict[str, Pool] = {}
        self._lock = threading.Lock()

    def introduction(self, endpoint: Endpoint) -> Introduction:
        said = decoded(self._once(endpoint, "GET", "/v1/state"))
        return Introduction(
            protocol=said.protocol,
            certificate_request=said.certificate_request,
            certificate_proof=said.certificate_proof,
        )

    def set_certificate(self, endpoint: Endpoint, pem: str) -> None:
        self._once(endpoint, "PUT", "/v1/certificate", pem.encode())

    def state(self, endpoint: Endpoint) -> AgentState:
        return decoded(self._asked(endpoint, "GET", "/v1/state"))

    def set_load_balancer(self, endpoint: Endpoint, document: Document) -> AgentState:
        path = f"/v1/loadbalancers/{document.load_balancer_id}"
        return decoded(self._asked(endpoint, "PUT", path, msgspec.json.encode(document)))

    def remove_load_balancer(self, endpoint: Endpoint, load_balancer_id: str, fence: Fence) -> AgentState:
        path = f"/v1/loadbalancers/{load_balancer_id}?epoch={fence.epoch}&token={fence.token}"
        return decoded(self._asked(endpoint, "DELETE", path))

    def forget(self, amphora_id: str) -> None:
        with self._lock:
            gone = self._pools.pop(amphora_id, None)
        for connection in gone.idle if gone else ():
            connection.close()

    def close(self) -> None:
        for amphora_id in tuple(self._pools):
            self.forget(amphora_id)

    def _once(self, endpoint: Endpoint, verb: str, path: str, body: bytes | None = None) -> bytes:
        """Over a connection that is not checked and not kept."""
        connection = Connection(endpoint, self._introducing, None)
        try:
            return judged(endpoint, *connection.exchange(verb, path, body))
        except (OSError, http.client.HTTPException) as error:
            raise silent(endpoint, error) from error
        finally:
            connection.close()

    def _asked(self, endpoint: Endpoint, verb: str, path: str, body: bytes | None = None) -> bytes:
        """The body of the answer. A kept connection may have died: then another one is tried. All verbs may be
        repeated, so it does not matter how far the first try came."""
        pool, kept = self._pool(endpoint)
        connection = kept or Connection(endpoint, self._verified, endpoint.amphora_id)
        try:
            try:
                answer = connection.exchange(verb, path, body)
            except TimeoutError:
                raise
            except (OSError, http.client.HTTPException):
                if kept is None:
                    raise
                connection = Connection(endpoint, self._verified, endpoint.amphora_id)
                answer = connection.exchange(verb, path, body)
        except (OSError, http.client.HTTPException) as error:
            raise silent(endpoint, error) from error
        self._keep(pool, connection)
        return judged(endpoint, *answer)

    def _pool(self, endpoint: Endpoint) -> tuple[Pool, Connection | None]:
        """The agent's pool, and a connection out of it."""
        with self._lock:
            pool = self._pools.get(endpoint.amphora_id)
        if pool is not None and pool.endpoint != endpoint:
            self.forget(endpoint.amphora_id)
        with self._lock:
            pool = self._pools.setdefault(endpoint.amphora_id, Pool(endpoint))
            return pool, pool.idle.pop() if pool.idle else None

    def _keep(self, pool: Pool, connection: Connection) -> None:
        """For the next call, unless the agent was forgotten meanwhile, or wants no more."""
        with self._lock:
            if connection.sock is not None and self._pools.get(pool.endpoint.amphora_id) is pool:
                pool.idle.append(connection)
                return
        connection.close()


def judged(endpoint: Endpoint, status: int, content: bytes) -> bytes:
    """The body of a good answer. Raises PortFault, Fenced or Refused for a bad one."""
    if status < 300:
        return content
    sentence = fault_in(content) or f"status {status}"
    if status == 409:
        raise Fenced(f"The agent of amphora {endpoint.amphora_id} refuses us: {sentence}")
    if status == 400:
        raise Refused(f"The agent of amphora {endpoint.amphora_id} cannot do this: {sentence}")
    raise PortFault(f"The agent of amphora {endpoint.amphora_id} failed: {sentence}")


def fault_in(content: bytes) -> str:
    try:
        return str(msgspec.json.decode(content, type=dict[str, Any]).get("fault", ""))
    except msgspec.DecodeError:
        return ""


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """What the answers of all versions have in common."""

    protocol: int
    amphora_id: str
    certificate_request: str
    certificate_proof: str


def decoded(content: bytes) -> AgentState:
    """The agent's state. Of an agent of another version, which may tell of it in other words, only who it is."""
    try:
        spoken = msgspec.json.decode(content, type=Spoken)
        if spoken.protocol == PROTOCOL:
            return msgspec.json.decode(content, type=AgentState)
    except msgspec.DecodeError as error:
        raise PortFault(f"The agent's answer cannot be read: {error}") from None
    return AgentState(
        **msgspec.structs.asdict(spoken), boot_id="", haproxy_version="", limits=Limits(nofile=0), load_balancers={}
    )


def silent(endpoint: Endpoint, error: Exception) -> PortFault:
    why = str(error) or type(error).__name__
    return PortFault(f"The agent of amphora {endpoint.amphora_id} does not answer at {endpoint.address}: {why}")
