"""One API per test, over a store of its own: once on SQLite, once on MariaDB."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from octavia.api.app import build
from octavia.api.ports import Services
from octavia.store.catalogue import Catalogue
from octavia.store.engine import Database
from octavia.store.quotas import Quotas
from octavia.store.store import Store
from tests.api.world import Api, FakeNetwork
from tests.databases import KINDS, Fleet, opened


@pytest.fixture
def network() -> FakeNetwork:
    return FakeNetwork()


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path, fleet: Fleet) -> Iterator[Database]:
    with opened(request.param, fleet=fleet, folder=tmp_path) as made:
        yield made


@pytest.fixture
def services(database: Database, network: FakeNetwork) -> Services:
    return Services(
        store=Store(database, ring=lambda cluster_id: None),
        catalogue=Catalogue(database),
        quotas=Quotas(database),
        network=network,
        clock=lambda: datetime.now(UTC).replace(tzinfo=None),
        new_id=lambda: str(uuid.uuid4()),
        lowest_port=1,
    )


@pytest.fixture
def api(services: Services) -> Api:
    return Api(build(services))
