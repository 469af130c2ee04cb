"""What tests need of the machine: marks that skip with the reason, and waits that end when something is true."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from octavia.host import privileges

ROOT = Path(__file__).parents[2]
NOBODY = 65534


@cache
def probed() -> privileges.Privileges:
    return privileges.probe()


namespaces = pytest.mark.skipif(
    probed().kind != "root", reason="network namespaces cannot be made here: " + " ".join(probed().reasons)
)


def until(true: Callable[[], object], seconds: float = 5.0) -> None:
    """Returns as soon as it is true; for what the kernel or another process does, and tells nobody."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not true():
        assert time.monotonic() < deadline, f"not true within {seconds} s"
        pause.wait(0.003)


@cache
def why_not_unprivileged() -> str | None:
    """Why no test can be run as an unprivileged user; None where it can."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        return "setpriv is not installed"
    done = run_unprivileged("import msgspec, octavia.host.holder, octavia.host.privileges as p; print(p.probe().kind)")
    if done.returncode != 0:
        return f"an unprivileged user cannot run this code: {(done.stderr.strip().splitlines() or ['?'])[-1]}"
    return None if done.stdout.strip() == "user-namespaces" else f"user namespaces: {done.stdout.strip()}"


def run_unprivileged(script: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """The script, run by somebody who is not root, from a folder that everybody can reach."""
    environment = environment_of_others() | variables
    return subprocess.run(
        unprivileged_argv(script), env=environment, cwd="/", capture_output=True, text=True, timeout=60, check=False
    )


def unprivileged_argv(script: str) -> list[str]:
    if os.geteuid() != 0:
        return [sys.executable, "-W", "error", "-c", script]
    # The home of root is closed to others, and an interpreter may live in it.
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    python = shutil.which(f"python{version}", path="/usr/bin:/usr/local/bin") or sys.executable
    become = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    return [*become, python, "-W", "error", "-c", script]


def environment_of_others() -> dict[str, str]:
    paths = [str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))]
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@contextmanager
def folder_of_others() -> Iterator[Path]:
    """A folder in which the unprivileged user can write, wherever pytest's own folders are."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="octavia-test-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        yield folder


unprivileged = pytest.mark.skipif(why_not_unprivileged() is not None, reason=str(why_not_unprivileged()))
