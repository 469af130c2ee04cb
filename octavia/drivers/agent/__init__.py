"""The agent port: how a controller speaks to the agent inside an amphora. Adapters: https, noop, memory."""

from typing import Protocol

from msgspec import Struct

from octavia.domain.document import AgentState, Document, Fence


class Endpoint(Struct, frozen=True):
    """Where an agent listens, and the name that its certificate must bear."""

    amphora_id: str
    address: str
    port: int


class Introduction(Struct, frozen=True, kw_only=True):
    """What an agent without a signed certificate shows: believed only if the proof fits its boot secret."""

    protocol: int
    certificate_request: str
    certificate_proof: str


class Agents(Protocol):
    """Each verb raises PortFault when the agent cannot be reached or does not do it, Refused when the document
    cannot be put in force (what ran before then still runs)."""

    def introduction(self, endpoint: Endpoint) -> Introduction:
        """Asked without checking the agent's certificate, which nobody has signed yet."""
        ...

    def set_certificate(self, endpoint: Endpoint, pem: str) -> None:
        """The agent serves with this certificate from now on (unverified link: a certificate is no secret)."""
        ...

    def state(self, endpoint: Endpoint) -> AgentState: ...

    def set_load_balancer(self, endpoint: Endpoint, document: Document) -> AgentState:
        """The document is in force."""
        ...

    def remove_load_balancer(self, endpoint: Endpoint, load_balancer_id: str, fence: Fence) -> AgentState:
        """Nothing of the load balancer is left in the amphora."""
        ...

    def forget(self, amphora_id: str) -> None:
        """Connections to it are closed."""
        ...

    def close(self) -> None: ...
