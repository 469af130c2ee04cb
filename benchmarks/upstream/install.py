"""OpenStack Octavia from PyPI, in a virtual environment of its own: its package is called `octavia`, as ours is."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.harness import say
from tools.stage import ROOT, StageError

FOLDER = ROOT / ".cache" / "upstream-octavia"
PINS = Path(__file__).with_name("constraints.txt")
PACKAGES = ("octavia", "gunicorn", "PyMySQL")
LONGEST = 900
"""Seconds that the installation may take."""


def ensure() -> Path:
    """The folder of its programs; it is there and complete. Raises StageError."""
    FOLDER.parent.mkdir(exist_ok=True)
    with FOLDER.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete():
            make()
    return FOLDER / "bin"


def complete() -> bool:
    stamped = FOLDER / ".complete"
    return stamped.exists() and stamped.read_text() == stamp()


def stamp() -> str:
    """Another Python, other versions, a folder that was moved: each makes another one."""
    parts = (sys.version, sys.base_prefix, str(FOLDER), PINS.read_text())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def make() -> None:
    pinned = next(line for line in PINS.read_text().splitlines() if line.startswith("octavia=="))
    say(f"installing {pinned} from PyPI into {FOLDER.relative_to(ROOT)} (a minute or two, once)")
    shutil.rmtree(FOLDER, ignore_errors=True)
    run(sys.executable, "-m", "venv", str(FOLDER))
    pip = (str(FOLDER / "bin" / "pip"), "install", "-qq", "--disable-pip-version-check", "-c", str(PINS))
    run(*pip, *PACKAGES)
    (FOLDER / ".complete").write_text(stamp())
    say("it is installed")


def run(*argv: str) -> None:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, env=alone(), timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired:
        raise StageError(f"{argv[0]} took longer than {LONGEST} s") from None
    if done.returncode:
        raise StageError(f"{' '.join(argv)} failed: {done.stderr.strip()[-600:]}")


def alone() -> dict[str, str]:
    """An environment in which nobody finds our package instead of theirs."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
