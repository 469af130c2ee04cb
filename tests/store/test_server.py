"""What only servers do: locks that wait, deadlocks, connections that go away, and what each packet costs."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from msgspec import structs
from pymysql.cursors import Cursor
from sqlalchemy.exc import OperationalError

from octavia.domain.graph import Graph, put
from octavia.domain.refusal import Invalid
from octavia.store.clusters import Clusters
from octavia.store.engine import Database
from octavia.store.query import Who
from octavia.store.store import Store
from octavia.store.tables import cluster, load_balancer
from tests import builders
from tests.databases import Fleet, opened
from tests.host.needs import until


@pytest.fixture
def database(fleet: Fleet) -> Iterator[Database]:
    """MariaDB alone."""
    with opened("mariadb", fleet=fleet) as made:
        yield made


@pytest.fixture
def root(fleet: Fleet) -> Iterator[Cursor]:
    """What looks at the server from outside."""
    with fleet.server.connect() as connection, connection.cursor() as cursor:
        connection.autocommit(True)
        yield cursor


def described(graph: Graph, text: str) -> Graph:
    return put(graph, structs.replace(graph.load_balancer, description=text))


def waiting(root: Cursor) -> int:
    """How many transactions wait for a lock. (innodb_trx is a cache, which is not renewed while it is polled.)"""
    return status(root, "Innodb_row_lock_current_waits")


def test_a_write_that_waited_for_the_lock_sees_what_the_other_wrote(store: Store, root: Cursor) -> None:
    top = store.create(builders.graph(description="0"), Who()).load_balancer
    entered, leave = threading.Event(), threading.Event()

    def slow(graph: Graph) -> Graph:
        entered.set()
        assert leave.wait(10)
        return described(graph, graph.load_balancer.description + "1")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(store.write, top.id, Who(), slow)
        assert entered.wait(10)
        second = pool.submit(
            store.write, top.id, Who(), lambda graph: described(graph, graph.load_balancer.description + "2")
        )
        until(lambda: waiting(root) == 1)
        leave.set()
        assert first.result(10).load_balancer.description == "01"
        assert second.result(10).load_balancer.description == "012"


def test_one_of_many_gets_a_lease_however_often_they_ask(store: Store, database: Database) -> None:
    cluster_id = store.create(builders.graph(), Who()).load_balancer.cluster_id
    databases = [Database(database.url.render_as_string(hide_password=False)) for _ in range(2)]
    controllers = [(f"holder {number}", Clusters(databases[number % 2])) for number in range(8)]
    tokens = []
    with ThreadPoolExecutor(8) as pool:
        for _ in range(10):
            asked = [pool.submit(door.lease, cluster_id, holder, 60) for holder, door in controllers]
            (fence,) = (got for got in (one.result(20) for one in asked) if got is not None)
            tokens.append(fence.token)
            Clusters(database).release(cluster_id, fence)
    assert tokens == list(range(1, 11))
    for other in databases:
        other.close()


def test_who_met_in_a_deadlock_both_succeed(store: Store, database: Database) -> None:
    clusters = [store.create(builders.graph(), Who()).load_balancer.cluster_id for _ in range(2)]
    both = threading.Barrier(2, timeout=10)
    attempts: list[str] = []

    def work(connection: sa.Connection, order: list[str]) -> None:
        attempts.append(order[0])
        failing(connection, order[0])
        if len(attempts) <= 2:
            both.wait()
        failing(connection, order[1])

    with ThreadPoolExecutor(2) as pool:
        orders = (clusters, clusters[::-1])
        for done in [pool.submit(database.write, lambda c, order=order: work(c, order)) for order in orders]:
            done.result(20)
    assert len(attempts) == 3
    with database.asking() as connection:
        assert connection.scalars(sa.select(cluster.c.failures)).all() == [2, 2]


def failing(connection: sa.Connection, cluster_id: str) -> None:
    raised = cluster.update().where(cluster.c.id == cluster_id).values(failures=cluster.c.failures + 1)
    connection.execute(raised)


def kill_all(root: Cursor) -> None:
    """Every connection but this one is gone, as after a restart of the server."""
    root.execute("SELECT id FROM information_schema.processlist WHERE user = 'root' AND id <> connection_id()")
    for (identifier,) in root.fetchall():
        root.execute(f"KILL {identifier}")
    until(lambda: others(root) == 0)


def others(root: Cursor) -> int:
    return root.execute("SELECT 1 FROM information_schema.processlist WHERE user = 'root' AND id <> connection_id()")


def test_nobody_notices_that_idle_connections_were_dropped(store: Store, database: Database, root: Cursor) -> None:
    top = store.create(builders.graph(), Who()).load_balancer

    def ask() -> object:
        with database.asking() as connection:
            return connection.scalar(sa.select(cluster.c.id))

    def read() -> object:
        with store.read() as reader:
            return reader.graph(top.id)

    attempts: tuple[Callable[[], object], ...] = (
        ask,
        read,
        lambda: store.write(top.id, Who(), lambda graph: described(graph, "edited")),
        lambda: Clusters(database).lease(top.cluster_id, "me", 60),
    )
    for attempt in attempts:
        attempt()
        kill_all(root)
        attempt()
    with store.read() as reader:
        assert reader.graph(top.id).load_balancer.generation == 3


def test_a_new_connection_has_the_settings_of_the_lost_one(database: Database, root: Cursor) -> None:
    wanted = sa.text(
        "SELECT @@session.tx_isolation, @@autocommit, @@collation_connection, @@sql_mode LIKE '%TRADITIONAL%'"
    )

    def settings() -> list[tuple[object, ...]]:
        with database.reading() as one, database.asking() as other:
            said = [one.execute(wanted).one(), other.execute(wanted).one()]
        return [tuple(row) for row in (*said, database.write(lambda connection: connection.execute(wanted).one()))]

    before = settings()
    assert before == [
        ("REPEATABLE-READ", 0, "utf8mb4_nopad_bin", 1),
        ("REPEATABLE-READ", 1, "utf8mb4_nopad_bin", 1),
        ("READ-COMMITTED", 0, "utf8mb4_nopad_bin", 1),
    ]
    kill_all(root)
    assert settings() == before


def test_a_snapshot_is_of_one_moment(store: Store, database: Database) -> None:
    top = store.create(builders.graph(), Who()).load_balancer
    description = sa.select(load_balancer.c.description)
    with database.reading() as connection:
        assert connection.scalar(description) == ""
        store.write(top.id, Who(), lambda graph: described(graph, "edited"))
        assert connection.scalar(description) == ""
    with database.reading() as connection:
        assert connection.scalar(description) == "edited"


def test_a_write_locks_nothing_beside_its_rows(database: Database) -> None:
    """New ones of others do not wait for a search that found nothing, or for what stands next to them."""
    waits = sa.text("SET SESSION innodb_lock_wait_timeout = 1")

    def search(connection: sa.Connection) -> None:
        connection.execute(cluster.delete().where(cluster.c.id > "a"))
        database.write(add)

    def add(connection: sa.Connection) -> None:
        connection.execute(waits)
        connection.execute(cluster.insert().values(id="b"))

    database.write(search)
    with database.asking() as connection:
        assert connection.scalars(sa.select(cluster.c.id)).all() == ["b"]


def test_a_snapshot_that_loses_its_connection_is_an_error_and_no_mixture(
    store: Store, database: Database, root: Cursor
) -> None:
    store.create(builders.graph(), Who())
    with database.reading() as connection:
        connection.scalar(sa.select(cluster.c.id))
        kill_all(root)
        with pytest.raises(OperationalError):
            connection.scalar(sa.select(cluster.c.id))


def test_work_that_loses_its_connection_is_done_again_and_counts_once(
    store: Store, database: Database, root: Cursor
) -> None:
    cluster_id = store.create(builders.graph(), Who()).load_balancer.cluster_id
    attempts = []

    def work(connection: sa.Connection) -> None:
        failing(connection, cluster_id)
        attempts.append(1)
        if len(attempts) == 1:
            kill_all(root)
        connection.scalar(sa.select(cluster.c.id))

    database.write(work)
    assert len(attempts) == 2
    with database.asking() as connection:
        assert connection.scalar(sa.select(cluster.c.failures)) == 1


def test_a_commit_that_nobody_answered_is_an_error_and_is_not_done_again(
    store: Store, database: Database, root: Cursor
) -> None:
    cluster_id = store.create(builders.graph(), Who()).load_balancer.cluster_id
    attempts = []

    def work(connection: sa.Connection) -> None:
        failing(connection, cluster_id)
        attempts.append(1)
        kill_all(root)

    with pytest.raises(OperationalError):
        database.write(work)
    assert len(attempts) == 1


def test_a_refusal_leaves_no_lock_behind(store: Store, root: Cursor) -> None:
    top = store.create(builders.graph(), Who()).load_balancer

    def refuse(graph: Graph) -> Graph:
        raise Invalid("no")

    with pytest.raises(Invalid):
        store.write(top.id, Who(), refuse)
    root.execute("SELECT count(*) FROM information_schema.innodb_trx")
    assert root.fetchone() == (0,)


def test_what_goes_over_the_wire(store: Store, database: Database, root: Cursor) -> None:
    """A packet for each statement, and one to end a transaction; nothing else."""
    cluster_id = store.create(builders.graph(), Who()).load_balancer.cluster_id
    statement = sa.select(cluster.c.id)

    def ask() -> None:
        with database.asking() as connection:
            connection.scalar(statement)

    def read() -> None:
        with database.reading() as connection:
            connection.scalar(statement)
            connection.scalar(statement)

    def leave() -> None:
        with database.reading():
            """Nothing is asked."""

    def write() -> None:
        database.write(lambda connection: failing(connection, cluster_id))

    assert [packets(root, work) for work in (ask, read, leave, write)] == [1, 3, 0, 2]


def packets(root: Cursor, work: Callable[[], None]) -> int:
    """How many a second run sends: the first one may have to connect."""
    work()
    before = status(root, "Questions")
    idle = status(root, "Questions") - before
    before = status(root, "Questions")
    work()
    return status(root, "Questions") - before - idle


def status(root: Cursor, name: str) -> int:
    root.execute("SHOW GLOBAL STATUS LIKE %s", (name,))
    return int((root.fetchone() or ("", 0))[1])
