"""The two doors: read() is a snapshot, write() the only way to change a wish."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from msgspec import structs

from octavia.domain.declare import Noun
from octavia.domain.graph import Graph
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.refusal import not_found
from octavia.domain.view import View
from octavia.store import graphs, lists, progress
from octavia.store.engine import Database, utcnow
from octavia.store.query import Progress, Query, Statistics, Who
from octavia.store.tables import TABLES, cluster, edit, load_balancer, statistics


class Reader:
    """One moment of the database."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def graph(self, load_balancer_id: str) -> Graph:
        """Raises Missing."""
        return graphs.load(self._connection, load_balancer_id)

    def load_balancer_of(self, noun: type[Noun], identifier: str) -> str:
        """The id of the load balancer above this row. Raises Missing."""
        table = TABLES[noun]
        found = self._connection.scalar(sa.select(table.c.load_balancer_id).where(table.c.id == identifier))
        if found is None:
            raise not_found(noun.title, identifier)
        return str(found)

    def list(self, noun: type[Noun], query: Query) -> list[View]:
        """One page. Raises Invalid for an unknown marker."""
        return lists.page(self._connection, noun, query)

    def statistics(self, load_balancer_id: str) -> dict[str, Statistics]:
        """Listener id to its traffic."""
        sums = (
            sa.func.sum(statistics.c[f"before_{name}"] + statistics.c[f"now_{name}"]).label(name)
            for name in ("bytes_in", "bytes_out", "total_connections", "request_errors")
        )
        active = sa.func.sum(statistics.c.active_connections).label("active_connections")
        rows = self._connection.execute(
            sa.select(statistics.c.listener_id, active, *sums)
            .where(statistics.c.load_balancer_id == load_balancer_id)
            .group_by(statistics.c.listener_id)
        )
        return {row.listener_id: Statistics(**{n: int(row._mapping[n]) for n in COUNTERS}) for row in rows}

    def progress(self, load_balancer_id: str) -> Progress:
        """Raises Missing."""
        return progress.of(self._connection, graphs.load(self._connection, load_balancer_id).load_balancer)

    def ping(self) -> None:
        """Returns if the database answers."""
        self._connection.execute(sa.select(1))


COUNTERS = Statistics.__struct_fields__


class Store:
    """The wishes. After a committed write the cluster's doorbell is rung, here and nowhere else."""

    def __init__(self, database: Database, ring: Callable[[str], None]) -> None:
        self._database = database
        self._ring = ring

    @contextmanager
    def read(self) -> Iterator[Reader]:
        with self._database.reading() as connection:
            yield Reader(connection)

    def write(self, load_balancer_id: str, who: Who, change: Callable[[Graph], Graph]) -> Graph:
        """The graph after this change, committed as the next generation.

        `change` must be pure: it may be called again. What it raises is raised, and nothing is changed.
        """
        graph = self._database.write(lambda connection: edited(connection, load_balancer_id, who, change))
        self._ring(graph.load_balancer.cluster_id)
        return graph

    def create(self, graph: Graph, who: Who) -> Graph:
        """The load balancer is wished for, as generation 1."""

        def work(connection: sa.Connection) -> None:
            connection.execute(cluster.insert().values(id=graph.load_balancer.cluster_id))
            graphs.insert(connection, graph)
            sign(connection, graph.load_balancer, who)

        self._database.write(work)
        self._ring(graph.load_balancer.cluster_id)
        return graph


def edited(connection: sa.Connection, load_balancer_id: str, who: Who, change: Callable[[Graph], Graph]) -> Graph:
    """Raising the generation comes first: on a server that row is the lock."""
    here = load_balancer.c.id == load_balancer_id
    raise_it = load_balancer.update().where(here).values(generation=load_balancer.c.generation + 1)
    if not connection.execute(raise_it).rowcount:
        raise not_found(LoadBalancer.title, load_balancer_id)
    before = graphs.load(connection, load_balancer_id)
    after = change(before)
    graphs.save(connection, before, after)
    sign(connection, after.load_balancer, who)
    return after


def sign(connection: sa.Connection, top: LoadBalancer, who: Who) -> None:
    """Who asked for this generation is on record."""
    connection.execute(
        edit.insert().values(load_balancer_id=top.id, generation=top.generation, at=utcnow(), **structs.asdict(who))
    )
