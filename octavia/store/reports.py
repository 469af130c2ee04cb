"""What heartbeats leave behind: operating statuses, traffic counters, and when an amphora was last heard."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from octavia.domain.declare import Noun
from octavia.domain.graph import Graph, everything
from octavia.domain.heartbeat import Heartbeat, ListenerReport
from octavia.domain.refusal import Missing
from octavia.store import graphs
from octavia.store.engine import Database
from octavia.store.tables import TABLES, amphora, heard, load_balancer, statistics

COUNTERS = ("bytes_in", "bytes_out", "total_connections", "request_errors")


class Known(Struct, frozen=True):
    """Whose an amphora is, and the last heartbeat that was taken in from it."""

    cluster_id: str
    boot_id: str | None
    sequence: int


class Reports:
    """The health room's door to the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, amphora_id: str) -> Known | None:
        with self._database.reading() as connection:
            row = connection.execute(
                sa.select(amphora.c.cluster_id, heard.c.boot_id, heard.c.sequence)
                .outerjoin(heard, heard.c.amphora_id == amphora.c.id)
                .where(amphora.c.id == amphora_id)
            ).one_or_none()
        return Known(row.cluster_id, row.boot_id, row.sequence or 0) if row else None

    def owners(self, amphora_ids: Collection[str]) -> dict[str, str]:
        """Amphora id to load balancer id, of those that are on record and not condemned."""
        mine = sa.and_(amphora.c.id.in_(amphora_ids), amphora.c.condemned.is_(None))
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(amphora.c.id, amphora.c.load_balancer_id).where(mine)).all()
        return {row.id: row.load_balancer_id for row in rows if row.load_balancer_id is not None}

    def graph(self, load_balancer_id: str) -> Graph | None:
        with self._database.reading() as connection:
            try:
                return graphs.load(connection, load_balancer_id)
            except Missing:
                return None

    def take_in(self, beats: Mapping[str, Heartbeat], owners: Mapping[str, str], at: datetime) -> None:
        """One transaction for many heartbeats (amphora id to its newest), each of an amphora's load balancer."""
        if not beats:
            return

        def work(connection: sa.Connection) -> None:
            hear(connection, beats, at)
            counted = counters(connection, beats)
            for amphora_id, beat in beats.items():
                for listener_id, report in beat.listeners.items():
                    row = counted.get((listener_id, amphora_id))
                    keys = {"listener_id": listener_id, "amphora_id": amphora_id}
                    count(connection, row, keys | {"load_balancer_id": owners[amphora_id]}, beat.boot_id, report)

        # The next heartbeat, a second later, says it all again.
        self._database.write(work, durable=False)

    def set_operating_statuses(self, graph: Graph, statuses: Mapping[str, str]) -> None:
        """Row id to operating status, of those rows of the graph that show another one now."""
        changed = [
            row for row in everything(graph) if statuses.get(row.id, row.operating_status) != row.operating_status
        ]
        if changed:
            self._database.write(lambda connection: set_statuses(connection, changed, statuses), durable=False)


def set_statuses(connection: sa.Connection, rows: list[Noun], statuses: Mapping[str, str]) -> None:
    for row in rows:
        table = TABLES[type(row)]
        connection.execute(table.update().where(table.c.id == row.id).values(operating_status=statuses[row.id]))


def hear(connection: sa.Connection, beats: Mapping[str, Heartbeat], at: datetime) -> None:
    heard_of = heard.c.amphora_id.in_(tuple(beats))
    known = frozenset(connection.scalars(sa.select(heard.c.amphora_id).where(heard_of)))
    rows = [{"of": key, "boot": beat.boot_id, "number": beat.sequence} for key, beat in beats.items()]
    values: dict[Any, Any] = {heard.c.boot_id: sa.bindparam("boot"), heard.c.sequence: sa.bindparam("number")}
    values[heard.c.at] = at
    if old := [row for row in rows if row["of"] in known]:
        mine = heard.update().where(heard.c.amphora_id == sa.bindparam("of"))
        connection.execute(mine.values(values), old)
    if new := [row for row in rows if row["of"] not in known]:
        connection.execute(heard.insert().values({heard.c.amphora_id: sa.bindparam("of")} | values), new)


def counters(connection: sa.Connection, beats: Mapping[str, Heartbeat]) -> dict[tuple[str, str], sa.Row[Any]]:
    """What stands on record of these amphorae's listeners, by listener and amphora."""
    rows = connection.execute(sa.select(statistics).where(statistics.c.amphora_id.in_(tuple(beats))))
    return {(row.listener_id, row.amphora_id): row for row in rows}


def count(
    connection: sa.Connection, row: sa.Row[Any] | None, keys: dict[str, str], boot_id: str, report: ListenerReport
) -> None:
    """What this boot has counted stands in `now`; what earlier boots had counted was moved to `before`."""
    values: dict[str, Any] = {f"now_{name}": getattr(report, name) for name in COUNTERS}
    values |= {"boot_id": boot_id, "active_connections": report.active_connections}
    if row is None:
        if exists(connection, keys["load_balancer_id"]):
            connection.execute(statistics.insert().values(**keys, **values))
        return
    if row.boot_id != boot_id:
        values |= {f"before_{n}": row._mapping[f"before_{n}"] + row._mapping[f"now_{n}"] for n in COUNTERS}
    if any(row._mapping[name] != value for name, value in values.items()):
        here = sa.and_(statistics.c.listener_id == row.listener_id, statistics.c.amphora_id == row.amphora_id)
        connection.execute(statistics.update().where(here).values(**values))


def exists(connection: sa.Connection, load_balancer_id: str) -> bool:
    """Whether it is still there: what comes late about one that is gone leaves nothing behind."""
    return connection.scalar(sa.select(load_balancer.c.id).where(load_balancer.c.id == load_balancer_id)) is not None
