"""Quotas are counted from the rows themselves, so they cannot drift."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from octavia.domain.declare import Noun
from octavia.domain.graph import NOUNS, Graph, delete, everything, live, next_server_id, put, rows
from octavia.domain.member import Member
from octavia.domain.quota import FIELDS, UNLIMITED, Quota, effective
from octavia.domain.refusal import Forbidden, Missing
from octavia.store import quotas
from octavia.store.clusters import Clusters
from octavia.store.engine import Database
from octavia.store.query import Who
from octavia.store.quotas import Quotas
from octavia.store.store import Store
from tests import builders

LIMITS = dict.fromkeys(FIELDS.values(), UNLIMITED) | {"loadbalancer": 3, "member": 6, "pool": 3}


def used(database: Database, project_id: str) -> dict[type[Noun], int]:
    with database.reading() as connection:
        return quotas.used(connection, project_id, NOUNS)


STEPS = st.lists(
    st.tuples(st.sampled_from(["create", "pool", "batch", "delete", "remove", "visit"]), st.integers(0, 7)), max_size=14
)


class Model:
    """What there should be, as graphs, beside the store."""

    def __init__(self, database: Database, project_id: str) -> None:
        self.store = Store(database, lambda _: None, LIMITS)
        self.clusters = Clusters(database)
        self.project_id = project_id
        self.graphs: dict[str, Graph] = {}

    def counts(self) -> dict[type[Noun], int]:
        alive = [live(graph) for graph in self.graphs.values() if graph.load_balancer.deleted is None]
        return {noun: sum(len(rows(graph, noun)) for graph in alive) for noun in NOUNS}

    def do(self, verb: str, number: int) -> None:
        before = self.counts()
        try:
            getattr(self, verb)(number)
        except Forbidden:
            assert self.counts() == before
            assert verb in ("create", "pool", "batch")

    def some(self, number: int) -> Graph | None:
        alive = [graph for graph in self.graphs.values() if graph.load_balancer.deleted is None]
        return alive[number % len(alive)] if alive else None

    def create(self, number: int) -> None:
        graph = builders.graph(project_id=self.project_id)
        for _ in range(number % 3):
            graph = put(graph, builders.pool(graph.load_balancer))
        self.graphs[graph.load_balancer.id] = self.store.create(graph, Who(), counted=self.project_id)

    def change(self, graph: Graph | None, edit: Any) -> None:
        if graph is not None:
            top = graph.load_balancer.id
            self.graphs[top] = self.store.write(top, Who(), edit, counted=self.project_id)

    def pool(self, number: int) -> None:
        self.change(self.some(number), lambda graph: put(graph, builders.pool(graph.load_balancer)))

    def batch(self, number: int) -> None:
        """So many new members in the place of those that there were."""

        def edit(graph: Graph) -> Graph:
            alive = live(graph)
            if not alive.pools:
                return graph
            for row in alive.members:
                graph = delete(graph, row)
            for at in range(number):
                row = builders.member(alive.pools[0], address=f"192.0.2.{at}")
                graph = put(graph, replace(row, server_id=next_server_id(graph, alive.pools[0].id)))
            return graph

        self.change(self.some(number), edit)

    def delete(self, number: int) -> None:
        def edit(graph: Graph) -> Graph:
            pools = live(graph).pools
            return delete(graph, pools[number % len(pools)]) if pools else graph

        self.change(self.some(number), edit)

    def remove(self, number: int) -> None:
        """With all that is in it, which counts no more at once."""
        self.change(self.some(number), lambda graph: delete(graph, graph.load_balancer))

    def visit(self, number: int) -> None:
        for top, graph in list(self.graphs.items()):
            cluster_id = graph.load_balancer.cluster_id
            fence = self.clusters.lease(cluster_id, "model", -1)
            assert fence is not None
            final = graph.load_balancer.deleted is not None
            self.clusters.conclude(cluster_id, fence, graph, final=final, text="done")
            if final:
                del self.graphs[top]
            else:
                with self.store.read() as reader:
                    self.graphs[top] = reader.graph(top)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_what_is_used_is_what_is_there(database: Database, steps: list[tuple[str, int]]) -> None:
    model = Model(database, builders.new_id())
    for verb, number in steps:
        model.do(verb, number)
        counts = model.counts()
        assert used(database, model.project_id) == counts
        assert all(LIMITS[FIELDS[noun]] in (UNLIMITED, *range(counts[noun], 99)) for noun in NOUNS)


def test_another_project_is_another_count(database: Database) -> None:
    one, other = (Model(database, builders.new_id()) for _ in "12")
    for _ in range(3):
        one.create(0)
        other.create(1)
    with pytest.raises(Forbidden, match="loadbalancer"):
        one.create(0)
    one.remove(0)
    one.create(0)


def test_what_was_set_goes_before_the_defaults(database: Database, store: Store) -> None:
    door, project = Quotas(database), builders.new_id()
    with pytest.raises(Missing):
        door.remove(project)
    assert door.change(project, lambda before: replace(before, member=0)).member == 0
    door.change(project, lambda before: replace(before, pool=7))
    with store.read() as reader:
        found = reader.quota(project)
    assert found == Quota(project_id=project, member=0, pool=7)
    assert effective(found, LIMITS) == LIMITS | {"member": 0, "pool": 7}
    assert effective(None, LIMITS) == LIMITS
    door.remove(project)
    with store.read() as reader:
        assert reader.quota(project) is None


def test_a_batch_over_the_limit_changes_nothing(database: Database) -> None:
    model = Model(database, builders.new_id())
    model.create(1)
    model.batch(6)
    (before,) = model.graphs.values()
    with pytest.raises(Forbidden, match="member"):
        model.batch(7)
    with model.store.read() as reader:
        after = reader.graph(before.load_balancer.id)
    assert {row.id: row for row in everything(after)} == {row.id: row for row in everything(before)}
    assert used(database, model.project_id)[Member] == 6
    model.batch(5)
    assert used(database, model.project_id)[Member] == 5
