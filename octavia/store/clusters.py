"""What the controller reads and writes: leases, amphorae, and what a visit concludes. Every write carries its fence."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from octavia.domain.amphora import Amphora
from octavia.domain.declare import Noun
from octavia.domain.document import Fence
from octavia.domain.graph import Graph
from octavia.store import graphs
from octavia.store.engine import Database, DatabaseSeconds, utcnow
from octavia.store.rows import values_of
from octavia.store.tables import (
    TABLES,
    address,
    amphora,
    cluster,
    deployment,
    edit,
    heard,
    load_balancer,
    sentence,
    statistics,
)

KEPT_SENTENCES = 10
EPOCH = sa.select(deployment.c.epoch)
LEAP = 1 << 20
"""By so much a raised epoch raises the tokens, too: no token from before a backup was restored is met again."""


class Fenced(Exception):
    """Another holder has the lease by now: what this visit wanted to write is not written."""


class Wanted(Struct, frozen=True, kw_only=True):
    """One snapshot of a cluster: the wish, and the amphorae that are on record for it."""

    cluster_id: str
    graph: Graph | None
    amphorae: tuple[Amphora, ...]
    failing_since: datetime | None


class OnRecord(Struct, frozen=True):
    """An amphora, as the sweep needs it."""

    id: str
    cluster_id: str
    heard_at: datetime | None
    """When its last heartbeat was taken in."""


class Clusters:
    """The controller's door to the store."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = utcnow) -> None:
        self._database = database
        self._clock = clock

    def lease(self, cluster_id: str, holder: str, seconds: float) -> Fence | None:
        """The fence of a lease that is now ours for so long, or None while somebody else holds it."""

        def work(connection: sa.Connection) -> Fence | None:
            free = sa.or_(cluster.c.holder.is_(None), cluster.c.holder == holder, cluster.c.expires < DatabaseSeconds())
            taken = connection.execute(
                cluster.update()
                .where(cluster.c.id == cluster_id, free)
                .values(holder=holder, expires=DatabaseSeconds() + seconds, token=cluster.c.token + 1)
            )
            if not taken.rowcount:
                return None
            epoch = sa.select(deployment.c.epoch).scalar_subquery()
            row = connection.execute(sa.select(epoch, cluster.c.token).where(cluster.c.id == cluster_id)).one()
            return Fence(row[0], row[1])

        return self._database.write(work)

    def snapshot(self, cluster_id: str) -> Wanted:
        with self._database.asking() as connection:
            graph, amphorae, since = graphs.load_cluster(connection, cluster_id)
        return Wanted(
            cluster_id=cluster_id,
            graph=graph,
            amphorae=amphorae,
            failing_since=datetime.fromisoformat(since) if since else None,
        )

    def all(self) -> tuple[str, ...]:
        with self._database.asking() as connection:
            return tuple(connection.scalars(sa.select(cluster.c.id)))

    def unfinished(self) -> dict[str, frozenset[str]]:
        """The clusters where something is still to be done, as far as that stands on record, in one statement. Beside
        each is what that is, in a form that is another one after another wish."""
        edited = sa.select(load_balancer.c.cluster_id, sa.cast(load_balancer.c.generation, sa.String(20)))
        told = sa.select(amphora.c.cluster_id, amphora.c.id)
        statement = sa.union_all(
            edited.where(load_balancer.c.generation > load_balancer.c.observed),
            told.where(sa.or_(amphora.c.condemned.is_not(None), amphora.c.configure.is_(True))),
        )
        found: dict[str, frozenset[str]] = {}
        with self._database.asking() as connection:
            for cluster_id, mark in connection.execute(statement):
                found[cluster_id] = found.get(cluster_id, frozenset()) | {mark}
        return found

    def known(self, cluster_id: str) -> bool:
        with self._database.asking() as connection:
            return connection.scalar(sa.select(cluster.c.id).where(cluster.c.id == cluster_id)) is not None

    def amphorae(self) -> tuple[OnRecord, ...]:
        """All that there are."""
        statement = sa.select(amphora.c.id, amphora.c.cluster_id, heard.c.at)
        with self._database.asking() as connection:
            rows = connection.execute(statement.outerjoin(heard, heard.c.amphora_id == amphora.c.id))
            return tuple(OnRecord(*row) for row in rows)

    def put_amphora(self, cluster_id: str, fence: Fence, row: Amphora) -> None:
        """The amphora is on record like this. Raises Fenced."""

        def work(connection: sa.Connection) -> None:
            check(connection, cluster_id, fence)
            here = amphora.c.id == row.id
            values = values_of(row)
            ours = {name: value for name, value in values.items() if not said_by_others(row, name)}
            # Looked for first: an UPDATE that finds nothing locks the gap, and two that insert there deadlock.
            if connection.scalar(sa.select(amphora.c.id).where(here)):
                connection.execute(amphora.update().where(here), ours)
            else:
                connection.execute(amphora.insert(), values)

        self._database.write(work)

    def configured(self, cluster_id: str, fence: Fence, amphora_id: str) -> None:
        """The amphora's agent has started anew, as it was to. Raises Fenced."""

        def work(connection: sa.Connection) -> None:
            check(connection, cluster_id, fence)
            connection.execute(amphora.update().where(amphora.c.id == amphora_id).values(configure=False))

        self._database.write(work)

    def remove_amphora(self, cluster_id: str, fence: Fence, amphora_id: str) -> None:
        """Nothing about the amphora is on record, but for the traffic that it carried. Raises Fenced."""

        def work(connection: sa.Connection) -> None:
            check(connection, cluster_id, fence)
            connection.execute(amphora.delete().where(amphora.c.id == amphora_id))
            connection.execute(heard.delete().where(heard.c.amphora_id == amphora_id))
            idle = statistics.update().where(statistics.c.amphora_id == amphora_id)
            connection.execute(idle.values(active_connections=0))

        self._database.write(work)

    def condemn(self, amphora_id: str, why: str) -> str | None:
        """The amphora must go, and its cluster will see to it: the id of that cluster, None for an unknown amphora."""

        def work(connection: sa.Connection) -> str | None:
            here = amphora.c.id == amphora_id
            connection.execute(amphora.update().where(here, amphora.c.condemned.is_(None)).values(condemned=why))
            return connection.scalar(sa.select(amphora.c.cluster_id).where(here))

        return self._database.write(work)

    def conclude(self, cluster_id: str, fence: Fence, graph: Graph, *, final: bool, text: str) -> None:
        """All up to the graph's generation is in force; with `final` the load balancer is gone. The lease is over.

        Raises Fenced.
        """

        def work(connection: sa.Connection) -> None:
            before = check(connection, cluster_id, fence)
            if final:
                forget(connection, cluster_id, graph.load_balancer.id)
            else:
                settle(connection, graph)
                serving = amphora.update().where(amphora.c.cluster_id == cluster_id, amphora.c.condemned.is_(None))
                connection.execute(serving.where(amphora.c.allocated.is_(False)).values(allocated=True))
                note(connection, before, self._clock(), text, failing=False)

        # A conclusion that is lost is drawn again by the next visit.
        self._database.write(work, durable=False)

    def say(self, cluster_id: str, fence: Fence, text: str, *, failing: bool) -> None:
        """What the visit said last is on record, and its lease is over; the first failure in a row starts the clock.

        Raises Fenced.
        """

        def work(connection: sa.Connection) -> None:
            note(connection, check(connection, cluster_id, fence), self._clock(), text, failing=failing)

        self._database.write(work, durable=False)

    def show_fault(self, cluster_id: str, fence: Fence, graph: Graph, text: str) -> None:
        """The load balancer shows this fault until a newer edit, or success. Raises Fenced."""

        def work(connection: sa.Connection) -> None:
            check(connection, cluster_id, fence)
            top = graph.load_balancer
            shown = load_balancer.update().where(load_balancer.c.id == top.id)
            connection.execute(shown.values(fault=text[:1024], fault_generation=top.generation))

        self._database.write(work)

    def release(self, cluster_id: str, fence: Fence) -> None:
        """Others may take the lease at once."""

        def work(connection: sa.Connection) -> None:
            ours = sa.and_(cluster.c.id == cluster_id, cluster.c.token == fence.token)
            connection.execute(cluster.update().where(ours).values(holder=None, expires=0.0))

        # A release that is lost costs one lease's time.
        self._database.write(work, durable=False)

    def epoch(self) -> int:
        with self._database.asking() as connection:
            return connection.scalar(sa.select(deployment.c.epoch)) or 0

    def raise_epoch(self) -> int:
        """The new epoch: agents obey this database again, although its tokens may be older than what they have seen.

        All leases end with it, so that their holders write nothing more: here a token alone says whose turn it is.
        """

        def work(connection: sa.Connection) -> int:
            connection.execute(deployment.update().values(epoch=deployment.c.epoch + 1))
            connection.execute(cluster.update().values(token=cluster.c.token + LEAP, holder=None, expires=0.0))
            return connection.scalar(sa.select(deployment.c.epoch)) or 0

        return self._database.write(work)


def said_by_others(row: Amphora, name: str) -> bool:
    """Whether this column may have been written since the row was read, and this row has nothing new to say of it."""
    return name in ("allocated", "configure") or (name == "condemned" and row.condemned is None)


def check(connection: sa.Connection, cluster_id: str, fence: Fence) -> Any:
    """The cluster's row, locked until the end of the transaction: the lease is still the one with this fence."""
    row = connection.execute(
        sa.select(cluster.c.id, cluster.c.sentence, cluster.c.failures)
        .where(cluster.c.id == cluster_id, cluster.c.token == fence.token, sa.literal(fence.epoch).in_(EPOCH))
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise Fenced(f"the lease of cluster {cluster_id} has passed on")
    return row


def settle(connection: sa.Connection, graph: Graph) -> None:
    """The load balancer's row first, as edits do, so that the two wait for each other and never meet in a deadlock."""
    top = graph.load_balancer
    here = load_balancer.update().where(load_balancer.c.id == top.id, load_balancer.c.observed <= top.generation)
    connection.execute(here.values(observed=top.generation, fault=None, fault_generation=None))
    graphs.remove_deleted(connection, graph)
    put_in_service(connection, graph)
    if top.observed < top.generation:
        connection.execute(edit.delete().where(edit.c.load_balancer_id == top.id, edit.c.generation < top.generation))


def put_in_service(connection: sa.Connection, graph: Graph) -> None:
    """What has no traffic that could tell is in service once it is in force, where it is to be."""
    silent: tuple[Noun, ...] = (*graph.health_monitors, *graph.l7policies, *graph.l7rules)
    for row in silent:
        table, status = TABLES[type(row)], "ONLINE" if row.admin_state_up else "OFFLINE"
        if row.operating_status != status:
            connection.execute(table.update().where(table.c.id == row.id).values(operating_status=status))


def forget(connection: sa.Connection, cluster_id: str, load_balancer_id: str) -> None:
    graphs.remove_all(connection, load_balancer_id)
    for table in (edit, statistics):
        connection.execute(table.delete().where(table.c.load_balancer_id == load_balancer_id))
    connection.execute(address.delete().where(address.c.owner == load_balancer_id))
    connection.execute(sentence.delete().where(sentence.c.cluster_id == cluster_id))
    connection.execute(cluster.delete().where(cluster.c.id == cluster_id))


def note(connection: sa.Connection, before: Any, now: datetime, text: str, *, failing: bool) -> None:
    """What is said last in a visit ends its lease."""
    values: dict[str, Any] = {"visited_at": now, "sentence": text[:1024], "holder": None, "expires": 0.0}
    values["failures"] = before.failures + 1 if failing else 0
    if failing != bool(before.failures):
        values["failing_since"] = now if failing else None
    connection.execute(cluster.update().where(cluster.c.id == before.id).values(**values))
    if before.sentence != text[:1024]:
        remember(connection, before.id, now, text[:1024])


def remember(connection: sa.Connection, cluster_id: str, at: datetime, text: str) -> None:
    connection.execute(sentence.insert().values(cluster_id=cluster_id, at=at, text=text))
    mine = sentence.c.cluster_id == cluster_id
    oldest = sa.select(sentence.c.id).where(mine).order_by(sentence.c.id.desc()).offset(KEPT_SENTENCES).limit(1)
    if (last := connection.scalar(oldest)) is not None:
        connection.execute(sentence.delete().where(mine, sentence.c.id <= last))
