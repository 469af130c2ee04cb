"""Clients that go on until they are stopped, where the VIPs are: wrk, and one connection for each request."""

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from tools.stage import ROOT, Stage, StageError

STEADY = ROOT / "tests" / "e2e" / "traffic.py"
LONGEST = 600
"""Seconds after which a client ends by itself."""


class Wrk(Struct, kw_only=True):
    """What wrk says of a run."""

    requests: int
    rate: float
    p50: float
    """Milliseconds."""
    p99: float
    failed: int


class Steady(Struct, kw_only=True):
    """What a client that opens a connection for each request has seen."""

    requests: int
    failures: dict[str, int]
    longest_gap: float
    """Seconds between two good answers."""

    @property
    def failed(self) -> int:
        return sum(self.failures.values())


def wrk_command(url: str, *, connections: int, seconds: int, threads: int = 1, script: Path | None = None) -> list[str]:
    if shutil.which("wrk") is None:
        raise StageError("wrk is not installed: apt-get install wrk")
    more = [] if script is None else ["-s", str(script)]
    return ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--latency", *more, url]


def understood(output: str) -> Wrk:
    """Raises StageError for what is no report of wrk."""
    total = re.search(r"(\d+) requests in", output)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if total is None or rate is None:
        raise StageError(f"wrk failed: {output.strip()}")
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    failed = sum(map(int, errors.groups())) if errors else 0
    return Wrk(
        requests=int(total[1]),
        rate=float(rate[1]),
        p50=percentile(output, 50),
        p99=percentile(output, 99),
        failed=failed + (int(wrong[1]) if wrong else 0),
    )


def percentile(output: str, which: int) -> float:
    found = re.search(rf"{which}%\s+([\d.]+)(us|ms|s)", output)
    return float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000}[found[2]] if found else float("nan")


class Client:
    """A program that runs beside the benchmark; it ends with it, or after LONGEST at the latest."""

    def __init__(self, stage: Stage, argv: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            stage.inside(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=stage.marked,
            cwd=ROOT,
        )

    def said(self, *, interrupt: bool) -> str:
        """All that it printed; it has ended. Raises StageError."""
        if interrupt:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)
        try:
            return self._process.communicate(timeout=30)[0]
        except subprocess.TimeoutExpired:
            raise StageError("a client does not end") from None
        finally:
            self.close()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


class RunningWrk(Client):
    """wrk over connections that it keeps."""

    def __init__(self, stage: Stage, url: str, *, connections: int = 32, threads: int = 2) -> None:
        super().__init__(stage, wrk_command(url, connections=connections, threads=threads, seconds=LONGEST))

    def stop(self) -> Wrk:
        return understood(self.said(interrupt=True))


class RunningSteady(Client):
    """A request every 5 ms, each over a connection of its own, whether or not the ones before are answered."""

    def __init__(self, stage: Stage, address: str, *, port: int = 80, interval: float = 0.005) -> None:
        super().__init__(stage, [sys.executable, str(STEADY), address, str(port), str(interval), str(LONGEST)])
        assert self._process.stdout is not None
        if not self._process.stdout.readline().startswith("first"):
            self.close()
            raise StageError(f"nobody answers at {address}")

    def stop(self) -> Steady:
        found = json.loads(self.said(interrupt=False).splitlines()[-1])
        return Steady(requests=found["requests"], failures=found["failures"], longest_gap=found["longest_gap"])
