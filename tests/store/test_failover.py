"""Failover is one write, and what a visit writes of an amphora takes nothing back that others have said meanwhile."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from octavia.domain.amphora import Amphora
from octavia.domain.document import Fence
from octavia.domain.graph import delete, get, put
from octavia.domain.pool import Pool
from octavia.domain.refusal import Conflict, Missing
from octavia.domain.status import provisioning_status
from octavia.store.clusters import Clusters
from octavia.store.engine import utcnow
from octavia.store.query import Who
from octavia.store.store import Store
from tests import builders


class Deployment:
    """A load balancer with two amphorae, in force."""

    def __init__(self, store: Store, clusters: Clusters) -> None:
        self.store, self.clusters = store, clusters
        top = store.create(builders.graph(), Who()).load_balancer
        self.id, self.cluster_id = top.id, top.cluster_id
        for number in range(2):
            row = Amphora(id=f"{number}", cluster_id=self.cluster_id, load_balancer_id=self.id, created_at=utcnow())
            clusters.put_amphora(self.cluster_id, self.fence(), row)
        self.conclude()

    def fence(self) -> Fence:
        found = self.clusters.lease(self.cluster_id, "here", 60)
        assert found is not None
        return found

    def conclude(self) -> None:
        fence, graph = self.fence(), self.clusters.snapshot(self.cluster_id).graph
        assert graph is not None
        self.clusters.conclude(self.cluster_id, fence, graph, final=False, text="done")

    def amphorae(self) -> dict[str, Amphora]:
        return {row.id: row for row in self.clusters.snapshot(self.cluster_id).amphorae}

    def put(self, row: Amphora) -> None:
        self.clusters.put_amphora(self.cluster_id, self.fence(), row)

    @property
    def status(self) -> str:
        with self.store.read() as reader:
            top = reader.graph(self.id).load_balancer
        return provisioning_status(top, top)


@pytest.fixture
def deployed(store: Store, clusters: Clusters) -> Deployment:
    return Deployment(store, clusters)


def condemned(deployed: Deployment) -> set[str]:
    return {row.id for row in deployed.amphorae().values() if row.condemned is not None}


def test_a_failover_condemns_all_and_is_pending_until_a_visit(deployed: Deployment, rung: list[str]) -> None:
    assert (deployed.status, {row.allocated for row in deployed.amphorae().values()}) == ("ACTIVE", {True})
    deployed.store.fail_over(deployed.id, Who(request_id="req-2"))
    assert condemned(deployed) == {"0", "1"}
    assert deployed.status == "PENDING_UPDATE"
    assert rung[-1] == deployed.cluster_id
    with deployed.store.read() as reader:
        assert reader.progress(deployed.id).request_id == "req-2"
    deployed.conclude()
    assert deployed.status == "ACTIVE"


def test_a_failover_of_one_spares_the_other_and_the_first_reason_stays(deployed: Deployment) -> None:
    deployed.clusters.condemn("0", "it is old")
    deployed.store.fail_over(deployed.id, Who(), "1")
    deployed.store.fail_over(deployed.id, Who())
    assert {row.condemned for row in deployed.amphorae().values()} == {"it is old", "a failover was asked for"}


def test_what_is_being_deleted_does_not_fail_over(deployed: Deployment) -> None:
    with pytest.raises(Missing):
        deployed.store.fail_over("nowhere", Who())
    deployed.store.write(deployed.id, Who(), lambda graph: delete(graph, graph.load_balancer))
    with pytest.raises(Conflict):
        deployed.store.fail_over(deployed.id, Who(), "0")
    assert condemned(deployed) == set()
    with deployed.store.read() as reader:
        assert reader.progress(deployed.id).generation == 2


Saying = Callable[[Deployment], Any]
OTHERS: dict[str, tuple[Saying, Callable[[Amphora], Any]]] = {
    "condemned by the health room": (lambda d: d.clusters.condemn("0", "why"), lambda row: row.condemned == "why"),
    "condemned by a failover": (lambda d: d.store.fail_over(d.id, Who(), "0"), lambda row: row.condemned),
    "to be configured": (lambda d: d.store.configure("0"), lambda row: row.configure),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_visit_takes_nothing_back_that_was_said_since_it_looked(deployed: Deployment, name: str) -> None:
    say, said = OTHERS[name]
    seen = deployed.amphorae()["0"]
    say(deployed)
    deployed.put(replace(seen, lb_network_ip="192.0.2.1"))
    after = deployed.amphorae()["0"]
    assert said(after)
    assert (after.lb_network_ip, after.allocated) == ("192.0.2.1", True)


def test_a_visit_says_that_it_has_configured(deployed: Deployment) -> None:
    deployed.store.configure("0")
    assert deployed.amphorae()["0"].configure
    deployed.clusters.configured(deployed.cluster_id, deployed.fence(), "0")
    assert not deployed.amphorae()["0"].configure
    with pytest.raises(Missing):
        deployed.store.configure("nowhere")


def test_a_visit_condemns_too(deployed: Deployment) -> None:
    deployed.put(replace(deployed.amphorae()["0"], condemned="its certificate has expired"))
    assert condemned(deployed) == {"0"}
    deployed.conclude()
    assert {row.id: row.allocated for row in deployed.amphorae().values()} == {"0": True, "1": True}


def test_edits_conclusions_and_failovers_at_once(deployed: Deployment) -> None:
    """They lock rows in different orders; all come to an end, and nothing is stuck."""
    failures: list[BaseException] = []

    def repeated(work: Callable[[], Any]) -> None:
        try:
            for _ in range(15):
                work()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test must tell it
            failures.append(error)

    def edit() -> None:
        pool = builders.pool(builders.load_balancer(id=deployed.id))
        deployed.store.write(deployed.id, Who(), lambda graph: put(graph, pool))
        deployed.store.write(deployed.id, Who(), lambda graph: delete(graph, get(graph, Pool, pool.id)))

    works = (edit, edit, deployed.conclude, lambda: deployed.store.fail_over(deployed.id, Who()))
    threads = [threading.Thread(target=repeated, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    deployed.conclude()
    assert deployed.status == "ACTIVE"
    with deployed.store.read() as reader:
        assert reader.graph(deployed.id).pools == ()
        assert reader.progress(deployed.id).generation == 1 + 4 * 15 + 15
