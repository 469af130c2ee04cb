"""The migrations make the tables that the code declares, on both databases, whoever asks and how often."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from octavia.store import mariadb, schema
from octavia.store.engine import Database, Unusable
from octavia.store.tables import deployment, metadata
from tests.databases import KINDS, Fleet


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path, fleet: Fleet) -> str:
    """Of a database with nothing in it."""
    return f"sqlite:///{tmp_path}/empty.db" if request.param == "sqlite" else fleet.new()


@pytest.fixture
def empty(url: str) -> Iterator[Database]:
    made = Database(url)
    yield made
    made.close()


def differences(database: Database) -> list[object]:
    with database.engine.connect() as connection:
        # Defaults on the server are for rows that were there before a column was: no more is asked of them.
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def test_the_migrations_make_what_is_declared(empty: Database) -> None:
    schema.upgrade(empty)
    assert schema.version(empty) == schema.head()
    assert differences(empty) == []


def test_what_a_downgrade_leaves_can_be_upgraded_again(empty: Database) -> None:
    schema.upgrade(empty)
    command.downgrade(schema.configuration(empty.engine), "base")
    schema.upgrade(empty)
    assert differences(empty) == []


MIGRATE = "import sys; from octavia.store import engine, schema; schema.upgrade(engine.Database(sys.argv[1]))"


def test_several_processes_that_migrate_at_once_do_it_once(url: str) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", MIGRATE, url]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    database = Database(url)
    with database.asking() as connection:
        assert connection.execute(deployment.select()).all() == [(1, 1)]
    database.close()


def test_every_table_compares_bytes(fleet: Fleet) -> None:
    with fleet.server.connect(fleet.migrated()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, table_collation, engine FROM information_schema.tables WHERE table_schema = database()"
        )
        kinds = {str(name): (collation, engine) for name, collation, engine in cursor.fetchall()}
    assert set(kinds) == {*metadata.tables, "alembic_version"}
    assert set(kinds.values()) == {(mariadb.COLLATION, "InnoDB")}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "is no URL"),
        ("sqlite://", "in memory"),
        ("mysql+unheardof://root@/x", "cannot be used here"),
        ("oracle://root@/x", "cannot be used here"),
        ("sqlite:////nowhere/at/all.db", "unable to open"),
        ("mysql+pymysql://root:hidden@127.0.0.1:1/x", "Can't connect"),
    ],
)
def test_a_database_that_is_not_there_is_said_in_a_sentence(url: str, said: str) -> None:
    with pytest.raises(Unusable, match=said) as raised:
        schema.upgrade(Database(url))
    assert "hidden" not in str(raised.value)
