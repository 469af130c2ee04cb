"""Agents in memory, with faults: they obey and refuse as real ones do."""

import hashlib
import hmac
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from octavia.domain.document import PROTOCOL, AgentState, Applied, Document, Fence, Limits, digest
from octavia.drivers.agent import Endpoint, Introduction
from octavia.drivers.agent.https import Fenced
from octavia.drivers.faults import Faults, PortFault


class Machine(Protocol):
    """What an agent needs to know of the machine that it is in."""

    @property
    def boot_secret(self) -> str: ...

    @property
    def agent_starts(self) -> int: ...


class Agent:
    """One agent: what it keeps is gone with its machine."""

    def __init__(self, made_on: str) -> None:
        self.made_on = made_on
        self.starts = 1
        self.protocol = PROTOCOL
        self.certificate: str | None = None
        self.fence = Fence(0, 0)
        self.documents: dict[str, Document] = {}


class Memory:
    """An agent in each of these machines (amphora id to machine), going wrong as the faults say (verbs `agent.*`)."""

    def __init__(self, machines: Callable[[], Mapping[str, Machine]], faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self._machines = machines
        self._agents: dict[str, Agent] = {}
        self._lock = threading.Lock()

    def introduction(self, endpoint: Endpoint) -> Introduction:
        def said() -> Introduction:
            agent = self._agent(endpoint.amphora_id)
            request = f"request of {endpoint.amphora_id}"
            proof = hmac.new(agent.made_on.encode(), request.encode(), hashlib.sha256).hexdigest()
            return Introduction(protocol=agent.protocol, certificate_request=request, certificate_proof=proof)

        return self.faults.around("agent.introduction", said)

    def set_certificate(self, endpoint: Endpoint, pem: str) -> None:
        def kept() -> None:
            self._agent(endpoint.amphora_id).certificate = pem

        self.faults.around("agent.set_certificate", kept)

    def state(self, endpoint: Endpoint) -> AgentState:
        return self.faults.around("agent.state", lambda: self._state(endpoint.amphora_id))

    def set_load_balancer(self, endpoint: Endpoint, document: Document) -> AgentState:
        def put() -> AgentState:
            agent = self._obeying(endpoint.amphora_id, document.fence)
            if document.protocol != agent.protocol:
                raise PortFault(f"The agent of amphora {endpoint.amphora_id} speaks protocol {agent.protocol}.")
            agent.documents[document.load_balancer_id] = document
            return self._state(endpoint.amphora_id)

        return self.faults.around("agent.set_load_balancer", put)

    def remove_load_balancer(self, endpoint: Endpoint, load_balancer_id: str, fence: Fence) -> AgentState:
        def gone() -> AgentState:
            self._obeying(endpoint.amphora_id, fence).documents.pop(load_balancer_id, None)
            return self._state(endpoint.amphora_id)

        return self.faults.around("agent.remove_load_balancer", gone)

    def forget(self, amphora_id: str) -> None:
        """Nothing to do: there are no connections."""

    def close(self) -> None:
        """Nothing to do."""

    def documents(self, amphora_id: str) -> dict[str, Document]:
        """What is in force there."""
        return dict(self._agent(amphora_id).documents)

    def lose_state(self, amphora_id: str) -> None:
        """The agent has forgotten its documents and whom it obeyed, but not its key."""
        agent = self._agent(amphora_id)
        agent.documents, agent.fence = {}, Fence(0, 0)

    def set_protocol(self, amphora_id: str, protocol: int) -> None:
        """The agent is of another version until it is started anew."""
        self._agent(amphora_id).protocol = protocol

    def _obeying(self, amphora_id: str, fence: Fence) -> Agent:
        agent = self._verified(amphora_id)
        if fence < agent.fence:
            raise Fenced(f"The agent of amphora {amphora_id} refuses us: {fence} is older than {agent.fence}.")
        agent.fence = fence
        return agent

    def _verified(self, amphora_id: str) -> Agent:
        agent = self._agent(amphora_id)
        if agent.certificate is None:
            raise PortFault(f"The agent of amphora {amphora_id} shows a certificate that nobody has signed.")
        return agent

    def _agent(self, amphora_id: str) -> Agent:
        """The agent of this machine, which is a new one where the machine was made anew."""
        machine = self._machines().get(amphora_id)
        if machine is None:
            raise PortFault(f"The agent of amphora {amphora_id} does not answer.")
        with self._lock:
            agent = self._agents.get(amphora_id)
            if agent is None or agent.made_on != machine.boot_secret:
                agent = self._agents[amphora_id] = Agent(machine.boot_secret)
                agent.starts = machine.agent_starts
            if agent.starts != machine.agent_starts:
                agent.starts, agent.protocol = machine.agent_starts, PROTOCOL
            return agent

    def _state(self, amphora_id: str) -> AgentState:
        agent = self._verified(amphora_id)
        return AgentState(
            protocol=agent.protocol,
            amphora_id=amphora_id,
            boot_id=str(agent.starts),
            haproxy_version="2.6.12",
            limits=Limits(nofile=20_000),
            certificate_request=f"request of {amphora_id}",
            certificate_proof="",
            load_balancers={key: applied(document) for key, document in agent.documents.items()},
        )


def applied(document: Document) -> Applied:
    return Applied(generation=document.generation, digest=digest(document), fence=document.fence)
