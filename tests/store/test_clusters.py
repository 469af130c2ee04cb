"""Leases and their fence: one holder at a time, and nothing is written by one whose lease has passed on."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from octavia.domain.amphora import Amphora
from octavia.domain.document import Fence
from octavia.domain.graph import delete, put
from octavia.domain.refusal import Missing
from octavia.domain.status import provisioning_status
from octavia.store.clusters import Clusters, Fenced
from octavia.store.engine import Database, utcnow
from octavia.store.query import Who
from octavia.store.store import Store
from tests import builders


def cluster(store: Store) -> tuple[str, str]:
    """A new load balancer's id, and its cluster's."""
    graph = store.create(builders.graph(), Who())
    return graph.load_balancer.id, graph.load_balancer.cluster_id


def amphora(cluster_id: str) -> Amphora:
    return Amphora(id=builders.new_id(), cluster_id=cluster_id, created_at=utcnow())


def taken(clusters: Clusters, cluster_id: str, holder: str = "one", seconds: float = 60) -> Fence:
    fence = clusters.lease(cluster_id, holder, seconds)
    assert fence is not None
    return fence


def test_one_holder_at_a_time_until_the_lease_ends_or_is_released(store: Store, clusters: Clusters) -> None:
    _, cluster_id = cluster(store)
    fence = taken(clusters, cluster_id)
    assert clusters.lease(cluster_id, "two", 60) is None
    clusters.release(cluster_id, fence)
    assert taken(clusters, cluster_id, "two", seconds=-1) > fence
    assert taken(clusters, cluster_id, "three") == Fence(1, 3)


def test_a_lease_that_passed_on_writes_nothing(store: Store, clusters: Clusters) -> None:
    load_balancer_id, cluster_id = cluster(store)
    old = taken(clusters, cluster_id, seconds=-1)
    taken(clusters, cluster_id, "two")
    graph = clusters.snapshot(cluster_id).graph
    assert graph is not None
    row = amphora(cluster_id)
    attempts: tuple[Callable[[], None], ...] = (
        lambda: clusters.put_amphora(cluster_id, old, row),
        lambda: clusters.remove_amphora(cluster_id, old, row.id),
        lambda: clusters.say(cluster_id, old, "late", failing=True),
        lambda: clusters.show_fault(cluster_id, old, graph, "late"),
        lambda: clusters.conclude(cluster_id, old, graph, final=True, text="late"),
    )
    for attempt in attempts:
        with pytest.raises(Fenced):
            attempt()
    clusters.release(cluster_id, old)
    assert clusters.lease(cluster_id, "three", 60) is None
    with store.read() as reader:
        assert reader.graph(load_balancer_id) == graph
        assert reader.progress(load_balancer_id).sentences == ()


def test_an_epoch_that_was_raised_fences_the_leases_before_it(store: Store, clusters: Clusters) -> None:
    _, cluster_id = cluster(store)
    old = taken(clusters, cluster_id)
    assert clusters.raise_epoch() == 2
    with pytest.raises(Fenced):
        clusters.put_amphora(cluster_id, old, amphora(cluster_id))
    assert taken(clusters, cluster_id) > old


def test_concluding_removes_what_was_deleted_up_to_the_snapshot_and_nothing_later(
    store: Store, clusters: Clusters
) -> None:
    load_balancer_id, cluster_id = cluster(store)
    graph = store.write(load_balancer_id, Who(), lambda g: put(put(g, one := builders.pool(g.load_balancer)), one))
    graph = store.write(load_balancer_id, Who(), lambda g: put(g, builders.pool(g.load_balancer)))
    first, second = graph.pools
    store.write(load_balancer_id, Who(), lambda g: delete(g, first))
    seen = clusters.snapshot(cluster_id).graph
    assert seen is not None
    store.write(load_balancer_id, Who(), lambda g: delete(g, second))
    clusters.conclude(cluster_id, taken(clusters, cluster_id), seen, final=False, text="done")
    with store.read() as reader:
        left = reader.graph(load_balancer_id)
    assert [pool.id for pool in left.pools] == [second.id]
    assert provisioning_status(left.pools[0], left.load_balancer) == "PENDING_DELETE"
    assert provisioning_status(left.load_balancer, left.load_balancer) == "PENDING_UPDATE"


def test_a_load_balancer_that_is_gone_leaves_no_row_anywhere(
    store: Store, clusters: Clusters, database: Database
) -> None:
    load_balancer_id, cluster_id = cluster(store)
    store.write(load_balancer_id, Who(), lambda g: put(g, builders.pool(g.load_balancer)))
    fence = taken(clusters, cluster_id)
    clusters.say(cluster_id, fence, "something", failing=False)
    graph = store.write(load_balancer_id, Who(), lambda g: delete(g, g.load_balancer))
    clusters.conclude(cluster_id, fence, graph, final=True, text="gone")
    with store.read() as reader, pytest.raises(Missing):
        reader.graph(load_balancer_id)
    with database.engine.connect() as connection:
        for table in ("load_balancer", "pool", "cluster", "sentence", "edit", "statistics", "address", "amphora"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0, table


def test_a_fault_shows_until_a_newer_edit_or_success(store: Store, clusters: Clusters) -> None:
    load_balancer_id, cluster_id = cluster(store)
    fence = taken(clusters, cluster_id)
    graph = clusters.snapshot(cluster_id).graph
    assert graph is not None
    clusters.show_fault(cluster_id, fence, graph, "no luck")
    assert status(store, load_balancer_id) == "ERROR"
    store.write(load_balancer_id, Who(), lambda g: put(g, msgspec.structs.replace(g.load_balancer, name="new")))
    assert status(store, load_balancer_id) == "PENDING_CREATE"
    seen = clusters.snapshot(cluster_id).graph
    assert seen is not None
    clusters.conclude(cluster_id, fence, seen, final=False, text="done")
    assert status(store, load_balancer_id) == "ACTIVE"


def status(store: Store, load_balancer_id: str) -> str:
    with store.read() as reader:
        return reader.progress(load_balancer_id).provisioning_status


def test_the_clock_of_failures_starts_with_the_first_and_ends_with_success(store: Store, clusters: Clusters) -> None:
    load_balancer_id, cluster_id = cluster(store)
    fence = taken(clusters, cluster_id)
    clusters.say(cluster_id, fence, "one", failing=True)
    since = clusters.snapshot(cluster_id).failing_since
    clusters.say(cluster_id, fence, "two", failing=True)
    assert clusters.snapshot(cluster_id).failing_since == since
    assert since is not None
    assert utcnow() - since < timedelta(minutes=1)
    clusters.say(cluster_id, fence, "three", failing=False)
    assert clusters.snapshot(cluster_id).failing_since is None
    with store.read() as reader:
        said = [visited.sentence for visited in reader.progress(load_balancer_id).sentences]
    assert said == ["three", "two", "one"]


def test_only_the_last_sentences_are_kept_and_repeats_count_once(store: Store, clusters: Clusters) -> None:
    load_balancer_id, cluster_id = cluster(store)
    fence = taken(clusters, cluster_id)
    for number in range(15):
        for _ in range(2):
            clusters.say(cluster_id, fence, f"sentence {number}", failing=False)
    with store.read() as reader:
        said = [visited.sentence for visited in reader.progress(load_balancer_id).sentences]
    assert said == [f"sentence {number}" for number in range(14, 4, -1)]


def test_condemning_is_one_write_that_tells_whom_to_ring(store: Store, clusters: Clusters) -> None:
    _, cluster_id = cluster(store)
    row = amphora(cluster_id)
    clusters.put_amphora(cluster_id, taken(clusters, cluster_id), row)
    assert clusters.condemn(row.id, "a test") == cluster_id
    assert clusters.condemn(row.id, "again") == cluster_id
    assert clusters.snapshot(cluster_id).amphorae[0].condemned == "a test"
    assert clusters.condemn("nobody", "a test") is None


def test_what_is_unfinished_is_told_in_marks_that_differ_after_each_wish(store: Store, clusters: Clusters) -> None:
    load_balancer_id, cluster_id = cluster(store)
    _, other_id = cluster(store)
    first = clusters.unfinished()
    assert set(first) == {cluster_id, other_id}
    conclude(clusters, other_id)
    assert set(clusters.unfinished()) == {cluster_id}
    store.write(load_balancer_id, Who(), lambda g: g)
    second = clusters.unfinished()
    assert second[cluster_id] != first[cluster_id]
    conclude(clusters, cluster_id)
    assert clusters.unfinished() == {}


def test_what_is_asked_of_an_amphora_is_unfinished(store: Store, clusters: Clusters) -> None:
    load_balancer_id, cluster_id = cluster(store)
    row = msgspec.structs.replace(amphora(cluster_id), load_balancer_id=load_balancer_id)
    clusters.put_amphora(cluster_id, taken(clusters, cluster_id), row)
    conclude(clusters, cluster_id)
    assert clusters.unfinished() == {}
    store.configure(row.id)
    assert set(clusters.unfinished()) == {cluster_id}
    clusters.remove_amphora(cluster_id, taken(clusters, cluster_id), row.id)
    assert clusters.unfinished() == {}
    clusters.put_amphora(cluster_id, taken(clusters, cluster_id), row)
    clusters.condemn(row.id, "a test")
    assert set(clusters.unfinished()) == {cluster_id}


def conclude(clusters: Clusters, cluster_id: str) -> None:
    fence = taken(clusters, cluster_id, "one")
    graph = clusters.snapshot(cluster_id).graph
    assert graph is not None
    clusters.conclude(cluster_id, fence, graph, final=False, text="done")
