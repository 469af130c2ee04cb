"""What the whole suite goes by: how Hypothesis works, and where temporary files are."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.databases import Fleet

# No deadlines, because the kernel's namespaces and processes keep none.
settings.register_profile("local", deadline=None, print_blob=True)
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

PREFIX = "octavia-tests-"
# Hundreds of databases, each synchronised with every commit.
MEMORY = Path("/dev/shm")
FOLDER = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """All temporary files of the suite are in one folder, which goes with it; so do those of suites that were killed.

    SIGTERM ends the suite as Ctrl-C does: with everything removed.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    where = MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    for old in where.glob(PREFIX + "*"):
        if not Path(f"/proc/{old.name.removeprefix(PREFIX)}").exists():
            shutil.rmtree(old, ignore_errors=True)
    folder = config.stash[FOLDER] = where / f"{PREFIX}{os.getpid()}"
    folder.mkdir()
    # Other users' processes are part of some tests.
    folder.chmod(0o755)
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[FOLDER], ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests have measured, and print as a line that begins with `figure:`, is shown at the end."""
    said = (report.capstdout for report in terminalreporter.getreports("passed"))
    figures = [line for text in said for line in text.splitlines() if line.startswith("figure: ")]
    if figures:
        terminalreporter.section("figures of this run, on a machine that was busy with it")
        for line in figures:
            terminalreporter.write_line(line.removeprefix("figure: "))


@pytest.fixture(scope="session")
def fleet() -> Iterator[Fleet]:
    """MariaDB for the whole run; it is not started before somebody needs it."""
    made = Fleet()
    yield made
    made.stop()
