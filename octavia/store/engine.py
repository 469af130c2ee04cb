"""The connection to a database: SQLite embedded, or a server, with the differences between them kept in here."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

T = TypeVar("T")
ATTEMPTS = 8


def utcnow() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


class DatabaseSeconds(FunctionElement[float]):
    """Seconds since 1970 by the database's own clock: the only clock that leases go by."""

    type = sa.Float()
    inherit_cache = True


@compiles(DatabaseSeconds, "sqlite")
def _sqlite_seconds(element: Any, compiler: Any, **_: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(DatabaseSeconds, "mysql")
@compiles(DatabaseSeconds, "mariadb")
def _mysql_seconds(element: Any, compiler: Any, **_: Any) -> str:
    return "unix_timestamp(now(6))"


@compiles(DatabaseSeconds, "postgresql")
def _postgresql_seconds(element: Any, compiler: Any, **_: Any) -> str:
    return "extract(epoch from clock_timestamp())"


class Database:
    """One engine and the two kinds of transaction that are used on it."""

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(url, **engine_options(url))
        self.embedded = self.engine.dialect.name == "sqlite"
        self._one_writer = threading.Lock()
        if self.embedded:
            sa.event.listen(self.engine, "connect", prepare_sqlite)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A snapshot: everything read in it belongs to one moment."""
        with self.engine.connect() as connection:
            if self.embedded:
                connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()

    @contextmanager
    def _writing(self, durable: bool) -> Iterator[sa.Connection]:
        if not self.embedded:
            with self.engine.begin() as connection:
                yield connection
            return
        # SQLite lets one write at a time. Waiting for a lock of our own is fair; its busy handler sleeps and starves.
        with self._one_writer, self.engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    def write(self, work: Callable[[sa.Connection], T], *, durable: bool = True) -> T:
        """The outcome of this work, committed. Deadlocks and serialisation failures are tried again, here only.

        With `durable=False` SQLite does not wait for the disk: a power cut, and nothing less, may take the work back,
        with all that came after it and did not wait either. For what is found out again, or may as well be forgotten.
        """
        for left in range(ATTEMPTS - 1, -1, -1):
            try:
                with self._writing(durable) as connection:
                    return work(connection)
            except OperationalError as error:
                if not left or not passing(error):
                    raise
        raise AssertionError("unreachable")

    def close(self) -> None:
        self.engine.dispose()


def engine_options(url: str) -> dict[str, Any]:
    if not url.startswith("sqlite"):
        return {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 20, "pool_timeout": 10}
    return {
        "connect_args": {"check_same_thread": False, "timeout": 30, "isolation_level": None},
        "poolclass": sa.pool.QueuePool,
        "pool_size": 16,
        "max_overflow": 32,
    }


def prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 30000", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def passing(error: DBAPIError) -> bool:
    """Whether another try may succeed: a deadlock, a lock timeout, or another process's write on SQLite."""
    code = getattr(error.orig, "args", (None,))[0]
    return code in (1205, 1213, 1020) or "locked" in str(error.orig) or getattr(error.orig, "pgcode", "") == "40001"
