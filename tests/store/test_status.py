"""The status as one SQL expression is the status that Python computes, for every row there can be."""

import json
import tempfile
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from octavia.domain.graph import Graph
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.status import provisioning_status
from octavia.store import graphs, lists, schema
from octavia.store.engine import Database
from octavia.store.tables import TABLES
from tests import builders

generation = st.integers(0, 4)
maybe = st.none() | generation
fault = st.none() | st.just("a fault")
ROWS = st.fixed_dictionaries(
    {"created": generation, "touched": generation, "deleted": maybe, "fault": fault, "fault_generation": maybe}
)
CASES = st.lists(st.tuples(ROWS, ROWS, generation), min_size=1, max_size=30)


@settings(max_examples=25, deadline=None)
@given(CASES)
def test_sql_and_python_agree(cases: list[tuple[dict[str, object], dict[str, object], int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder)}/octavia.db")
        schema.upgrade(database)
        made = [made_of(*case) for case in cases]
        database.write(partial(insert_all, made=made))
        with database.reading() as connection:
            for noun in (LoadBalancer, Listener):
                selected = lists.selected(connection, noun, frozenset({"provisioning_status"}))
                found = {row.id: json.loads(row.document) for row in connection.execute(selected)}
                shown = {key: document["provisioning_status"] for key, document in found.items()}
                assert shown == expected(noun, made)
            assert connection.scalar(sa.select(sa.func.count()).select_from(TABLES[Listener])) == len(made)
        database.close()


def insert_all(connection: sa.Connection, made: list[Graph]) -> None:
    for graph in made:
        graphs.insert(connection, graph)


def made_of(top: dict[str, object], below: dict[str, object], observed: int) -> Graph:
    graph = builders.graph(observed=observed, **top)
    listener = structs.replace(builders.listener(graph.load_balancer), **below)
    return structs.replace(graph, listeners=(listener,))


def expected(noun: type[LoadBalancer | Listener], made: list[Graph]) -> dict[str, str]:
    rows = [(graph.load_balancer if noun is LoadBalancer else graph.listeners[0], graph) for graph in made]
    return {row.id: provisioning_status(row, graph.load_balancer) for row, graph in rows}
