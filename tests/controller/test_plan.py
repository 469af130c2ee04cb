"""The planner, over worlds that no run would think of: it is total, and never breaks before it makes."""

from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from octavia.controller.plan import plan
from octavia.controller.world import (
    Again,
    Allocate,
    Attach,
    Boot,
    Certify,
    Condemn,
    Destroy,
    Detach,
    Done,
    Fault,
    Forget,
    Push,
    ReleaseVip,
    RenewAgent,
    Seen,
    Wish,
    Withdraw,
    World,
)
from octavia.domain.amphora import Amphora
from octavia.domain.document import AgentState, Applied, Fence, Limits, digest
from octavia.domain.graph import Graph, put
from octavia.domain.network import FixedIp, NetworkPort, Subnet
from octavia.drivers.agent import Introduction
from octavia.drivers.compute import Instance
from octavia.render import document
from tests import builders

NETWORK, SUBNET, OTHER = "network-1", "subnet-1", "subnet-2"
FENCE = Fence(1, 7)
SUBNETS = {
    SUBNET: Subnet(
        id=SUBNET,
        name="demo",
        network_id=NETWORK,
        cidr="198.18.0.0/20",
        ip_version=4,
        gateway_ip="198.18.0.1",
        allocation_pools=(),
    )
}


def graph(*, deleted: bool = False, generation: int = 3) -> Graph:
    top = builders.load_balancer(
        vip_subnet_id=SUBNET, vip_port_id="vip", generation=generation, deleted=generation if deleted else None
    )
    made = Graph(load_balancer=top)
    pool = builders.pool(top)
    made = put(put(made, pool), builders.listener(top, default_pool_id=pool.id))
    return put(made, builders.member(pool))


def wish(of: Graph | None) -> Wish:
    return Wish(cluster_id="cluster", graph=of, fence=FENCE)


def port(amphora_id: str, subnet: str) -> NetworkPort:
    return NetworkPort(
        id=f"port of {amphora_id} in {subnet}",
        network_id=NETWORK,
        owner=amphora_id,
        device_owner="octavia:amphora",
        mac_address="fa:16:3e:00:00:01",
        fixed_ips=(FixedIp(subnet, "198.18.0.9"),),
    )


def agent(row: Amphora, applied: dict[str, Applied], protocol: int = 1) -> AgentState:
    return AgentState(
        protocol=protocol,
        amphora_id=row.id,
        boot_id="b",
        haproxy_version="2.6.12",
        limits=Limits(nofile=20_000),
        certificate_request="request",
        certificate_proof="proof",
        load_balancers=applied,
    )


def serving(of: Graph, **row: Any) -> Seen:
    """An amphora that is all that the graph wishes."""
    made = amphora(**row)
    ports = {SUBNET: port(made.id, SUBNET)}
    seen = Seen(row=made, instance=instance(made), ports=ports, agent=agent(made, {}))
    for step in plan(wish(of), World(amphorae=(seen,), subnets=SUBNETS), builders.NOW).steps:
        if isinstance(step, Push):
            applied = Applied(generation=step.document.generation, digest=digest(step.document), fence=FENCE)
            return msgspec.structs.replace(seen, agent=agent(made, {of.load_balancer.id: applied}))
    return seen


def amphora(**fields: Any) -> Amphora:
    given: dict[str, Any] = {"cert_expiration": builders.NOW + timedelta(days=30), "created_at": builders.NOW}
    return Amphora(id=builders.new_id(), cluster_id="cluster", **(given | fields))


def instance(row: Amphora) -> Instance:
    return Instance(amphora_id=row.id, status="RUNNING", address="198.19.0.2", port=9443)


GRAPH = graph()
states = st.sampled_from(["none", "empty", "right", "stale", "faulty", "old protocol", "stranger"])
SEEN = st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans(), states, st.booleans())
WORLDS = st.lists(SEEN, max_size=4)


def world_of(drawn: list[tuple[bool, bool, bool, bool, str, bool]]) -> World:
    return World(amphorae=tuple(seen_of(*each) for each in drawn), subnets=SUBNETS)


def seen_of(condemned: bool, certified: bool, there: bool, attached: bool, state: str, introduced: bool) -> Seen:
    row = amphora(
        condemned="a reason" if condemned else None,
        cert_expiration=builders.NOW + timedelta(days=30) if certified else None,
    )
    return Seen(
        row=row,
        instance=instance(row) if there else None,
        ports={SUBNET: port(row.id, SUBNET), OTHER: port(row.id, OTHER)} if attached else {},
        introduction=Introduction(protocol=1, certificate_request="r", certificate_proof="p") if introduced else None,
        agent=state_of(row, state),
    )


def state_of(row: Amphora, state: str) -> AgentState | None:
    top = GRAPH.load_balancer.id
    right = document(GRAPH, fence=FENCE, limits=Limits(nofile=20_000))
    good = Applied(generation=3, digest=digest(right), fence=FENCE)
    found: dict[str, dict[str, Applied]] = {
        "empty": {},
        "right": {top: good},
        "stale": {top: msgspec.structs.replace(good, generation=1)},
        "faulty": {top: msgspec.structs.replace(good, fault="no")},
        "old protocol": {top: good},
        "stranger": {"somebody else": good},
    }
    return None if state == "none" else agent(row, found[state], protocol=0 if state == "old protocol" else 1)


@given(WORLDS, st.booleans(), st.integers(0, 200))
def test_it_is_total_and_says_what_it_does(
    drawn: list[tuple[bool, bool, bool, bool, str, bool]], deleted: bool, seconds: int
) -> None:
    world = world_of(drawn)
    now = builders.NOW + timedelta(seconds=seconds)
    made = plan(wish(graph(deleted=True) if deleted else GRAPH), world, now)
    assert made.sentence.endswith(".")
    if isinstance(made.result, Done):
        assert all(isinstance(step, ReleaseVip) for step in made.steps)
    if isinstance(made.result, Again) and made.result.after == 0:
        assert made.steps, "at once means that something was done"
    ids = {seen.row.id for seen in world.amphorae}
    assert {step.amphora.id for step in made.steps if hasattr(step, "amphora")} <= ids


@given(WORLDS)
def test_nothing_goes_before_what_takes_its_place_serves(
    drawn: list[tuple[bool, bool, bool, bool, str, bool]],
) -> None:
    world = world_of(drawn)
    made = plan(wish(GRAPH), world, builders.NOW)
    going = {step.amphora.id for step in made.steps if isinstance(step, (Destroy, Forget))}
    kept = [seen for seen in world.amphorae if seen.row.condemned is None]
    if going:
        assert going == {seen.row.id for seen in world.amphorae if seen.row.condemned is not None}
        assert len(kept) == 1
        assert plan(wish(GRAPH), World(amphorae=tuple(kept), subnets=SUBNETS), builders.NOW).steps == ()
    assert len(kept) + sum(isinstance(step, Allocate) for step in made.steps) <= max(1, len(kept))


@given(WORLDS)
def test_a_deleted_load_balancer_only_loses(drawn: list[tuple[bool, bool, bool, bool, str, bool]]) -> None:
    world = world_of(drawn)
    made = plan(wish(graph(deleted=True)), world, builders.NOW)
    assert all(isinstance(step, (Destroy, Forget, ReleaseVip)) for step in made.steps)
    assert isinstance(made.result, Done) == (not world.amphorae)


def steps_for(seen: Seen, of: Graph = GRAPH, subnets: dict[str, Subnet] = SUBNETS) -> list[type]:
    made = plan(wish(of), World(amphorae=(seen,), subnets=subnets), builders.NOW)
    return [type(step) for step in made.steps]


def test_the_way_of_an_amphora() -> None:
    row = amphora(cert_expiration=None)
    seen = Seen(row=row)
    assert steps_for(seen) == [Boot, Attach]
    seen = msgspec.structs.replace(seen, instance=instance(row), ports={SUBNET: port(row.id, SUBNET)})
    assert steps_for(seen) == []
    intro = Introduction(protocol=1, certificate_request="r", certificate_proof="p")
    assert steps_for(msgspec.structs.replace(seen, introduction=intro)) == [Certify]
    row = amphora()
    seen = msgspec.structs.replace(seen, row=row, agent=agent(row, {}))
    assert steps_for(seen) == [Attach, Push]
    assert steps_for(serving(GRAPH)) == []


def test_an_edit_is_pushed_and_so_is_a_raised_epoch() -> None:
    seen = serving(GRAPH)
    top = msgspec.structs.replace(GRAPH.load_balancer, generation=4)
    assert steps_for(seen, msgspec.structs.replace(GRAPH, load_balancer=top)) == [Attach, Push]
    restored = msgspec.structs.replace(wish(GRAPH), fence=Fence(2, 1))
    made = plan(restored, World(amphorae=(seen,), subnets=SUBNETS), builders.NOW)
    assert [type(step) for step in made.steps] == [Attach, Push]


def test_an_older_agent_is_replaced_before_anything_is_told_to_it() -> None:
    seen = serving(GRAPH)
    assert seen.agent is not None
    old = msgspec.structs.replace(seen.agent, protocol=0)
    assert steps_for(msgspec.structs.replace(seen, agent=old)) == [RenewAgent]


def test_a_certificate_is_renewed_in_time() -> None:
    seen = serving(GRAPH, cert_expiration=builders.NOW + timedelta(days=13))
    assert steps_for(seen) == [Certify]


def test_an_amphora_whose_certificate_has_expired_is_replaced() -> None:
    seen = msgspec.structs.replace(serving(GRAPH, cert_expiration=builders.NOW), agent=None, silence="expired")
    assert steps_for(seen) == [Condemn]


def test_what_is_served_beside_the_wish_is_withdrawn() -> None:
    seen = serving(GRAPH)
    assert seen.agent is not None
    strange = seen.agent.load_balancers | {"somebody else": next(iter(seen.agent.load_balancers.values()))}
    seen = msgspec.structs.replace(seen, agent=agent(seen.row, strange))
    assert steps_for(seen) == [Withdraw]


def test_a_link_that_is_not_needed_any_more_goes() -> None:
    seen = serving(GRAPH)
    ports = {**seen.ports, OTHER: port(seen.row.id, OTHER)}
    assert steps_for(msgspec.structs.replace(seen, ports=ports)) == [Detach]


def test_a_member_in_another_subnet_of_the_network_gets_a_link_there() -> None:
    """The VIP's network may have more subnets: an IPv6 VIP reaches an IPv4 member only from an address beside it."""
    of = put(GRAPH, builders.member(GRAPH.pools[0], subnet_id=OTHER))
    both = SUBNETS | {OTHER: msgspec.structs.replace(SUBNETS[SUBNET], id=OTHER, cidr="192.0.2.0/24")}
    made = plan(wish(of), World(amphorae=(serving(GRAPH),), subnets=both), builders.NOW)
    assert [step.subnet_id for step in made.steps if isinstance(step, Attach)] == [OTHER]


def test_an_agent_that_never_spoke_is_given_up_in_the_end() -> None:
    row = amphora(cert_expiration=None, created_at=builders.NOW - timedelta(seconds=61))
    seen = Seen(row=row, instance=instance(row), ports={SUBNET: port(row.id, SUBNET)})
    assert steps_for(seen) == [Condemn]


def test_an_agent_that_falls_silent_is_a_passing_fault_and_a_lost_subnet_a_terminal_one() -> None:
    silent = msgspec.structs.replace(serving(GRAPH), agent=None, silence="no route")
    made = plan(wish(GRAPH), World(amphorae=(silent,), subnets=SUBNETS), builders.NOW)
    assert (made.result, made.steps) == (Fault(), ())
    assert "no route" in made.sentence
    made = plan(wish(GRAPH), World(amphorae=(silent,), subnets={}), builders.NOW)
    assert made.result == Fault(terminal=True)
