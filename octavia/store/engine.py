"""The connection to a database: SQLite embedded, or a server, with the differences between them kept in here."""

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.expression import FunctionElement

from octavia.store import mariadb

T = TypeVar("T")
ATTEMPTS = 8
RECYCLE = 1800
"""Seconds after which a connection is not used again: firewalls and proxies forget idle ones, often after an hour."""


def utcnow() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


class Unusable(Exception):
    """There is no such database, or it does not answer; a sentence for the operator."""


class DatabaseSeconds(FunctionElement[float]):
    """Seconds since 1970 by the database's own clock: the only clock that leases go by."""

    type = sa.Double()
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


@compiles(CreateTable, "mysql")
@compiles(CreateTable, "mariadb")
def _mysql_table(element: CreateTable, compiler: Any, **_: Any) -> str:
    """Here and not with each table: migrations make tables too."""
    made: str = compiler.visit_create_table(element)
    return f"{made.rstrip()} ENGINE=InnoDB ROW_FORMAT=DYNAMIC CHARACTER SET utf8mb4 COLLATE {mariadb.COLLATION}"


class Database:
    """One database, and the three ways in which it is used: a question, a snapshot, a write."""

    def __init__(self, url: str) -> None:
        self.url = address_of(url)
        self.engine = engine(self.url, "reading")
        self.embedded = self.engine.dialect.name == "sqlite"
        # On servers a session is in autocommit or not, and has its isolation. To change that each time costs packets.
        self._asking = self.engine if self.embedded else engine(self.url, "asking")
        self._changing = self.engine if self.embedded else engine(self.url, "writing")
        self._one_writer = threading.Lock()

    @contextmanager
    def asking(self) -> Iterator[sa.Connection]:
        """For one SELECT that stands alone: it is a snapshot by itself, and costs one packet."""
        with self._asking.connect() as connection:
            yield connection

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
        """A transaction whose end is the caller's. On a server its first statement must take the lock that it goes by
        (an UPDATE, or SELECT FOR UPDATE): what is read after it is what the one before has committed."""
        if not self.embedded:
            with self._changing.connect() as connection:
                yield connection
            return
        # SQLite lets one write at a time. Waiting for a lock of our own is fair; its busy handler sleeps and starves.
        with self._one_writer, self.engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def write(self, work: Callable[[sa.Connection], T], *, durable: bool = True) -> T:
        """The outcome of this work, committed. Deadlocks and serialisation failures are tried again, here only; so is a
        connection that was lost before it was told to commit. One that is lost then is an error: nobody can know.

        With `durable=False` SQLite does not wait for the disk: a power cut, and nothing less, may take the work back,
        with all that came after it and did not wait either. For what is found out again, or may as well be forgotten.
        """
        for attempt in range(1, ATTEMPTS + 1):
            committing = False
            try:
                with self._writing(durable) as connection:
                    outcome = work(connection)
                    committing = True
                    connection.commit()
                    return outcome
            except DBAPIError as error:
                if attempt == ATTEMPTS or not passing(error, committing=committing):
                    raise
            # Those who met in a deadlock must not meet again.
            time.sleep(random.uniform(0, 0.005 * attempt))  # noqa: S311
        raise AssertionError("unreachable")

    def close(self) -> None:
        for each in (self.engine, self._asking, self._changing):
            each.dispose()


def address_of(url: str) -> sa.URL:
    try:
        made = sa.make_url(url)
    except ArgumentError:
        raise Unusable(f"{DATABASE} is no URL. An example: mysql+pymysql://user:password@host/octavia") from None
    if made.get_backend_name() == "sqlite" and made.database in (None, "", ":memory:"):
        raise Unusable(f"{DATABASE} is a database in memory, of which each connection has another one: name a file.")
    return made


DATABASE = "[database] connection"


def engine(url: sa.URL, purpose: mariadb.Purpose) -> sa.Engine:
    """Connections are made when they are needed. Raises Unusable for a kind of database that cannot be used here."""
    try:
        made = sa.create_engine(url, **engine_options(url))
    except (ArgumentError, ImportError) as error:
        raise Unusable(f"{DATABASE} names a database that cannot be used here: {error}") from None
    if made.dialect.name == "sqlite":
        sa.event.listen(made, "connect", prepare_sqlite)
    elif made.dialect.driver == "pymysql":
        sa.event.listen(made, "do_connect", lambda _, record, positional, named: mariadb.connect(named, purpose))
        # SQLAlchemy has just set the character set, and a collation with it that is not ours.
        sa.event.listen(made, "connect", lambda steady, _: steady.set_character_set("utf8mb4", mariadb.COLLATION))
    return made


def engine_options(url: sa.URL) -> dict[str, Any]:
    # Letters stand in JSON as they are: MariaDB does not find an escaped one by a plain one.
    json = {"json_serializer": as_json, "json_deserializer": msgspec.json.decode}
    if url.get_backend_name() != "sqlite":
        return json | {"pool_size": 10, "max_overflow": 20, "pool_timeout": 10, "pool_recycle": RECYCLE}
    return json | {
        "connect_args": {"check_same_thread": False, "timeout": 30, "isolation_level": None},
        "poolclass": sa.pool.QueuePool,
        "pool_size": 16,
        "max_overflow": 32,
    }


def as_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 30000", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def passing(error: DBAPIError, *, committing: bool = False) -> bool:
    """Whether another try may succeed: a deadlock, a lock timeout, another process's write on SQLite; or a connection
    that was lost, unless it was committing, which it may have done."""
    if "locked" in str(error.orig) or getattr(error.orig, "pgcode", "") in ("40001", "40P01"):
        return True
    return mariadb.code_of(error.orig) in mariadb.PASSING or (not committing and mariadb.lost(error.orig))
