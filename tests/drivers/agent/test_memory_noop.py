"""The agents that tests use obey and refuse as real ones do; the no-op ones accept everything."""

import threading

import msgspec
import pytest
from msgspec import Struct

from octavia.domain.document import PROTOCOL, Document, Fence, digest
from octavia.drivers.agent import Agents, Endpoint
from octavia.drivers.agent.https import Fenced
from octavia.drivers.agent.memory import Memory
from octavia.drivers.agent.noop import NoopAgents
from octavia.drivers.faults import Crash, PortFault, Refused
from tests.builders import new_id

replace = msgspec.structs.replace


class Machine(Struct):
    boot_secret: str = "secret"
    agent_starts: int = 1


class World:
    def __init__(self) -> None:
        self.id = new_id()
        self.machines = {self.id: Machine()}
        self.agents = Memory(lambda: self.machines)
        self.endpoint = Endpoint(self.id, "192.0.2.1", 9443)
        self.document = Document(load_balancer_id=new_id(), generation=1, fence=Fence(1, 5), config="x", reload_key="x")

    def put(self, document: Document | None = None) -> None:
        self.agents.set_load_balancer(self.endpoint, document or self.document)


@pytest.fixture
def world() -> World:
    made = World()
    made.agents.set_certificate(made.endpoint, "pem")
    return made


def test_they_are_agents() -> None:
    both: tuple[Agents, Agents] = (Memory(dict), NoopAgents())
    for each in both:
        each.forget("nobody")
        each.close()


def test_an_older_fence_is_refused(world: World) -> None:
    world.put()
    with pytest.raises(Fenced):
        world.put(replace(world.document, fence=Fence(1, 4)))
    with pytest.raises(Fenced):
        world.agents.remove_load_balancer(world.endpoint, world.document.load_balancer_id, Fence(0, 9))
    world.put(replace(world.document, fence=Fence(2, 1), generation=2))
    applied = world.agents.state(world.endpoint).load_balancers[world.document.load_balancer_id]
    assert (applied.fence, applied.generation, applied.digest) == (Fence(2, 1), 2, digest(world.document))


def test_nobody_speaks_to_an_agent_without_a_certificate() -> None:
    world = World()
    with pytest.raises(PortFault, match="nobody has signed"):
        world.agents.state(world.endpoint)
    assert world.agents.introduction(world.endpoint).protocol == PROTOCOL


def test_a_machine_that_is_gone_does_not_answer(world: World) -> None:
    world.machines.clear()
    for ask in (world.agents.state, world.agents.introduction):
        with pytest.raises(PortFault, match="does not answer"):
            ask(world.endpoint)


def test_a_machine_that_was_made_anew_has_forgotten_everything(world: World) -> None:
    world.put()
    world.machines[world.id] = Machine(boot_secret="another")
    with pytest.raises(PortFault, match="nobody has signed"):
        world.agents.state(world.endpoint)


def test_state_can_be_lost(world: World) -> None:
    world.put()
    world.agents.lose_state(world.id)
    assert world.agents.state(world.endpoint).load_balancers == {}
    world.put(replace(world.document, fence=Fence(0, 1)))


def test_an_old_agent_is_one_until_it_is_started_anew(world: World) -> None:
    world.put()
    world.agents.set_protocol(world.id, 0)
    assert world.agents.state(world.endpoint).protocol == 0
    with pytest.raises(PortFault):
        world.put()
    world.machines[world.id] = Machine(agent_starts=2)
    state = world.agents.state(world.endpoint)
    assert (state.protocol, list(state.load_balancers)) == (PROTOCOL, [world.document.load_balancer_id])


def test_faults(world: World) -> None:
    faults = world.agents.faults
    faults.fail("agent.set_load_balancer", fault=Refused("no"))
    with pytest.raises(Refused):
        world.put()
    assert world.agents.documents(world.id) == {}
    faults.crash_after("agent.set_load_balancer")
    with pytest.raises(Crash):
        world.put()
    assert list(world.agents.documents(world.id)) == [world.document.load_balancer_id]
    faults.lie("agent.state", "nonsense")
    assert world.agents.state(world.endpoint) == "nonsense"  # type: ignore[comparison-overlap]
    release = faults.hang("agent.remove_load_balancer")
    arguments = (world.endpoint, world.document.load_balancer_id, Fence(1, 6))
    thread = threading.Thread(target=world.agents.remove_load_balancer, args=arguments)
    thread.start()
    assert world.agents.documents(world.id)
    release.set()
    thread.join()
    assert world.agents.documents(world.id) == {}


def test_noop_agents_have_in_force_what_they_were_told() -> None:
    agents, endpoint = NoopAgents(), Endpoint(new_id(), "192.0.2.1", 9443)
    document = Document(load_balancer_id="x", generation=7, fence=Fence(1, 1), config="", reload_key="")
    agents.set_certificate(endpoint, agents.introduction(endpoint).certificate_request)
    assert agents.set_load_balancer(endpoint, document).load_balancers["x"].generation == 7
    assert agents.state(endpoint).load_balancers["x"].digest == digest(document)
    assert agents.remove_load_balancer(endpoint, "x", Fence(1, 2)).load_balancers == {}
    agents.set_load_balancer(endpoint, document)
    agents.forget(endpoint.amphora_id)
    assert agents.state(endpoint).load_balancers == {}
