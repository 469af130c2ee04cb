"""Agents over HTTPS with mutual TLS; one kept connection for each amphora."""

import http.client
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from octavia.domain.document import AgentState, Document, Fence
from octavia.drivers.agent import Endpoint, Introduction
from octavia.drivers.faults import PortFault, Refused
from octavia.host import tls

CONNECT = 2.0
READ = 20.0


class Fenced(PortFault):
    """The agent has heard a newer controller than us."""


class Connection(http.client.HTTPSConnection):
    """Connects to an address, and checks another name: the amphora's id."""

    def __init__(self, endpoint: Endpoint, context: ssl.SSLContext, name: str | None) -> None:
        super().__init__(endpoint.address, endpoint.port, timeout=CONNECT, context=context)
        self._name = name
        self._tls = context

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        assert self.sock is not None
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._name)
        self.sock.settimeout(READ)


class HttpsAgents:
    """Speaks to agents as a controller: with this certificate and key, trusting this authority."""

    def __init__(self, certificate: Path, key: Path, authority: str) -> None:
        self._verified = tls.client_context(certificate, key, authority)
        self._introducing = tls.introducing_context(certificate, key)
        self._kept: dict[str, list[Connection]] = {}
        self._lock = threading.Lock()

    def introduction(self, endpoint: Endpoint) -> Introduction:
        state = self._once(endpoint, "GET", "/v1/state")
        said = decoded(state, AgentState)
        return Introduction(
            protocol=said.protocol,
            certificate_request=said.certificate_request,
            certificate_proof=said.certificate_proof,
        )

    def set_certificate(self, endpoint: Endpoint, pem: str) -> None:
        self._once(endpoint, "PUT", "/v1/certificate", pem.encode())

    def state(self, endpoint: Endpoint) -> AgentState:
        return decoded(self._asked(endpoint, "GET", "/v1/state"), AgentState)

    def set_load_balancer(self, endpoint: Endpoint, document: Document) -> AgentState:
        path = f"/v1/loadbalancers/{document.load_balancer_id}"
        return decoded(self._asked(endpoint, "PUT", path, msgspec.json.encode(document)), AgentState)

    def remove_load_balancer(self, endpoint: Endpoint, load_balancer_id: str, fence: Fence) -> AgentState:
        path = f"/v1/loadbalancers/{load_balancer_id}?epoch={fence.epoch}&token={fence.token}"
        return decoded(self._asked(endpoint, "DELETE", path), AgentState)

    def forget(self, amphora_id: str) -> None:
        with self._lock:
            gone = self._kept.pop(amphora_id, [])
        for connection in gone:
            connection.close()

    def close(self) -> None:
        for amphora_id in tuple(self._kept):
            self.forget(amphora_id)

    def _once(self, endpoint: Endpoint, verb: str, path: str, body: bytes | None = None) -> bytes:
        connection = Connection(endpoint, self._introducing, None)
        try:
            return answered(endpoint, connection, verb, path, body)
        except (OSError, http.client.HTTPException) as error:
            raise silent(endpoint, error) from error
        finally:
            connection.close()

    def _asked(self, endpoint: Endpoint, verb: str, path: str, body: bytes | None = None) -> bytes:
        """One more try on a new connection where a kept one turns out to be dead."""
        with self._connection(endpoint) as (connection, kept):
            try:
                return answered(endpoint, connection, verb, path, body)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if not kept or isinstance(error, TimeoutError):
                    raise silent(endpoint, error) from error
            try:
                return answered(endpoint, connection, verb, path, body)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                raise silent(endpoint, error) from error

    @contextmanager
    def _connection(self, endpoint: Endpoint) -> Iterator[tuple[Connection, bool]]:
        """A connection of our own for this call, and whether it has served before."""
        with self._lock:
            idle = self._kept.setdefault(endpoint.amphora_id, [])
            connection = idle.pop() if idle else None
        kept = connection is not None
        if connection is None or (connection.host, connection.port) != (endpoint.address, endpoint.port):
            connection, kept = Connection(endpoint, self._verified, endpoint.amphora_id), False
        yield connection, kept
        with self._lock:
            if connection.sock is not None and endpoint.amphora_id in self._kept:
                self._kept[endpoint.amphora_id].append(connection)
            else:
                connection.close()


def answered(endpoint: Endpoint, connection: Connection, verb: str, path: str, body: bytes | None) -> bytes:
    """The body of a good answer. Raises PortFault or Refused for a bad one, OSError and HTTPException for none."""
    if connection.sock is not None:
        connection.sock.settimeout(READ)
    connection.request(verb, path, body=body)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status < 300:
        return content
    sentence = fault_in(content) or f"status {answer.status}"
    if answer.status == 409:
        raise Fenced(f"The agent of amphora {endpoint.amphora_id} refuses us: {sentence}")
    if answer.status == 400:
        raise Refused(f"The agent of amphora {endpoint.amphora_id} cannot do this: {sentence}")
    raise PortFault(f"The agent of amphora {endpoint.amphora_id} failed: {sentence}")


def fault_in(content: bytes) -> str:
    try:
        return str(msgspec.json.decode(content, type=dict[str, Any]).get("fault", ""))
    except msgspec.DecodeError:
        return ""


def decoded(content: bytes, kind: type[AgentState]) -> AgentState:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise PortFault(f"The agent's answer cannot be read: {error}") from None


def silent(endpoint: Endpoint, error: Exception) -> PortFault:
    why = str(error) or type(error).__name__
    return PortFault(f"The agent of amphora {endpoint.amphora_id} does not answer at {endpoint.address}: {why}")
