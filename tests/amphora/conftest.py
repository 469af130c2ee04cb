"""An amphora for each test that asks for one."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.amphora.stage import Stage

MISSING = [name for name in ("haproxy", "openssl") if shutil.which(name) is None]


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Stage]:
    """A seed is there, and nothing runs yet."""
    if MISSING:
        pytest.skip(f"not installed: {', '.join(MISSING)}")
    made = Stage(tmp_path)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def stage(bare: Stage) -> Stage:
    """The agent runs with a signed certificate, and has no load balancer yet."""
    bare.certified()
    return bare
