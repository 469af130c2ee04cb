"""Agents that accept everything and report nothing."""

import threading

from octavia.domain.document import PROTOCOL, AgentState, Applied, Document, Fence, Limits, digest
from octavia.drivers.agent import Endpoint, Introduction


class NoopAgents:
    """Remembers what it was told, so that a visit finds it in force."""

    def __init__(self) -> None:
        self._applied: dict[str, dict[str, Applied]] = {}
        self._lock = threading.Lock()

    def introduction(self, endpoint: Endpoint) -> Introduction:
        return Introduction(protocol=PROTOCOL, certificate_request="", certificate_proof="")

    def set_certificate(self, endpoint: Endpoint, pem: str) -> None:
        """Accepted."""

    def state(self, endpoint: Endpoint) -> AgentState:
        with self._lock:
            return state_of(endpoint, dict(self._applied.get(endpoint.amphora_id, {})))

    def set_load_balancer(self, endpoint: Endpoint, document: Document) -> AgentState:
        applied = Applied(generation=document.generation, digest=digest(document), fence=document.fence)
        with self._lock:
            self._applied.setdefault(endpoint.amphora_id, {})[document.load_balancer_id] = applied
        return self.state(endpoint)

    def remove_load_balancer(self, endpoint: Endpoint, load_balancer_id: str, fence: Fence) -> AgentState:
        with self._lock:
            self._applied.get(endpoint.amphora_id, {}).pop(load_balancer_id, None)
        return self.state(endpoint)

    def forget(self, amphora_id: str) -> None:
        with self._lock:
            self._applied.pop(amphora_id, None)

    def close(self) -> None:
        """Nothing to do."""


def state_of(endpoint: Endpoint, applied: dict[str, Applied]) -> AgentState:
    return AgentState(
        protocol=PROTOCOL,
        amphora_id=endpoint.amphora_id,
        boot_id="noop",
        haproxy_version="",
        limits=Limits(nofile=20_000),
        certificate_request="",
        certificate_proof="",
        load_balancers=applied,
    )
