"""One kind of request by some clients for some seconds, from a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from statistics import quantiles

from msgspec import Struct

from tools.stage import StageError

GENERATOR = Path(__file__).with_name("generator.py")
LONGEST = 300


class Cell(Struct, frozen=True, kw_only=True):
    """What is measured: a request, and how many clients ask it at once."""

    what: str
    path: str
    clients: int
    method: str = "GET"
    wanted: int = 200
    body: str = ""
    items: tuple[str, int] | None = None
    """The name of a list in the answer, and how many it must hold."""


class Seen(Struct, frozen=True, kw_only=True):
    """What the clients have seen."""

    rate: float
    """Requests per second."""
    p50: float
    """Milliseconds."""
    p99: float
    count: int
    failed: int
    sizes: tuple[int, int]
    """The smallest and the largest body in bytes."""


def measured(port: int, cell: Cell, *, seconds: float = 0, count: int = 0) -> Seen:
    """Until the seconds or the requests are over, whichever is given. Raises StageError."""
    job = {"host": "127.0.0.1", "port": port, "method": cell.method, "path": cell.path, "body": cell.body}
    job |= {"clients": cell.clients, "wanted": cell.wanted, "seconds": seconds, "count": count}
    argv = [sys.executable, "-I", "-S", str(GENERATOR), json.dumps(job)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LONGEST, check=False)
    if done.returncode:
        raise StageError(f"{cell.what}: the clients failed: {done.stderr.strip()[-600:]}")
    return understood(cell, json.loads(done.stdout))


def understood(cell: Cell, outcome: dict[str, object]) -> Seen:
    latencies, seconds, sizes = outcome["latencies"], outcome["seconds"], outcome["sizes"]
    assert isinstance(latencies, list)
    assert isinstance(seconds, float)
    assert isinstance(sizes, list)
    assert isinstance(outcome["failed"], int)
    if not latencies:
        raise StageError(f"{cell.what}: nobody answered")
    cuts = quantiles(latencies * (2 if len(latencies) == 1 else 1), n=100, method="inclusive")
    return Seen(
        rate=len(latencies) / seconds,
        p50=cuts[49],
        p99=cuts[98],
        count=len(latencies),
        failed=outcome["failed"],
        sizes=(sizes[0], sizes[1]),
    )
