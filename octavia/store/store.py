"""The two doors: read() is a snapshot, write() the only way to change a wish."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa
from msgspec import structs

from octavia.domain import quota
from octavia.domain.amphora import Amphora
from octavia.domain.catalogue import Entry
from octavia.domain.declare import Declared, Noun
from octavia.domain.graph import Graph, put
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.quota import FIELDS, UNLIMITED, Limits, Quota
from octavia.domain.refusal import Conflict, not_found
from octavia.store import catalogue, graphs, lists, progress, quotas, trees
from octavia.store.engine import Database, utcnow
from octavia.store.query import AmphoraStatistics, Found, Home, Progress, Query, Statistics, Who
from octavia.store.tables import TABLES, amphora, cluster, edit, load_balancer, statistics

E = TypeVar("E", bound=Entry)
NO_LIMITS: Limits = dict.fromkeys(FIELDS.values(), UNLIMITED)


class Reader:
    """One moment of the database."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def graph(self, load_balancer_id: str) -> Graph:
        """Raises Missing."""
        return graphs.load(self._connection, load_balancer_id)

    def tree(self, load_balancer_id: str) -> Graph:
        """The graph with no more in its rows than a status tree shows. Raises Missing."""
        return trees.load(self._connection, load_balancer_id)

    def home(self, noun: type[Noun], identifier: str) -> Home:
        """Where this row belongs. Raises Missing."""
        table = TABLES[noun]
        wanted = sa.select(table.c.load_balancer_id, table.c.project_id).where(table.c.id == identifier)
        row = self._connection.execute(wanted).one_or_none()
        if row is None:
            raise not_found(noun.title, identifier)
        return Home(*row)

    def page(self, noun: type[Declared], query: Query, keys: Collection[str] | None = None) -> list[Found]:
        """One page, with these keys of each row, or all. Raises Invalid for an unknown marker."""
        return lists.page(self._connection, noun, query, keys)

    def one(self, noun: type[Declared], fields: dict[str, Any], keys: Collection[str] | None = None) -> Found | None:
        """The row with these values, if there is one."""
        return lists.one(self._connection, noun, fields, keys)

    def entry(self, noun: type[E], key: str) -> E:
        """What is on offer under this key. Raises Missing."""
        return catalogue.Shelf(self._connection).get(noun, key)

    def quota(self, project_id: str) -> Quota | None:
        """What was set for the project, if anything ever was."""
        return quotas.of(self._connection, project_id)

    def statistics(self, load_balancer_id: str) -> dict[str, Statistics]:
        """Listener id to its traffic."""
        rows = self._connection.execute(
            sa.select(statistics.c.listener_id, *(sa.func.sum(part).label(part.name) for part in counted()))
            .where(statistics.c.load_balancer_id == load_balancer_id)
            .group_by(statistics.c.listener_id)
        )
        return {row.listener_id: Statistics(**{n: int(row._mapping[n]) for n in COUNTERS}) for row in rows}

    def amphora_statistics(self, amphora_id: str) -> list[AmphoraStatistics]:
        """Of each listener that the amphora serves, or has served."""
        named = (statistics.c.listener_id, statistics.c.load_balancer_id.label("loadbalancer_id"))
        rows = self._connection.execute(
            sa.select(*named, *counted())
            .where(statistics.c.amphora_id == amphora_id)
            .order_by(statistics.c.listener_id)
        )
        return [AmphoraStatistics(id=amphora_id, **row._mapping) for row in rows]

    def progress(self, load_balancer_id: str) -> Progress:
        """Raises Missing."""
        return progress.of(self._connection, graphs.load(self._connection, load_balancer_id).load_balancer)

    def ping(self) -> None:
        """Returns if the database answers."""
        self._connection.execute(sa.select(1))


COUNTERS = Statistics.__struct_fields__


def counted() -> list[sa.Label[Any]]:
    """Each counter of one amphora: of its agent's earlier boots and of the present one together."""
    grown = ("bytes_in", "bytes_out", "total_connections", "request_errors")
    sums = [(statistics.c[f"before_{name}"] + statistics.c[f"now_{name}"]).label(name) for name in grown]
    return [*sums, statistics.c.active_connections.label("active_connections")]


class Store:
    """The wishes. After a committed write the cluster's doorbell is rung, here and nowhere else."""

    def __init__(self, database: Database, ring: Callable[[str], None], limits: Limits = NO_LIMITS) -> None:
        self._database = database
        self._ring = ring
        self._limits = limits

    @contextmanager
    def read(self) -> Iterator[Reader]:
        with self._database.reading() as connection:
            yield Reader(connection)

    @contextmanager
    def ask(self) -> Iterator[Reader]:
        """For questions that need not be answered as of one moment: on a server each costs half as much so."""
        with self._database.asking() as connection:
            yield Reader(connection)

    def write(
        self, load_balancer_id: str, who: Who, change: Callable[[Graph], Graph], *, counted: str | None = None
    ) -> Graph:
        """The graph after this change, committed as the next generation.

        `change` must be pure: it may be called again. What it raises is raised, and nothing is changed. `counted` is
        the project whose quota the change must keep to: Forbidden where it does not.
        """

        graph = self._database.write(
            lambda connection: self._edited(connection, load_balancer_id, who, change, counted=counted)
        )
        self._ring(graph.load_balancer.cluster_id)
        return graph

    def _edited(
        self,
        connection: sa.Connection,
        load_balancer_id: str,
        who: Who,
        change: Callable[[Graph], Graph],
        *,
        counted: str | None = None,
    ) -> Graph:
        raise_generation(connection, load_balancer_id)
        limits = self._counting(connection, counted)
        before = graphs.load(connection, load_balancer_id)
        after = change(before)
        check_quota(connection, counted, limits, before, after)
        graphs.save(connection, before, after)
        sign(connection, after.load_balancer, who)
        return after

    def create(self, graph: Graph, who: Who, *, counted: str | None = None) -> Graph:
        """The load balancer is wished for, as generation 1. Raises Forbidden, and Invalid for what it cannot choose."""

        def work(connection: sa.Connection) -> None:
            limits = self._counting(connection, counted)
            check_quota(connection, counted, limits, None, graph)
            catalogue.check_choices(connection, graph.load_balancer)
            connection.execute(cluster.insert(), {"id": graph.load_balancer.cluster_id})
            graphs.insert(connection, graph)
            sign(connection, graph.load_balancer, who)

        self._database.write(work)
        self._ring(graph.load_balancer.cluster_id)
        return graph

    def fail_over(self, load_balancer_id: str, who: Who, amphora_id: str | None = None) -> None:
        """The amphorae of the load balancer, or this one of them, are condemned: others will take their place.

        Raises Conflict where it is being deleted.
        """

        def touched(graph: Graph) -> Graph:
            if graph.load_balancer.deleted is not None:
                raise Conflict(f"Invalid state PENDING_DELETE of loadbalancer resource {load_balancer_id}")
            return put(graph, graph.load_balancer)

        def work(connection: sa.Connection) -> Graph:
            after = self._edited(connection, load_balancer_id, who, touched)
            mine = sa.and_(amphora.c.load_balancer_id == load_balancer_id, amphora.c.condemned.is_(None))
            these = mine if amphora_id is None else sa.and_(mine, amphora.c.id == amphora_id)
            connection.execute(amphora.update().where(these).values(condemned="a failover was asked for"))
            return after

        self._ring(self._database.write(work).load_balancer.cluster_id)

    def configure(self, amphora_id: str) -> None:
        """The amphora's agent is to start anew, with the present configuration. Raises Missing."""

        def work(connection: sa.Connection) -> str | None:
            here = amphora.c.id == amphora_id
            connection.execute(amphora.update().where(here).values(configure=True))
            return connection.scalar(sa.select(amphora.c.cluster_id).where(here))

        cluster_id = self._database.write(work)
        if cluster_id is None:
            raise not_found(Amphora.title, amphora_id)
        self._ring(cluster_id)

    def _counting(self, connection: sa.Connection, project_id: str | None) -> Limits:
        """The project's quota, locked, so that nobody else counts until this transaction ends."""
        if project_id is None:
            return NO_LIMITS
        return quota.effective(quotas.locked(connection, project_id), self._limits)


def raise_generation(connection: sa.Connection, load_balancer_id: str) -> None:
    """This comes first: on a server that row is the lock. Every edit touches the load balancer."""
    here = load_balancer.update().where(load_balancer.c.id == load_balancer_id)
    higher = load_balancer.c.generation + 1
    # In this order: MariaDB takes the second assignment's values from the first.
    raised = here.ordered_values((load_balancer.c.touched, higher), (load_balancer.c.generation, higher))
    if not connection.execute(raised).rowcount:
        raise not_found(LoadBalancer.title, load_balancer_id)


def check_quota(
    connection: sa.Connection, project_id: str | None, limits: Limits, before: Graph | None, after: Graph
) -> None:
    """Raises Forbidden. Counts nothing where nothing is limited."""
    if project_id is None:
        return
    limited = {noun: more for noun, more in quota.growth(before, after).items() if limits[FIELDS[noun]] != UNLIMITED}
    if limited:
        quota.check(limits, quotas.used(connection, project_id, limited), limited)


def sign(connection: sa.Connection, top: LoadBalancer, who: Who) -> None:
    """Who asked for this generation is on record."""
    values = {"load_balancer_id": top.id, "generation": top.generation, "at": utcnow(), **structs.asdict(who)}
    connection.execute(edit.insert(), values)
