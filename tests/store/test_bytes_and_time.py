"""What texts and times are, is the same on both databases: bytes, and microseconds."""

import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from octavia.domain.load_balancer import LoadBalancer
from octavia.store.engine import Database, DatabaseSeconds
from octavia.store.query import Query, Sort, Who
from octavia.store.store import Store
from tests import builders

NAMES = ("web", "Web", "WEB", "wéb", "web ", "we\u0301b", "\N{GRINNING FACE}", "\N{PILE OF POO}", "ß", "ss", "")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_found_by_its_bytes(store: Store, name: str) -> None:
    for other in NAMES:
        store.create(builders.graph(name=other, description=f"<{other}>", tags=(other,)), Who())
    with store.read() as reader:
        found = reader.list(LoadBalancer, Query(filters={"name": name}))
        assert [view.row.name for view in found] == [name]
        graph = reader.graph(found[0].row.id)
    assert (graph.load_balancer.description, graph.load_balancer.tags) == (f"<{name}>", (name,))


def test_names_sort_by_their_bytes(store: Store) -> None:
    for name in NAMES:
        store.create(builders.graph(name=name), Who())
    with store.read() as reader:
        shown = [view.row.name for view in reader.list(LoadBalancer, Query(sort=(Sort("name"),)))]
    assert shown == sorted(NAMES, key=str.encode)


def test_ids_differ_by_case(store: Store) -> None:
    store.create(builders.graph(id="an-id"), Who())
    store.create(builders.graph(id="AN-ID"), Who())
    with store.read() as reader:
        assert reader.graph("AN-ID").load_balancer.id == "AN-ID"


def test_a_status_is_compared_by_its_bytes_too(store: Store) -> None:
    store.create(builders.graph(), Who())
    with store.read() as reader:
        assert reader.list(LoadBalancer, Query(filters={"provisioning_status": "PENDING_CREATE"}))
        assert not reader.list(LoadBalancer, Query(filters={"provisioning_status": "pending_create"}))


@pytest.mark.parametrize("text", ["'", '"', "\\", "%s %(x)s :y", "a\nb", "\x01", "''; DROP TABLE pool; --", "\\\\'"])
def test_what_has_a_meaning_in_sql_is_text(store: Store, text: str) -> None:
    graph = store.create(builders.graph(name=text, tags=(text,)), Who())
    with store.read() as reader:
        read = reader.graph(graph.load_balancer.id).load_balancer
        assert (read.name, read.tags) == (text, (text,))
        assert [view.row.id for view in reader.list(LoadBalancer, Query(filters={"name": text}))] == [read.id]


def test_the_longest_texts_fit_in_four_bytes_each(store: Store) -> None:
    longest = "\N{GRINNING FACE}" * 255
    graph = store.create(builders.graph(name=longest, description=longest), Who())
    with store.read() as reader:
        read = reader.graph(graph.load_balancer.id).load_balancer
    assert (read.name, read.description) == (longest, longest)


def test_rows_of_one_second_sort_by_microseconds(store: Store) -> None:
    moments = [builders.NOW + timedelta(microseconds=number) for number in (3, 1, 999_999, 2, 0)]
    for moment in moments:
        store.create(builders.graph(created_at=moment), Who())
    with store.read() as reader:
        shown = [view.row.created_at for view in reader.list(LoadBalancer, Query())]
        assert shown == sorted(moments)
        found = reader.list(LoadBalancer, Query(filters={"created_at": moments[0]}))
    assert [view.row.created_at for view in found] == [moments[0]]


def test_what_is_null_sorts_first(store: Store) -> None:
    for zone in ("b", None, "a"):
        store.create(builders.graph(availability_zone=zone), Who())
    with store.read() as reader:
        for descending in (False, True):
            query = Query(sort=(Sort("availability_zone", descending=descending),))
            rows = [view.row for view in reader.list(LoadBalancer, query)]
            shown = [row.availability_zone for row in rows if isinstance(row, LoadBalancer)]
            assert shown == (["b", "a", None] if descending else [None, "a", "b"])


def test_the_databases_clock_is_this_ones_to_the_millisecond(database: Database) -> None:
    with database.asking() as connection:
        before = time.time()
        said = float(connection.scalar(sa.select(DatabaseSeconds())) or 0)
        after = time.time()
    assert before - 0.002 <= said <= after + 0.002
