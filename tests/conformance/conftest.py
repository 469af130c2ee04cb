"""One control plane for the whole suite: each row has a scene of its own in it."""

from collections.abc import Iterator

import pytest

from octavia.api.policy import Policies
from octavia.settings import load
from octavia.store import schema
from octavia.store.engine import Database
from tests.conformance.bench import Bench
from tests.databases import Fleet


@pytest.fixture(scope="session")
def policies(tmp_path_factory: pytest.TempPathFactory) -> Policies:
    """The defaults."""
    folder = tmp_path_factory.mktemp("policies")
    configured = folder / "octavia.conf"
    configured.write_text("")
    return Policies(load([configured], state_path=folder, privileged=False).oslo)


def bench_on(url: str, policies: Policies) -> Iterator[Bench]:
    database = Database(url)
    schema.upgrade(database)
    yield Bench(database, policies)
    database.close()


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory, policies: Policies) -> Iterator[Bench]:
    yield from bench_on(f"sqlite:///{tmp_path_factory.mktemp('conformance')}/octavia.db", policies)


@pytest.fixture(scope="session")
def server_bench(fleet: Fleet, policies: Policies) -> Iterator[Bench]:
    yield from bench_on(fleet.new(), policies)
