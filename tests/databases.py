"""Databases for tests: SQLite in a folder, and MariaDB on one server for the whole run, emptied for each test."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Final

import pymysql
import pytest
from pymysql.constants import CLIENT

from octavia.store import schema
from octavia.store.engine import Database
from tools.mariadb import NoServer, Server, server

KINDS: Final = ("sqlite", "mariadb")
SHARED: Final = "shared"


class Fleet:
    """The server, which is started by the first who needs it. To be asked for databases once it is there."""

    def __init__(self) -> None:
        self._context = server()
        self._numbers = itertools.count()
        self._started = False
        self._why: str | None = None

    @cached_property
    def server(self) -> Server:
        """Skips the test, and says why, where there can be none."""
        if self._why is None and not self._started:
            try:
                made = self._context.__enter__()
                self._started = True
                return made
            except NoServer as error:
                self._why = str(error)
        pytest.skip(f"no MariaDB: {self._why}")

    def stop(self) -> None:
        if self._started:
            self._context.__exit__(None, None, None)

    def new(self) -> str:
        """The URL of a database with no tables, for tests that change the schema."""
        return self.server.create(f"own{next(self._numbers)}")

    def empty(self) -> str:
        """The URL of a database with this code's schema and no wishes. Making tables anew takes 20 times as long as
        emptying them, so it is the same for all tests."""
        self._emptying()
        return self.server.url(SHARED)

    def migrated(self) -> str:
        """The name of the database that all tests share."""
        assert self._tables
        return SHARED

    @cached_property
    def _tables(self) -> list[str]:
        database = Database(self.server.create(SHARED))
        schema.upgrade(database)
        database.close()
        with self.server.connect(SHARED) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW TABLES")
            return [str(name) for (name,) in cursor.fetchall() if name != "alembic_version"]

    def _emptying(self) -> None:
        statements = [f"DELETE FROM `{name}`" for name in self._tables]
        statements += ["INSERT INTO deployment (id, epoch) VALUES (1, 1)", "COMMIT"]
        connection = pymysql.connect(
            unix_socket=str(self.server.socket),
            user="root",
            database=SHARED,
            client_flag=CLIENT.MULTI_STATEMENTS,
            init_command="SET innodb_lock_wait_timeout = 10",
            ssl_disabled=True,
        )
        with connection, connection.cursor() as cursor:
            cursor.execute("; ".join(statements))
            while cursor.nextset():
                pass


@contextmanager
def opened(kind: str, *, fleet: Fleet, folder: Path | None = None) -> Iterator[Database]:
    """A database of this kind (SQLite: in this folder) with this code's schema and nothing in it."""
    database = Database(f"sqlite:///{folder}/octavia.db" if kind == "sqlite" else fleet.empty())
    try:
        schema.upgrade(database)
        yield database
    finally:
        database.close()
