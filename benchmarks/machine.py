"""The machine that figures were measured on."""

import os
import platform
import subprocess
import time
from pathlib import Path

from msgspec import Struct

from tests.e2e.stage import ROOT


class Machine(Struct, frozen=True, kw_only=True):
    """What a reader needs in order to compare figures."""

    cores: int
    memory_gb: float
    system: str
    kernel: str
    python: str
    haproxy: str
    load_average: float
    """Of the last minute, when the benchmarks began."""
    busy_percent: float
    """Of all cores, by others, in the second before they began."""
    commit: str
    user: str


def facts() -> Machine:
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        system=platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
        kernel=platform.release(),
        python=platform.python_version(),
        haproxy=first_line("haproxy", "-v").removeprefix("HAProxy version ").split(" ")[0],
        load_average=os.getloadavg()[0],
        busy_percent=busy(),
        commit=first_line("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        user="root" if os.geteuid() == 0 else "unprivileged",
    )


def first_line(*argv: str) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return (done.stdout.splitlines() or ["unknown"])[0]


def busy() -> float:
    before = times()
    time.sleep(1)
    spent = [now - then for now, then in zip(times(), before, strict=True)]
    # user nice system idle iowait ...
    return round(100 * (1 - (spent[3] + spent[4]) / max(1, sum(spent))), 1)


def times() -> list[int]:
    return [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
