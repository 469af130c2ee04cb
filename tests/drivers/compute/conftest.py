"""A deployment in a folder of its own, with agents that only sleep."""

import hashlib
import uuid
from pathlib import Path

import pytest

from octavia.drivers.compute.onhost import Deployment

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
