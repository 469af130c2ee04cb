"""Which kinds of deployment this machine can test, and a stage of each."""

import os
import shutil
from collections.abc import Iterator
from functools import cache

import pytest

from octavia.host import privileges
from tests.e2e.identity import Cloud, NotInstalled, cloud
from tests.e2e.stage import Stage

NEEDED = ("haproxy", "ip", "openssl", "unshare", "nsenter", "curl")


@cache
def reason_against(kind: str) -> str | None:
    """Why this kind cannot be tested here; None when it can."""
    missing = [name for name in NEEDED if shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    can = privileges.probe()
    if kind == "root" and can.kind != "root":
        return "; ".join(can.reasons)
    if kind == "rootless" and can.kind == "none":
        return "; ".join(can.reasons)
    return None


@pytest.fixture(params=["root", "rootless"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """`octavia serve` runs, and is removed with everything that it made."""
    yield from staged(request.param)


@pytest.fixture
def root_stage() -> Iterator[Stage]:
    """As `stage`, for what does not differ between the kinds: of the best kind that this machine can have."""
    yield from staged("root" if reason_against("root") is None else "rootless")


@pytest.fixture(scope="module")
def shared_stage() -> Iterator[Stage]:
    """As `root_stage`, one for all tests of a file: each removes its load balancers, and has hosts of its own."""
    yield from staged("root" if reason_against("root") is None else "rootless")


NOOP = "[controller_worker]\ncompute_driver = noop\nnetwork_driver = noop\namphora_driver = noop\n"


def with_stand_ins() -> Iterator[Stage]:
    """A stage whose daemon has stand-ins for all below the API."""
    yield from staged("root" if reason_against("root") is None else "rootless", config=NOOP)


def staged(kind: str, config: str | None = None) -> Iterator[Stage]:
    if why := reason_against(kind):
        pytest.skip(f"{kind}: {why}")
    made = Stage(kind)
    try:
        made.serve(config=config)
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def keystone_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A real Keystone and an API behind it, once for the whole session."""
    try:
        with cloud(tmp_path_factory.mktemp("cloud")) as made:
            yield made
    except NotInstalled as reason:
        pytest.skip(str(reason))
