"""A deployment in a folder of its own, with agents that only sleep."""

import hashlib
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from octavia.drivers.compute.netns import Netns
from octavia.drivers.compute.onhost import Deployment
from octavia.host import links
from tests.drivers.compute.stage import Make

SLEEPER = ("sh", "-c", "exec sleep 1000", "agent")


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment(
        folder=tmp_path / "amphorae",
        certificate_authority="-----BEGIN CERTIFICATE-----",
        heartbeat_master=b"master",
        receiver_port=5555,
        command=SLEEPER,
        heartbeat_interval=0.5,
        haproxy_user="haproxy",
    )


@pytest.fixture
def management(tmp_path: Path) -> str:
    """A network of this test alone, so that tests may run beside each other and beside an Octavia."""
    octet = hashlib.sha256(str(tmp_path).encode() + uuid.uuid4().bytes).digest()[0]
    return f"10.214.{octet}.0/24"


@pytest.fixture
def make(deployment: Deployment, management: str) -> Iterator[Make]:
    """Another control plane over the same amphorae, each time it is called."""
    computes: list[Netns] = []

    def made() -> Netns:
        computes.append(Netns(deployment, management))
        return computes[-1]

    yield made
    # Two control planes at once are never right: one would keep alive what the other removes.
    for compute in computes:
        compute.close()
    cleaner = made()
    for amphora_id in cleaner.list():
        cleaner.remove(amphora_id)
    cleaner.clear()
    cleaner.close()


@pytest.fixture
def compute(make: Make) -> Netns:
    return make()


@pytest.fixture
def network_id() -> Iterator[str]:
    made = str(uuid.uuid4())
    yield made
    links.remove(links.bridge_name(made))
