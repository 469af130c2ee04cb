"""A real store for each test: once on SQLite, once on MariaDB."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from octavia.store.clusters import Clusters
from octavia.store.engine import Database
from octavia.store.store import Store
from tests.databases import KINDS, Fleet, opened


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path, fleet: Fleet) -> Iterator[Database]:
    with opened(request.param, fleet=fleet, folder=tmp_path) as made:
        yield made


@pytest.fixture
def rung() -> list[str]:
    return []


@pytest.fixture
def store(database: Database, rung: list[str]) -> Store:
    return Store(database, rung.append)


@pytest.fixture
def clusters(database: Database) -> Clusters:
    return Clusters(database)
