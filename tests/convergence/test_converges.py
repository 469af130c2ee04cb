"""Whatever happens on the way, the world ends as it is wished, with nothing extra and nothing stuck."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from octavia.domain.graph import Graph, delete, live, next_server_id, put
from octavia.drivers.compute import Instance
from octavia.drivers.faults import ANY
from tests import builders
from tests.convergence.stage import WHO, Stage

EDITS = ("listener", "pool", "member", "weight", "drop member", "drop pool", "drop listener", "disable", "nothing")
VERBS = (
    "compute.ensure",
    "compute.set_port",
    "compute.remove",
    "compute.get",
    "network.ensure_port",
    "network.remove_port",
    "agent.introduction",
    "agent.set_certificate",
    "agent.state",
    "agent.set_load_balancer",
    ANY,
)
numbers = st.integers(0, 7)
events = st.one_of(
    st.tuples(st.just("wish"), st.just("")),
    st.tuples(st.just("visit"), st.just("")),
    st.tuples(st.just("edit"), st.sampled_from(EDITS)),
    st.tuples(st.just("delete"), st.just("")),
    st.tuples(st.just("fail"), st.sampled_from(VERBS)),
    st.tuples(st.just("crash before"), st.sampled_from(VERBS)),
    st.tuples(st.just("crash after"), st.sampled_from(VERBS)),
    st.tuples(st.just("restart"), st.just("")),
    st.tuples(st.just("vanish"), st.just("")),
    st.tuples(st.just("stranger"), st.just("")),
    st.tuples(st.just("condemn"), st.just("")),
    st.tuples(st.just("amnesia"), st.just("")),
    st.tuples(st.just("old agent"), st.just("")),
    st.tuples(st.just("lie"), st.sampled_from(("compute.ensure", "compute.remove", "network.remove_port"))),
    st.tuples(st.just("sweep"), st.just("")),
)
SCRIPTS = st.lists(st.tuples(events, numbers), max_size=30)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCRIPTS)
def test_every_script_ends_in_the_wished_world(script: list[tuple[tuple[str, str], int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        try:
            for (event, what), number in script:
                happen(stage, event, what, number)
            stage.settle()
            stage.check()
        finally:
            stage.database.close()


def happen(stage: Stage, event: str, what: str, number: int) -> None:
    clusters = stage.clusters.all()
    machines = sorted(stage.compute.machines)
    ids = [top for (top,) in stage.load_balancers()]
    if event == "wish":
        stage.faults.clear()
        stage.wish()
    elif event == "visit" and clusters:
        stage.visit(clusters[number % len(clusters)])
    elif event == "edit" and ids:
        edit(stage, ids[number % len(ids)], what, number)
    elif event == "delete" and ids:
        edit(stage, ids[number % len(ids)], "delete", number)
    elif event == "restart":
        stage.start()
    elif event == "sweep":
        stage.sweep()
    elif event == "lie":
        stage.faults.lie(what, LIES[what], skip=number)
    elif event in FAULTS:
        FAULTS[event](stage, what, number)
    elif machines and event in WORLD:
        WORLD[event](stage, machines[number % len(machines)])


FAULTS: dict[str, Callable[[Stage, str, int], None]] = {
    "fail": lambda stage, verb, number: stage.faults.fail(verb, times=1 + number % 2, skip=number),
    "crash before": lambda stage, verb, number: stage.faults.crash_before(verb, skip=number),
    "crash after": lambda stage, verb, number: stage.faults.crash_after(verb, skip=number),
    "stranger": lambda stage, verb, number: stage.strange_machine(),
}
NOWHERE = Instance(amphora_id="nobody", status="RUNNING", address="192.0.2.9", port=9443)
LIES = {"compute.ensure": NOWHERE, "compute.remove": None, "network.remove_port": None}
"""Each claims success and has done nothing."""
WORLD: dict[str, Callable[[Stage, str], object]] = {
    "vanish": lambda stage, machine: stage.compute.vanish(machine),
    "condemn": lambda stage, machine: stage.clusters.condemn(machine, "a test wants it"),
    "amnesia": lambda stage, machine: stage.agents.lose_state(machine),
    "old agent": lambda stage, machine: stage.agents.set_protocol(machine, 0),
}


def edit(stage: Stage, load_balancer_id: str, what: str, number: int) -> None:
    def change(graph: Graph) -> Graph:
        if graph.load_balancer.deleted is not None:
            return graph
        return changed(graph, what, number)

    stage.store.write(load_balancer_id, WHO, change)


def changed(graph: Graph, what: str, number: int) -> Graph:
    alive, top = live(graph), graph.load_balancer
    if what == "delete":
        return delete(graph, top)
    if what == "listener":
        ports = {listener.protocol_port for listener in alive.listeners}
        pool = alive.pools[number % len(alive.pools)].id if alive.pools else None
        free = next(port for port in range(80, 100) if port not in ports)
        return put(graph, builders.listener(top, protocol_port=free, default_pool_id=pool))
    if what == "pool":
        return put(graph, builders.pool(top))
    if what == "member" and alive.pools:
        pool_ = alive.pools[number % len(alive.pools)]
        serial = next_server_id(graph, pool_.id)
        return put(graph, builders.member(pool_, address=f"198.18.2.{serial}", server_id=serial))
    if what == "weight" and alive.members:
        member = alive.members[number % len(alive.members)]
        return put(graph, msgspec.structs.replace(member, weight=number))
    if what == "disable":
        return put(graph, msgspec.structs.replace(top, admin_state_up=not top.admin_state_up))
    return dropped(graph, alive, what, number)


def dropped(graph: Graph, alive: Graph, what: str, number: int) -> Graph:
    rows = {"drop member": alive.members, "drop pool": alive.pools, "drop listener": alive.listeners}.get(what, ())
    return delete(graph, rows[number % len(rows)]) if rows else put(graph, graph.load_balancer)
