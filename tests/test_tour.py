"""The tour of `make demo`, from the first command to the last: it works, and nothing is left of it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.host import needs

ROOT = Path(__file__).parents[1]
# As root in namespaces of its own: the host may be in use.
APART = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-ec"]
INSIDE = 'mount -t tmpfs tmpfs /run; ip link set lo up; "$@"; ip -o link; ls /run'


def tour(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tools.demo"]
    return subprocess.run(
        [*APART, INSIDE, "sh", *command] if os.geteuid() == 0 else command,
        cwd=ROOT,
        env=os.environ | {"ONESHOT": "1", "DEMO_FOLDER": str(folder)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")
@pytest.mark.skipif(needs.probed().kind == "none", reason="no namespaces can be made here")
def test_the_tour_works_and_leaves_nothing(tmp_path: Path) -> None:
    done = tour(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "web1 10, web2 10" in done.stdout
    assert "FAILED" not in done.stdout
    assert {file.name for file in tmp_path.iterdir()} == {"demo.lock", "demo.log"}
    assert "octd" not in done.stdout.partition("Nothing is left")[2]
    assert "octb" not in done.stdout.partition("Nothing is left")[2]
