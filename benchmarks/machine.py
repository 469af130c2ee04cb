"""The machine that figures were measured on, and what its processes cost."""

import os
import platform
import re
import subprocess
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from octavia.drivers.compute.onhost import MARK
from tools.stage import ROOT, Stage, StageError, processes, read_proc

PSS = re.compile(rb"^Pss:\s+(\d+) kB", re.MULTILINE)
AMPHORA = re.compile(rb"(?:^|\0)" + MARK.encode() + rb"=([^\0]+)")
TICKS = os.sysconf("SC_CLK_TCK")


def machine() -> dict[str, Any]:
    """What a reader needs in order to compare figures."""
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "haproxy": first_line("haproxy", "-v").removeprefix("HAProxy version ").split(" ")[0],
        "commit": first_line("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "root": os.geteuid() == 0,
        "load_average": os.getloadavg()[0],
        "busy_percent": busy(),
    }


def introduction(of: dict[str, Any]) -> str:
    return (
        f"{of['cores']} cores, {of['system']}, Linux {of['kernel']}, HAProxy {of['haproxy']}, commit {of['commit']}; "
        f"load average {of['load_average']:.2f}, {of['busy_percent']:.0f} % of the processors are busy before it begins"
    )


def first_line(*argv: str) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return (done.stdout.splitlines() or ["unknown"])[0]


def busy() -> float:
    """How much of all processors others use, in percent, over a second."""
    before = times()
    time.sleep(1)
    spent = [now - then for now, then in zip(times(), before, strict=True)]
    # user nice system idle iowait ...
    return round(100 * (1 - (spent[3] + spent[4]) / max(1, sum(spent))), 1)


def times() -> list[int]:
    return [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]


def pss(pid: int) -> float:
    """Megabytes of this process: what is its own, and its part of what it shares. 0 when it is gone."""
    size = PSS.search(read_proc(pid, "smaps_rollup"))
    return int(size[1]) * 1024 / 1e6 if size else 0.0


def cpu(pid: int) -> float:
    """Seconds of processor time that the process has used."""
    fields = read_proc(pid, "stat").rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS if len(fields) > 12 else 0.0


def daemon(stage: Stage) -> int:
    """The process id of `octavia serve`. Raises StageError."""
    for pid in processes():
        words = read_proc(pid, "cmdline").split(b"\0")
        if b"serve" in words and os.fsencode(stage.state) in words:
            return pid
    raise StageError("octavia serve does not run")


def amphorae() -> dict[str, dict[str, int]]:
    """The process ids of each amphora: of `agent`, `master` and `worker`, as far as they run."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for pid in processes():
        mark = AMPHORA.search(read_proc(pid, "environ"))
        if mark:
            found[mark[1].decode()][role(pid)] = pid
    return dict(found)


def role(pid: int) -> str:
    if read_proc(pid, "comm") != b"haproxy\n":
        return "agent"
    fields = read_proc(pid, "stat").rpartition(b")")[2].split()
    parent = int(fields[1]) if len(fields) > 1 else 0
    return "worker" if read_proc(parent, "comm") == b"haproxy\n" else "master"
