"""What the database writes as JSON is what Python would have written, whatever the rows hold and in whatever state."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, assume, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from octavia.domain.declare import Noun
from octavia.domain.graph import CHILDREN, NOUNS, Graph, everything, live, put, rows
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.l7policy import L7Policy
from octavia.domain.l7rule import L7Rule
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import AdditionalVip, LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool, SessionPersistence
from octavia.domain.shape import shape, shown
from octavia.domain.status import provisioning_status
from octavia.store import graphs, lists, trees
from octavia.store.engine import Database
from octavia.store.query import Query, Sort, Tags
from tests import builders

FEW = settings(
    max_examples=40,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
NASTY = [
    "",
    " ",
    "a ",
    "%",
    "%%",
    "%s",
    ":a",
    "'",
    '"',
    "\\",
    "\\n",
    "\0",
    "\n",
    "\x1b",
    "\x7f",
    "\u2028",
    "😀",
    "ß",
    "null",
]
TEXTS = st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LINES = TEXTS.filter(re.compile(r"[^\x00-\x1f\x7f]+").fullmatch)
LABELS = st.lists(TEXTS, max_size=3).map(lambda found: tuple(sorted(set(found))))
MOMENTS = st.datetimes(datetime(1999, 1, 1), datetime(2099, 1, 1))
GENERATIONS = st.integers(1, 5)


def states() -> st.SearchStrategy[dict[str, Any]]:
    """Any state that a row may be in, and many that none should be."""
    return st.fixed_dictionaries(
        {
            "created": GENERATIONS,
            "touched": GENERATIONS,
            "deleted": st.none() | GENERATIONS,
            "fault": st.none() | TEXTS,
            "fault_generation": st.none() | GENERATIONS,
            "operating_status": st.sampled_from(["ONLINE", "OFFLINE", "NO_MONITOR"]),
            "created_at": MOMENTS,
            "updated_at": st.none() | MOMENTS,
            "admin_state_up": st.booleans(),
            "tags": LABELS,
        }
    )


OWN: dict[type[Noun], dict[str, st.SearchStrategy[Any]]] = {
    LoadBalancer: {
        "name": TEXTS,
        "description": TEXTS,
        "vip_sg_ids": st.lists(st.uuids().map(str), max_size=2).map(tuple),
        "flavor_id": st.none() | TEXTS,
        "generation": GENERATIONS,
        "observed": st.integers(0, 5),
        "additional_vips": st.lists(st.builds(AdditionalVip, subnet_id=TEXTS), max_size=2).map(tuple),
    },
    Listener: {
        "name": TEXTS,
        "description": TEXTS,
        "insert_headers": st.dictionaries(TEXTS, TEXTS, max_size=2),
        "default_tls_container_ref": st.none() | TEXTS,
        "sni_container_refs": LABELS,
        "allowed_cidrs": st.none() | LABELS,
        "tls_ciphers": st.sampled_from([None, "A:B+C@D"]),
        "tls_versions": st.none() | st.just(("TLSv1.2", "TLSv1.3")),
        "hsts_max_age": st.none() | st.integers(0, 2**31 - 1),
        "hsts_preload": st.booleans(),
        "connection_limit": st.integers(-1, 2**31 - 1),
    },
    Pool: {
        "name": TEXTS,
        "description": TEXTS,
        "tls_enabled": st.booleans(),
        "session_persistence": st.none()
        | st.builds(SessionPersistence, type=st.just("APP_COOKIE"), cookie_name=st.sampled_from([None, "%s:'\"😀"])),
    },
    Member: {"name": TEXTS, "weight": st.integers(0, 256), "subnet_id": st.none() | TEXTS, "backup": st.booleans()},
    HealthMonitor: {
        "name": TEXTS,
        "http_version": st.sampled_from([None, 1.0, 1.1]),
        "domain_name": st.sampled_from([None, "a.example"]),
        "url_path": st.sampled_from([None, "/%41:b'\"\\"]),
    },
    L7Policy: {"name": TEXTS, "description": TEXTS, "redirect_url": st.sampled_from([None, "http://a/%s?:b='\"\\"])},
    L7Rule: {"key": st.none() | LINES, "value": LINES, "invert": st.booleans()},
}


@st.composite
def drawn(draw: st.DrawFn, row: Any) -> Any:
    return replace(row, **draw(states()), **draw(st.fixed_dictionaries(OWN[type(row)])))


@st.composite
def worlds(draw: st.DrawFn) -> Graph:
    """A load balancer with some of everything, at most one live monitor to a pool, and policies in their places."""
    top = builders.load_balancer()
    graph = Graph(load_balancer=top)
    pools = [builders.pool(top) for _ in range(draw(st.integers(0, 3)))]
    nowhere = [None, *(pool.id for pool in pools)]
    ports = range(draw(st.integers(0, 3)))
    listeners = [
        builders.listener(top, protocol_port=port + 1, default_pool_id=draw(st.sampled_from(nowhere))) for port in ports
    ]
    for row in (*pools, *listeners):
        graph = put(graph, row)
    for pool in pools:
        for number in range(draw(st.integers(0, 2))):
            graph = put(graph, builders.member(pool, address=f"192.0.2.{number}", server_id=number))
        if draw(st.booleans()):
            graph = put(graph, builders.health_monitor(pool))
    for listener in listeners:
        for _ in range(draw(st.integers(0, 2))):
            graph = put(graph, policy := builders.l7policy(listener))
            graph = put(graph, replace(policy, redirect_pool_id=draw(st.sampled_from(nowhere)), position=1))
            if draw(st.booleans()):
                graph = put(graph, builders.l7rule(policy))
    changed = {name: tuple(draw(drawn(row)) for row in rows(graph, noun)) for noun, name in CHILDREN.items()}
    return in_order(Graph(load_balancer=draw(drawn(graph.load_balancer)), **changed))


def in_order(graph: Graph) -> Graph:
    """As they are read."""
    return replace(
        graph,
        **{
            name: tuple(sorted(rows(graph, noun), key=lambda r: (r.created_at, r.id)))
            for noun, name in CHILDREN.items()
        },
    )


@contextmanager
def held(database: Database, graph: Graph) -> Iterator[sa.Connection]:
    """The database holds this graph, for as long as the block lasts."""
    with database.engine.connect() as connection:
        if database.embedded:
            connection.exec_driver_sql("BEGIN")
        graphs.insert(connection, graph)
        try:
            yield connection
        finally:
            connection.rollback()


@FEW
@given(graph=worlds())
def test_what_is_shown_is_what_the_database_writes(database: Database, graph: Graph) -> None:
    alive = live(graph)
    with held(database, graph) as connection:
        for noun in NOUNS:
            found = {row.key: row for row in lists.page(connection, noun, Query(), None)}
            assert found.keys() == {row.id for row in rows(graph, noun)}
            for row in rows(graph, noun):
                assert msgspec.json.decode(found[row.id].document) == msgspec.json.decode(
                    msgspec.json.encode(shown(alive, row))
                )
                assert found[row.id].project_id == row.project_id
                asked = Query(filters={"provisioning_status": provisioning_status(row, graph.load_balancer)})
                assert row.id in {seen.key for seen in lists.page(connection, noun, asked, frozenset())}


@FEW
@given(graph=worlds(), data=st.data())
def test_some_of_the_keys_are_the_same_values(database: Database, graph: Graph, data: st.DataObject) -> None:
    noun = data.draw(st.sampled_from(NOUNS))
    keys = data.draw(st.frozensets(st.sampled_from(sorted(shape(noun)))))
    with held(database, graph) as connection:
        whole = [msgspec.json.decode(row.document) for row in lists.page(connection, noun, Query(), None)]
        found = [msgspec.json.decode(row.document) for row in lists.page(connection, noun, Query(), keys)]
    assert found == [{key: value for key, value in row.items() if key in keys} for row in whole]


@FEW
@given(graph=worlds())
def test_what_is_written_is_read(database: Database, graph: Graph) -> None:
    with held(database, graph) as connection:
        assert graphs.load(connection, graph.load_balancer.id) == graph


@FEW
@given(before=worlds(), data=st.data())
def test_the_difference_is_written(database: Database, before: Graph, data: st.DataObject) -> None:
    """Rows that change in the same way are changed together, and each gets what is its own."""
    after = before
    generation = data.draw(GENERATIONS)
    for noun, name in CHILDREN.items():
        changed = [
            data.draw(st.just(row) | st.just(replace(row, touched=generation)) | drawn(row))
            for row in rows(after, noun)
        ]
        after = replace(after, **{name: tuple(changed)})
    after = in_order(replace(after, pools=(*after.pools, builders.pool(after.load_balancer))))
    with held(database, before) as connection:
        graphs.save(connection, before, after)
        assert graphs.load(connection, after.load_balancer.id) == after


@FEW
@given(graph=worlds(), text=TEXTS)
@example(graph=Graph(load_balancer=builders.load_balancer(name="A", tags=("Ä",))), text="a")
@example(graph=Graph(load_balancer=builders.load_balancer(tags=tuple(tag for tag in NASTY if tag != "\0"))), text="")
@example(graph=Graph(load_balancer=builders.load_balancer(name="a", tags=("a ",))), text="a ")
def test_filters_find_exactly_what_they_name(database: Database, graph: Graph, text: str) -> None:
    def found(connection: sa.Connection, noun: type[Noun], query: Query) -> set[str]:
        return {row.key for row in lists.page(connection, noun, query, frozenset())}

    texts = {text, *(getattr(row, "name", "") for row in everything(graph)), *graph.load_balancer.tags}
    # SQLite's list of a JSON list ends each text at its first NUL.
    assume("\0" not in "".join(tag for row in everything(graph) for tag in row.tags))
    with held(database, graph) as connection:
        for noun in (LoadBalancer, Pool, Member):
            for word in texts:
                named = {row.id for row in rows(graph, noun) if row.name == word}
                assert found(connection, noun, Query(filters={"name": word})) == named
                tagged = {row.id for row in rows(graph, noun) if word in row.tags}
                assert found(connection, noun, Query(tags=Tags(any=(word,)))) == tagged


@pytest.mark.parametrize("reverse", [False, True])
def test_pages_meet_without_gap_or_repetition(database: Database, reverse: bool) -> None:
    """By each key that a list can be sorted by, through rows that have the same value, or none."""
    top = builders.load_balancer()
    graph = Graph(load_balancer=top)
    for number in range(7):
        pool = builders.pool(top, name=f"n{number % 2}", description="d" * (number % 3))
        moment = builders.NOW + timedelta(microseconds=number % 3)
        row = replace(pool, updated_at=None if number % 2 else moment, created_at=moment, touched=1 + number % 2)
        graph = replace(graph, pools=(*graph.pools, row))
    with held(database, graph) as connection:
        for key in sorted(shape(Pool)):
            if isinstance(getattr(graph.pools[0], key, ""), (str, int, datetime, bool)):
                for descending in (False, True):
                    check_walk(connection, Sort(key, descending), reverse)


def check_walk(connection: sa.Connection, sort: Sort, reverse: bool) -> None:
    if sort.key in ("tenant_id", "healthmonitor_id", "listeners", "members", "loadbalancers"):
        return
    whole = [row.key for row in lists.page(connection, Pool, Query(sort=(sort,)), frozenset())]
    walked: list[str] = []
    query = Query(sort=(sort,), limit=2, reverse=reverse, marker=None)
    while page := [row.key for row in lists.page(connection, Pool, query, frozenset())]:
        walked = [*page, *walked] if reverse else [*walked, *page]
        query = replace(query, marker=page[0] if reverse else page[-1])
    assert walked == whole, sort


@FEW
@given(graph=worlds())
def test_a_tree_says_of_its_rows_what_the_graph_says(database: Database, graph: Graph) -> None:
    with held(database, graph) as connection:
        tree = trees.load(connection, graph.load_balancer.id)
    for noun, own in trees.OWN.items():
        fields = (*trees.OF_ALL, *own)
        said = [[getattr(row, field) for field in fields] for row in rows(tree, noun)]
        assert said == [[getattr(row, field) for field in fields] for row in rows(graph, noun)]
