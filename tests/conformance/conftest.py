"""One control plane for the whole suite: each row has a scene of its own in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from octavia.store import schema
from octavia.store.engine import Database
from tests.conformance.bench import Bench


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Another database can be put in its place here."""
    folder: Path = tmp_path_factory.mktemp("conformance")
    return f"sqlite:///{folder}/octavia.db"


@pytest.fixture(scope="session")
def bench(database_url: str) -> Iterator[Bench]:
    database = Database(database_url)
    schema.upgrade(database)
    yield Bench(database)
    database.close()
