"""Many clients at once: quotas hold, no change is lost, and a busy load balancer takes them all."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

import pytest

from octavia.api.app import build
from octavia.api.ports import NOBODY, Services
from octavia.bus.local import LocalBus
from octavia.controller.act import Ports
from octavia.controller.loop import Loop
from octavia.controller.sweep import Sweeper
from octavia.controller.visit import Terms, Visitor
from octavia.domain.quota import FIELDS, UNLIMITED
from octavia.drivers.agent.noop import NoopAgents
from octavia.drivers.compute.noop import Noop as NoopCompute
from octavia.drivers.network.noop import Noop as NoopNetwork
from octavia.store.clusters import Clusters
from octavia.store.engine import Database
from octavia.store.store import Store
from tests.api.world import Api
from tests.builders import new_id

SUBNET = "5c6a5e2c-6f0e-4d7c-9a63-000000000001"
LIMITS = dict.fromkeys(FIELDS.values(), UNLIMITED)
THREADS = (2, 8)


@pytest.fixture
def bus() -> LocalBus:
    return LocalBus()


@pytest.fixture
def busy(database: Database, services: Services, bus: LocalBus) -> Api:
    """The API where quotas count, over a network that many may ask at once."""
    store = Store(database, bus.ring, LIMITS)
    return Api(build(replace(services, store=store, network=NoopNetwork(), counting=True, limits=LIMITS)))


@pytest.fixture
def controlled(database: Database, services: Services, bus: LocalBus) -> Iterator[Loop]:
    """A controller that visits what was rung for."""
    compute, network, clusters = NoopCompute(), NoopNetwork(), Clusters(database)
    ports = Ports(
        clusters=clusters,
        compute=compute,
        network=network,
        agents=NoopAgents(),
        sign=lambda request, amphora, now: ("", now),
        clock=services.clock,
        new_id=new_id,
    )
    loop = Loop(
        Visitor(ports, Terms(holder="here", certificates=False)),
        Sweeper(clusters, compute, network, lambda age: (), services.clock),
        bus,
        workers=2,
        sweep_interval=60.0,
    )
    loop.start()
    yield loop
    loop.stop()


def at_once(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each has returned, all of them having begun together."""
    start, outcomes = threading.Barrier(len(works)), [None] * len(works)

    def run(at: int) -> None:
        start.wait()
        outcomes[at] = works[at]()

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def limited(api: Api, **limits: int) -> None:
    api.expect(202, "PUT", f"/v2/quotas/{NOBODY}", {"quota": limits})


def statuses(api: Api, asks: Sequence[tuple[str, str, dict[str, Any]]]) -> list[int]:
    """The answers to requests that were sent at once, sorted."""

    def ask(method: str, path: str, body: dict[str, Any]) -> int:
        return int(api.ask(method, path, body).status_code)

    return sorted(at_once([partial(ask, *asked) for asked in asks]))


def members(first: int, number: int) -> list[dict[str, Any]]:
    return [{"address": f"192.0.2.{first + at}", "protocol_port": 80} for at in range(number)]


@pytest.mark.parametrize("threads", THREADS)
def test_load_balancers_at_the_edge_of_the_quota(busy: Api, threads: int) -> None:
    limited(busy, loadbalancer=3)
    asks = [("POST", "/v2/loadbalancers", {"loadbalancer": {"vip_subnet_id": SUBNET}})] * threads
    busy.load_balancer(vip_subnet_id=SUBNET)
    busy.load_balancer(vip_subnet_id=SUBNET)
    assert statuses(busy, asks) == [201] + [403] * (threads - 1)
    assert len(busy.get("/v2/loadbalancers")["loadbalancers"]) == 3


@pytest.mark.parametrize("threads", THREADS)
def test_the_first_load_balancers_of_a_project(busy: Api, services: Services, database: Database, threads: int) -> None:
    """A project without a row is counted too, by the defaults, and all of its first requests are answered."""
    limits = LIMITS | {"loadbalancer": 1}
    store = Store(database, lambda _: None, limits)
    fresh = Api(build(replace(services, store=store, network=NoopNetwork(), counting=True, limits=limits)))
    asks = [("POST", "/v2/loadbalancers", {"loadbalancer": {"vip_subnet_id": SUBNET}})] * threads
    assert statuses(fresh, asks) == [201] + [403] * (threads - 1)
    assert len(fresh.get("/v2/quotas")["quotas"]) == 1


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("spread", [False, True])
def test_listeners_at_the_edge_of_the_quota(busy: Api, threads: int, spread: bool) -> None:
    """On one load balancer, and on as many as there are clients: then only the quota's row stands between them."""
    tops = [busy.load_balancer(vip_subnet_id=SUBNET) for _ in range(threads if spread else 1)]
    limited(busy, listener=2)
    busy.listener(tops[0], port=79)
    wishes = [
        {"loadbalancer_id": tops[at % len(tops)], "protocol": "HTTP", "protocol_port": 80 + at} for at in range(8)
    ]
    asks = [("POST", "/v2/listeners", {"listener": wish}) for wish in wishes[:threads]]
    assert statuses(busy, asks) == [201] + [403] * (threads - 1)
    assert len(busy.get("/v2/listeners")["listeners"]) == 2


@pytest.mark.parametrize("threads", THREADS)
def test_batches_of_members_at_the_edge_of_the_quota(busy: Api, threads: int) -> None:
    """A batch comes in whole or not at all; one that replaces as many as it brings always does."""
    pools = [busy.pool(busy.load_balancer(vip_subnet_id=SUBNET)) for _ in range(threads)]
    limited(busy, member=5)
    paths = [f"/v2/pools/{pool}/members" for pool in pools]
    asks = [("PUT", path, {"members": members(1, 3)}) for path in paths]
    assert statuses(busy, asks) == [202] + [403] * (threads - 1)
    full = next(path for path in paths if busy.get(path)["members"])
    asks = [("PUT", full, {"members": members(10 + 3 * at, 3)}) for at in range(threads)]
    assert statuses(busy, asks) == [202] * threads
    assert sum(len(live(busy, path)) for path in paths) == 3


def live(api: Api, path: str) -> list[Any]:
    return [row for row in api.get(path)["members"] if row["provisioning_status"] != "PENDING_DELETE"]


@pytest.mark.parametrize("threads", THREADS)
def test_changes_of_one_load_balancer_all_land(busy: Api, threads: int) -> None:
    top = busy.load_balancer(vip_subnet_id=SUBNET)
    pool, changes = busy.pool(top), 5
    fields = ["name", "description"]

    def edit(worker: int) -> list[int]:
        answers = []
        for number in range(changes):
            body = {fields[worker % 2]: f"{worker}-{number}"}
            answers.append(busy.ask("PUT", f"/v2/loadbalancers/{top}", {"loadbalancer": body}).status_code)
            wish = {"address": f"198.51.{worker}.{number}", "protocol_port": 80}
            answers.append(busy.ask("POST", f"/v2/pools/{pool}/members", {"member": wish}).status_code)
        return answers

    outcomes = at_once([partial(edit, worker) for worker in range(threads)])
    assert outcomes == [[200, 201] * changes] * threads
    shown = busy.get(f"/v2/loadbalancers/{top}")["loadbalancer"]
    for parity, field in enumerate(fields):
        worker, number = shown[field].split("-")
        assert (int(worker) % 2, number) == (parity, str(changes - 1)) or threads > 2
    assert len(busy.get(f"/v2/pools/{pool}/members")["members"]) == threads * changes
    assert busy.get(f"/v2/octavia/loadbalancers/{top}/progress")["progress"]["generation"] == 2 + 2 * changes * threads


LISTENERS, POOLS, MEMBERS, CLIENTS = 10, 10, 160, 16


def wishes(api: Api, top: str) -> Iterator[list[Callable[[], int]]]:
    """The work in two parts, as the second needs the ids of the first."""
    pools: list[str] = []

    def listener(port: int) -> int:
        wish = {"loadbalancer_id": top, "protocol": "HTTP", "protocol_port": port}
        return int(api.ask("POST", "/v2/listeners", {"listener": wish}).status_code)

    def pool() -> int:
        wish = {"loadbalancer_id": top, "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}
        answer = api.ask("POST", "/v2/pools", {"pool": wish})
        pools.append(answer.json["pool"]["id"])
        return int(answer.status_code)

    def member(at: int) -> int:
        wish = {"address": f"192.0.2.{at + 1}", "protocol_port": 80}
        return int(api.ask("POST", f"/v2/pools/{pools[at % POOLS]}/members", {"member": wish}).status_code)

    first: list[Callable[[], int]] = [partial(listener, port) for port in range(80, 80 + LISTENERS)]
    yield first + [pool] * POOLS
    yield [partial(member, at) for at in range(MEMBERS)]


def shared(works: Sequence[Callable[[], int]], clients: int) -> list[int]:
    """The answers, when so many clients share the work, each taking the next piece as soon as it is done with one."""
    numbers, answers = count(), []

    def client() -> None:
        while (at := next(numbers)) < len(works):
            answers.append(works[at]())

    at_once([client] * clients)
    return answers


def test_sixteen_clients_fill_one_load_balancer(busy: Api, controlled: Loop, database: Database) -> None:
    """No client tries again: all is accepted, and ACTIVE in the end."""
    took = {}
    for clients in (1, CLIENTS):
        top = busy.load_balancer(vip_subnet_id=SUBNET)
        began = time.monotonic()
        answers = [status for part in wishes(busy, top) for status in shared(part, clients)]
        accepted = time.monotonic() - began
        assert answers == [201] * (LISTENERS + POOLS + MEMBERS)
        tree = settled(busy, top)
        took[clients] = (accepted, time.monotonic() - began)
        assert len(tree["listeners"]) == LISTENERS
        for noun, number in (("listeners", LISTENERS), ("pools", POOLS)):
            rows = busy.get(f"/v2/{noun}", params={"loadbalancer_id": top})[noun]
            assert [row["provisioning_status"] for row in rows] == ["ACTIVE"] * number
        parts = [busy.get(f"/v2/pools/{pool['id']}/members")["members"] for pool in rows]
        assert [row["provisioning_status"] for part in parts for row in part] == ["ACTIVE"] * MEMBERS
    for clients, (accepted, active) in took.items():
        print(
            f"figure: {database.engine.dialect.name}, 10 listeners, 10 pools and 160 members on one load balancer by "
            f"{clients} client(s): accepted in {accepted:.2f} s, ACTIVE after {active:.2f} s"
        )


def settled(api: Api, top: str) -> Any:
    """The status tree, once the load balancer is ACTIVE."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        tree = api.get(f"/v2/loadbalancers/{top}/status")["statuses"]["loadbalancer"]
        if tree["provisioning_status"] == "ACTIVE":
            return tree
        time.sleep(0.01)
    raise AssertionError(tree)
