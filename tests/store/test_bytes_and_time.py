"""What texts and times are, is the same on both databases: bytes, and microseconds."""

import time
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from octavia.domain.load_balancer import LoadBalancer
from octavia.store.engine import Database, DatabaseSeconds
from octavia.store.query import Query, Sort, Tags, Who
from octavia.store.store import Store
from tests import builders

NAMES = ("web", "Web", "WEB", "wéb", "web ", "we\u0301b", "\N{GRINNING FACE}", "\N{PILE OF POO}", "ß", "ss", "")
LETTERS = {"', \"", "\\", "a%b", "[]", "/", "\x01", "\x7f", "\u2028", "a\tb"}


def shown(store: Store, query: Query, field: str) -> list[Any]:
    """This field of the load balancers that are found, as the API shows it."""
    with store.read() as reader:
        return [msgspec.json.decode(found.document)[field] for found in reader.page(LoadBalancer, query)]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_found_by_its_bytes(store: Store, name: str) -> None:
    for other in NAMES:
        store.create(builders.graph(name=other, description=f"<{other}>", tags=(other,)), Who())
    query = Query(filters={"name": name})
    assert shown(store, query, "name") == [name]
    with store.read() as reader:
        top = reader.graph(shown(store, query, "id")[0]).load_balancer
    assert (top.name, top.description, top.tags) == (name, f"<{name}>", (name,))


@pytest.mark.parametrize("tag", sorted({*NAMES[:-1], *LETTERS}))
def test_a_tag_is_found_by_its_bytes(store: Store, tag: str) -> None:
    for other in {*NAMES[:-1], *LETTERS}:
        store.create(builders.graph(name=other, tags=(other,)), Who())
    assert shown(store, Query(tags=Tags(all=(tag,))), "tags") == [[tag]]
    assert [tag] not in shown(store, Query(tags=Tags(not_any=(tag,))), "tags")


def test_names_sort_by_their_bytes(store: Store) -> None:
    for name in NAMES:
        store.create(builders.graph(name=name), Who())
    assert shown(store, Query(sort=(Sort("name"),)), "name") == sorted(NAMES, key=str.encode)


def test_ids_differ_by_case(store: Store) -> None:
    store.create(builders.graph(id="an-id"), Who())
    store.create(builders.graph(id="AN-ID"), Who())
    with store.read() as reader:
        assert reader.graph("AN-ID").load_balancer.id == "AN-ID"


def test_a_status_is_compared_by_its_bytes_too(store: Store) -> None:
    store.create(builders.graph(), Who())
    assert shown(store, Query(filters={"provisioning_status": "PENDING_CREATE"}), "id")
    assert not shown(store, Query(filters={"provisioning_status": "pending_create"}), "id")


@pytest.mark.parametrize("text", ["'", '"', "\\", "%s %(x)s :y", "a\nb", "\x01", "''; DROP TABLE pool; --", "\\\\'"])
def test_what_has_a_meaning_in_sql_is_text(store: Store, text: str) -> None:
    graph = store.create(builders.graph(name=text, tags=(text,)), Who())
    with store.read() as reader:
        read = reader.graph(graph.load_balancer.id).load_balancer
    assert (read.name, read.tags) == (text, (text,))
    assert shown(store, Query(filters={"name": text}), "name") == [text]


def test_the_longest_texts_fit_in_four_bytes_each(store: Store) -> None:
    longest = "\N{GRINNING FACE}" * 255
    graph = store.create(builders.graph(name=longest, description=longest), Who())
    with store.read() as reader:
        read = reader.graph(graph.load_balancer.id).load_balancer
    assert (read.name, read.description) == (longest, longest)


def test_rows_of_one_second_sort_by_microseconds(store: Store) -> None:
    for number in (3, 1, 999_999, 2, 0):
        store.create(builders.graph(name=f"{number}", created_at=builders.NOW + timedelta(microseconds=number)), Who())
    assert shown(store, Query(), "name") == ["0", "1", "2", "3", "999999"]
    moment = builders.NOW + timedelta(microseconds=2)
    assert shown(store, Query(filters={"created_at": moment}), "name") == ["2"]


def test_what_is_null_sorts_first(store: Store) -> None:
    for number in (2, None, 1):
        moment = None if number is None else builders.NOW + timedelta(seconds=number)
        store.create(builders.graph(name=f"{number}", updated_at=moment), Who())
    for descending, expected in ((False, ["None", "1", "2"]), (True, ["2", "1", "None"])):
        assert shown(store, Query(sort=(Sort("updated_at", descending=descending),)), "name") == expected


def test_the_databases_clock_is_this_ones_to_the_millisecond(database: Database) -> None:
    with database.asking() as connection:
        before = time.time()
        said = float(connection.scalar(sa.select(DatabaseSeconds())) or 0)
        after = time.time()
    assert before - 0.002 <= said <= after + 0.002
