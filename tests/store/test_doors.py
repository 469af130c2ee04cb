"""The two doors: what is written is read, what is refused changes nothing, and no update is lost."""

import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from octavia.domain.graph import Graph, delete, get, next_server_id, put
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.domain.refusal import Invalid, Missing
from octavia.store.engine import Database
from octavia.store.query import Found, Query, Sort, Tags, Who
from octavia.store.store import Store
from tests import builders

WHO = Who(request_id="req-1", user_id="u", project_id="p")


def full() -> Graph:
    graph = builders.graph(name="full", tags=("a", "b"))
    pool = builders.pool(graph.load_balancer, session_persistence={"type": "SOURCE_IP"}, tags=["x"])
    graph = put(graph, pool)
    graph = put(graph, builders.listener(graph.load_balancer, default_pool_id=pool.id, insert_headers={"a": "b"}))
    for number in range(3):
        graph = put(graph, builders.member(pool, address=f"198.18.1.{number + 1}", server_id=number + 1))
    return put(graph, builders.health_monitor(pool, http_version=1.1, domain_name="example.org"))


def test_what_is_created_is_read_back(store: Store, rung: list[str]) -> None:
    graph = full()
    store.create(graph, WHO)
    with store.read() as reader:
        assert same(reader.graph(graph.load_balancer.id), graph)
        progress = reader.progress(graph.load_balancer.id)
    assert (progress.request_id, progress.user_id, progress.generation) == ("req-1", "u", 1)
    assert rung == [graph.load_balancer.cluster_id]


def same(one: Graph, other: Graph) -> bool:
    """Rows of one moment have no order but their ids'."""
    return by_id(one) == by_id(other)


def by_id(graph: Graph) -> Graph:
    names = ("listeners", "pools", "members", "health_monitors")
    ordered = {name: tuple(sorted(getattr(graph, name), key=lambda row: row.id)) for name in names}
    return msgspec.structs.replace(graph, **ordered)


def test_a_write_raises_the_generation_once_and_saves_every_difference(store: Store) -> None:
    graph = store.create(full(), WHO)
    member = graph.members[0]
    changed = store.write(graph.load_balancer.id, WHO, lambda g: put(g, msgspec.structs.replace(member, weight=7)))
    with store.read() as reader:
        read = reader.graph(graph.load_balancer.id)
    assert same(read, changed)
    assert read.load_balancer.generation == 2
    touched = {row.id for row in (*read.listeners, *read.pools, *read.members) if row.touched == 2}
    assert touched == {member.id, read.pools[0].id, read.listeners[0].id}


def test_a_refused_change_leaves_everything_as_it_was(store: Store, rung: list[str]) -> None:
    graph = store.create(full(), WHO)

    def refuse(before: Graph) -> Graph:
        delete(before, before.pools[0])
        raise Invalid("no")

    with pytest.raises(Invalid):
        store.write(graph.load_balancer.id, WHO, refuse)
    with store.read() as reader:
        assert same(reader.graph(graph.load_balancer.id), graph)
    assert len(rung) == 1


def test_an_unknown_load_balancer_is_missing(store: Store) -> None:
    with pytest.raises(Missing):
        store.write("nowhere", WHO, lambda graph: graph)
    with store.read() as reader, pytest.raises(Missing):
        reader.home(Pool, "nowhere")


def test_eight_threads_lose_no_update_and_never_see_a_locked_database(tmp_path: Path, store: Store) -> None:
    graph = store.create(full(), WHO)
    top, pool = graph.load_balancer, graph.pools[0]
    each, worst, failures = 25, [0.0] * 8, []

    def edit(worker: int) -> None:
        for number in range(each):
            began = time.monotonic()
            try:
                store.write(top.id, WHO, partial(added, pool=pool, worker=worker, number=number))
            except Exception as error:  # noqa: BLE001 - whatever it is, the test must tell it
                failures.append(error)
            worst[worker] = max(worst[worker], time.monotonic() - began)

    threads = [threading.Thread(target=edit, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    with store.read() as reader:
        read = reader.graph(top.id)
    assert read.load_balancer.generation == 1 + 8 * each
    assert read.load_balancer.description == str(8 * each)
    assert len(read.members) == 3 + 8 * each
    assert len({member.server_id for member in read.members}) == len(read.members)
    print(f"figure: worst wait of eight threads that edit one load balancer: {max(worst):.3f} s")


def added(graph: Graph, pool: Pool, worker: int, number: int) -> Graph:
    """A member more, and a counter that is read and written: both show a lost update."""
    count = int(graph.load_balancer.description or 0) + 1
    graph = put(graph, msgspec.structs.replace(graph.load_balancer, description=str(count)))
    address = f"198.18.{worker + 2}.{number + 1}"
    return put(graph, builders.member(pool, address=address, server_id=next_server_id(graph, pool.id)))


def test_two_processes_may_write_at_once(tmp_path: Path, store: Store, database: Database) -> None:
    graph = store.create(full(), WHO)
    other = Database(database.url.render_as_string(hide_password=False))
    elsewhere = Store(other, lambda _: None)

    def count(door: Store) -> None:
        for _ in range(40):
            door.write(graph.load_balancer.id, WHO, counted)

    threads = [threading.Thread(target=count, args=(door,)) for door in (store, elsewhere)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as reader:
        assert reader.graph(graph.load_balancer.id).load_balancer.description == "80"
    other.close()


def counted(graph: Graph) -> Graph:
    count = int(graph.load_balancer.description or 0) + 1
    return put(graph, msgspec.structs.replace(graph.load_balancer, description=str(count)))


def shown(found: Found) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.json.decode(found.document)
    return document


def test_lists_filter_sort_and_page(store: Store) -> None:
    for number in range(7):
        store.create(builders.graph(name=f"lb{number % 3}", tags=(f"t{number % 2}", "all")), WHO)
    with store.read() as reader:
        named = reader.page(LoadBalancer, Query(filters={"name": "lb1"}))
        assert {shown(row)["name"] for row in named} == {"lb1"}
        pages = walked(store, Query(sort=(Sort("name", descending=True),), limit=3))
        assert [len(page) for page in pages] == [3, 3, 1]
        names = [shown(row)["name"] for page in pages for row in page]
        assert names == sorted(names, reverse=True)
        assert len(reader.page(LoadBalancer, Query(tags=Tags(all=("t0", "all"))))) == 4
        assert len(reader.page(LoadBalancer, Query(tags=Tags(any=("t0", "t1"))))) == 7
        assert len(reader.page(LoadBalancer, Query(tags=Tags(not_all=("t0", "all"))))) == 3
        assert len(reader.page(LoadBalancer, Query(tags=Tags(not_any=("t1",))))) == 4
        with pytest.raises(Invalid):
            reader.page(LoadBalancer, Query(marker="nowhere"))


def walked(store: Store, query: Query) -> list[list[Found]]:
    pages = []
    with store.read() as reader:
        while page := reader.page(LoadBalancer, query):
            pages.append(page)
            query = msgspec.structs.replace(query, marker=page[-1].key)
    return pages


def test_a_page_backwards_keeps_the_order(store: Store) -> None:
    for number in range(5):
        store.create(builders.graph(name=f"lb{number}"), WHO)
    with store.read() as reader:
        every = reader.page(LoadBalancer, Query(sort=(Sort("name"),)))
        back = reader.page(LoadBalancer, Query(sort=(Sort("name"),), marker=every[4].key, reverse=True, limit=2))
    assert [shown(row)["name"] for row in back] == ["lb2", "lb3"]


def test_the_computed_status_filters_like_it_shows(store: Store) -> None:
    graph = store.create(full(), WHO)
    with store.read() as reader:
        for noun in (Listener, Pool, Member):
            found = reader.page(noun, Query(filters={"provisioning_status": "PENDING_CREATE"}))
            assert found
            assert all(shown(row)["provisioning_status"] == "PENDING_CREATE" for row in found)
            assert not reader.page(noun, Query(filters={"provisioning_status": "ACTIVE"}))
        assert get(reader.graph(graph.load_balancer.id), Pool, graph.pools[0].id)


def test_only_what_may_be_lost_by_a_power_cut_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    def mode(connection: sa.Connection) -> int:
        return int(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())

    normal, full = 1, 2
    database = Database(f"sqlite:///{tmp_path}/durable.db")
    assert [database.write(mode, durable=wanted) for wanted in (True, False, True)] == [full, normal, full]
    assert database.write(mode) == full
    database.close()
