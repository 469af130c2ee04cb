"""Quotas: what was set for a project, and how much it has, counted from the rows themselves."""

from collections.abc import Callable, Collection

import sqlalchemy as sa

from octavia.domain.declare import Noun
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.quota import Quota
from octavia.domain.refusal import Missing
from octavia.store.engine import Database
from octavia.store.rows import struct_of, values_of
from octavia.store.tables import TABLES, load_balancer, quota


class Quotas:
    """The operator's door to quotas."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def change(self, project_id: str, change: Callable[[Quota], Quota]) -> Quota:
        """What is set for the project after this change; nothing was, if it has no row yet."""

        def work(connection: sa.Connection) -> Quota:
            after = change(locked(connection, project_id))
            connection.execute(quota.update().where(quota.c.project_id == project_id).values(**values_of(after)))
            return after

        return self._database.write(work)

    def remove(self, project_id: str) -> None:
        """The defaults go for the project again. Raises Missing where nothing was set."""
        gone = quota.delete().where(quota.c.project_id == project_id)
        if not self._database.write(lambda connection: connection.execute(gone).rowcount):
            raise Missing(f"Quota for project {project_id} not found: nothing is set for it, so the defaults go.")


def of(connection: sa.Connection, project_id: str) -> Quota | None:
    row = connection.execute(sa.select(quota).where(quota.c.project_id == project_id)).one_or_none()
    return struct_of(Quota, row) if row is not None else None


def locked(connection: sa.Connection, project_id: str) -> Quota:
    """The project's row, which is there now, and whose lock is ours until the transaction ends."""
    ours = sa.select(quota).where(quota.c.project_id == project_id).with_for_update()
    row = connection.execute(ours).one_or_none()
    if row is None:
        missing = quota.insert().values(project_id=project_id)
        for dialect, word in (("sqlite", "OR IGNORE"), ("mysql", "IGNORE"), ("mariadb", "IGNORE")):
            missing = missing.prefix_with(word, dialect=dialect)
        connection.execute(missing)
        row = connection.execute(ours).one()
    return struct_of(Quota, row)


def used(connection: sa.Connection, project_id: str, nouns: Collection[type[Noun]]) -> dict[type[Noun], int]:
    """How many live rows of these nouns the project has, in one statement."""
    wanted = list(nouns)
    row = connection.execute(sa.select(*(count(noun, project_id) for noun in wanted))).one()
    return dict(zip(wanted, row, strict=True))


def count(noun: type[Noun], project_id: str) -> sa.ScalarSelect[int]:
    """What is in a load balancer that is being deleted counts no more, marked itself or not."""
    table = TABLES[noun]
    alive = sa.and_(table.c.project_id == project_id, table.c.deleted.is_(None))
    if noun is LoadBalancer:
        return sa.select(sa.func.count()).select_from(table).where(alive).scalar_subquery()
    top = load_balancer.alias()
    joined = sa.select(sa.func.count()).select_from(table.join(top, top.c.id == table.c.load_balancer_id))
    return joined.where(alive, top.c.deleted.is_(None)).scalar_subquery()
