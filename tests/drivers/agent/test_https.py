"""Agents over HTTPS: connections that are kept, that die, and answers that are no good."""

import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from octavia.domain.document import PROTOCOL, AgentState, Applied, Document, Fence, Limits, digest
from octavia.drivers.agent import Endpoint, https
from octavia.drivers.agent.https import Fenced, HttpsAgents
from octavia.drivers.faults import PortFault, Refused
from octavia.host import tls
from octavia.host.pki import Authority
from octavia.host.server import Answer, DocumentServer, Request
from octavia.host.server import Refused as RefusedRequest
from tests.builders import new_id
from tests.host.certificates import credentials
from tests.host.needs import until


class FakeAgent:
    """A server that answers as an agent would, or as the test wants it."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.amphora = new_id()
        self.heard: list[Request] = []
        self.refusal: RefusedRequest | None = None
        self.body: object = self.state({})
        self.connections = 0
        self.peers: list[ssl.SSLSocket] = []
        agent = credentials(authority, self.amphora, folder / "agent", server=True)
        self.context = tls.server_context(*agent, authority.certificate_authority)
        self.start(0)

    def start(self, port: int) -> None:
        self.server = DocumentServer(("127.0.0.1", port), self.context, self.counts, self.handle)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self) -> None:
        """Every connection is closed, as if the agent had died."""
        for peer in self.peers:
            with suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        self.peers.clear()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        until(lambda: not [each for each in threading.enumerate() if each.name == "connection"])

    def counts(self, peer: ssl.SSLSocket) -> bool:
        self.connections += 1
        self.peers.append(peer)
        return True

    def handle(self, request: Request) -> Answer:
        self.heard.append(request)
        if self.refusal is not None:
            raise self.refusal
        return Answer(200, self.body)

    def state(self, applied: dict[str, Applied]) -> AgentState:
        return AgentState(
            protocol=PROTOCOL,
            amphora_id=self.amphora,
            boot_id="boot",
            haproxy_version="2.6.12",
            limits=Limits(nofile=1000),
            certificate_request="request",
            certificate_proof="proof",
            load_balancers=applied,
        )

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(self.amphora, *self.server.server_address)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.ensure(tmp_path / "pki")


@pytest.fixture
def agents(authority: Authority) -> Iterator[HttpsAgents]:
    made = HttpsAgents(*authority.controller_credentials(), authority.certificate_authority)
    yield made
    made.close()


@pytest.fixture
def agent(tmp_path: Path, authority: Authority) -> Iterator[FakeAgent]:
    made = FakeAgent(tmp_path, authority)
    yield made
    made.stop()


def document(**fields: object) -> Document:
    given = {"load_balancer_id": new_id(), "generation": 3, "fence": Fence(1, 2), "config": "", "reload_key": ""}
    return Document(**given | fields)  # type: ignore[arg-type]


def test_every_verb(agents: HttpsAgents, agent: FakeAgent) -> None:
    wish = document()
    applied = Applied(generation=3, digest=digest(wish), fence=wish.fence)
    agent.body = agent.state({wish.load_balancer_id: applied})
    assert agents.state(agent.endpoint).load_balancers == {wish.load_balancer_id: applied}
    assert agents.set_load_balancer(agent.endpoint, wish).load_balancers == {wish.load_balancer_id: applied}
    assert agents.remove_load_balancer(agent.endpoint, "some-id", Fence(4, 5)).amphora_id == agent.amphora
    introduction = agents.introduction(agent.endpoint)
    assert (introduction.certificate_request, introduction.certificate_proof) == ("request", "proof")
    agents.set_certificate(agent.endpoint, "pem")
    said = [(request.verb, request.path, request.query) for request in agent.heard]
    assert said == [
        ("GET", "/v1/state", {}),
        ("PUT", f"/v1/loadbalancers/{wish.load_balancer_id}", {}),
        ("DELETE", "/v1/loadbalancers/some-id", {"epoch": "4", "token": "5"}),
        ("GET", "/v1/state", {}),
        ("PUT", "/v1/certificate", {}),
    ]
    assert msgspec.json.decode(agent.heard[1].body, type=Document) == wish
    assert agent.heard[4].body == b"pem"


def test_one_connection_serves_many_calls(agents: HttpsAgents, agent: FakeAgent) -> None:
    for _ in range(5):
        agents.state(agent.endpoint)
    assert agent.connections == 1


def test_refusals_cost_no_connection(agents: HttpsAgents, agent: FakeAgent) -> None:
    for status, kind in ((400, Refused), (409, Fenced), (503, PortFault), (500, PortFault)):
        agent.refusal = RefusedRequest(status, f"a sentence for {status}")
        with pytest.raises(PortFault, match=f"a sentence for {status}") as caught:
            agents.set_load_balancer(agent.endpoint, document())
        assert type(caught.value) is kind
        assert agent.amphora in str(caught.value)
    assert agent.connections == 1


def test_a_connection_that_died_is_replaced_silently(agents: HttpsAgents, agent: FakeAgent) -> None:
    agents.state(agent.endpoint)
    agent.stop()
    agent.start(agent.endpoint.port)
    assert agents.state(agent.endpoint).amphora_id == agent.amphora
    assert agent.connections == 2


def test_an_agent_that_is_gone(agents: HttpsAgents, agent: FakeAgent) -> None:
    agents.state(agent.endpoint)
    endpoint = agent.endpoint
    agent.stop()
    for _ in range(2):
        with pytest.raises(PortFault, match=f"amphora {agent.amphora} does not answer"):
            agents.state(endpoint)
        with pytest.raises(PortFault, match="does not answer"):
            agents.introduction(endpoint)
    agent.start(endpoint.port)


def test_an_agent_that_says_nothing(agents: HttpsAgents, agent: FakeAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https, "CONNECT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = Endpoint(agent.amphora, *silent.getsockname())
        with pytest.raises(PortFault, match="does not answer"):
            agents.state(endpoint)


def test_an_answer_that_takes_too_long_is_not_asked_for_again(
    agents: HttpsAgents, agent: FakeAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    agents.state(agent.endpoint)
    monkeypatch.setattr(https, "READ", 0.1)
    agents.forget(agent.amphora)
    agents.state(agent.endpoint)
    release, plain = threading.Event(), agent.handle

    def slow(request: Request) -> Answer:
        answer = plain(request)
        release.wait(5)
        return answer

    agent.server._handler = slow
    with pytest.raises(PortFault, match="timed out"):
        agents.state(agent.endpoint)
    release.set()
    assert len(agent.heard) == 3


def test_another_name_is_not_believed(agents: HttpsAgents, agent: FakeAgent) -> None:
    with pytest.raises(PortFault, match="certificate"):
        agents.state(Endpoint(new_id(), *agent.server.server_address))


@pytest.mark.parametrize("body", [None, "text", {"fault": "odd"}, []])
def test_an_answer_that_cannot_be_read(agents: HttpsAgents, agent: FakeAgent, body: object) -> None:
    agent.body = body
    with pytest.raises(PortFault, match="cannot be read"):
        agents.state(agent.endpoint)


def test_an_agent_of_another_version_is_recognised_though_it_tells_of_its_state_in_other_words(
    agents: HttpsAgents, agent: FakeAgent
) -> None:
    ours = {"amphora_id": agent.amphora, "certificate_request": "request", "certificate_proof": "proof"}
    agent.body = ours | {"protocol": PROTOCOL - 1, "load_balancers": ["another", "shape"], "kernel": "new"}
    assert agents.state(agent.endpoint).protocol == PROTOCOL - 1
    assert agents.introduction(agent.endpoint).certificate_request == "request"


def test_what_is_forgotten_is_closed(agents: HttpsAgents, agent: FakeAgent) -> None:
    agents.state(agent.endpoint)
    agents.forget(agent.amphora)
    agents.forget("nobody")
    agents.state(agent.endpoint)
    assert agent.connections == 2


def test_an_agent_that_moved_is_found(agents: HttpsAgents, agent: FakeAgent) -> None:
    agents.state(agent.endpoint)
    before = agent.endpoint
    agent.stop()
    with socket.create_server((before.address, before.port)):
        agent.start(0)
        assert agent.endpoint != before
        assert agents.state(agent.endpoint).amphora_id == agent.amphora


def test_many_threads_at_once(agents: HttpsAgents, agent: FakeAgent) -> None:
    with ThreadPoolExecutor(8) as pool:
        states = list(pool.map(lambda _: agents.state(agent.endpoint), range(200)))
    assert {state.amphora_id for state in states} == {agent.amphora}
    assert len(agent.heard) == 200
    assert agent.connections <= 8


def test_after_close_nothing_is_kept(agents: HttpsAgents, agent: FakeAgent) -> None:
    agents.state(agent.endpoint)
    agents.close()
    until(lambda: not [each for each in threading.enumerate() if each.name == "connection"])
