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

EDITS = (
    "listener",
    "pool",
    "member",
    "weight",
    "drop member",
    "drop pool",
    "drop listener",
    "disable",
    "monitor",
    "nothing",
)
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
EVENTS = {
    "wish": (1, ("",)),
    "visit": (6, ("",)),
    "edit": (8, EDITS),
    "delete": (1, ("",)),
    "fail": (3, VERBS),
    "crash before": (3, VERBS),
    "crash after": (3, VERBS),
    "restart": (1, ("",)),
    "vanish": (2, ("",)),
    "stranger": (1, ("",)),
    "condemn": (2, ("",)),
    "amnesia": (2, ("",)),
    "old agent": (2, ("",)),
    "lie": (2, ("compute.ensure", "compute.remove", "network.remove_port")),
    "sweep": (1, ("",)),
}
"""What may happen: how often, relative to the others, and to what."""
events = st.sampled_from([name for name, (weight, _) in EVENTS.items() for _ in range(weight)]).flatmap(
    lambda name: st.tuples(st.just(name), st.sampled_from(EVENTS[name][1]))
)
SCRIPTS = st.lists(st.tuples(events, numbers), min_size=5, max_size=40)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCRIPTS)
def test_every_script_ends_in_the_wished_world(script: list[tuple[tuple[str, str], int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        try:
            begin(stage)
            for (event, what), number in script:
                happen(stage, event, what, number)
            stage.settle()
            stage.check()
        finally:
            stage.database.close()


def begin(stage: Stage) -> None:
    """One load balancer with something of each noun, and an amphora that is not there yet."""
    top = stage.wish().load_balancer
    for what in ("pool", "listener", "member", "member"):
        edit(stage, top.id, what, 0)


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
    if what == "monitor" and alive.pools and not alive.health_monitors:
        return put(graph, builders.health_monitor(alive.pools[0]))
    if what == "disable":
        return put(graph, msgspec.structs.replace(top, admin_state_up=not top.admin_state_up))
    return dropped(graph, alive, what, number)


def dropped(graph: Graph, alive: Graph, what: str, number: int) -> Graph:
    rows = {"drop member": alive.members, "drop pool": alive.pools, "drop listener": alive.listeners}.get(what, ())
    return delete(graph, rows[number % len(rows)]) if rows else put(graph, graph.load_balancer)
