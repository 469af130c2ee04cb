"""A real store on SQLite, new for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from octavia.store import schema
from octavia.store.clusters import Clusters
from octavia.store.engine import Database
from octavia.store.store import Store


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path}/octavia.db")
    schema.upgrade(made)
    yield made
    made.close()


@pytest.fixture
def rung() -> list[str]:
    return []


@pytest.fixture
def store(database: Database, rung: list[str]) -> Store:
    return Store(database, rung.append)


@pytest.fixture
def clusters(database: Database) -> Clusters:
    return Clusters(database)
