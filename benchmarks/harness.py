"""What all benchmarks share: a deployment of their own, backends, samples and how they are shown."""

import ipaddress
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

import msgspec
from msgspec import Struct

from octavia.host.links import bridge_name
from tools.stage import ROOT, WEB_PORT, Stage, StageError

RESULTS = ROOT / "benchmarks" / "results"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)


class Result(Struct, kw_only=True):
    """One row of a table."""

    what: str
    unit: str
    samples: list[float]
    most: float | None = None
    """What is claimed: the median is at most this."""
    aim: float | None = None
    times: float | None = None
    """How many times as good as what it is compared with."""

    def row(self) -> dict[str, Any]:
        low, middle, high = spread(self.samples)
        return {
            "what": self.what,
            "unit": self.unit,
            "median": middle,
            "p10": low,
            "p90": high,
            "worst": max(self.samples),
            "n": len(self.samples),
            "at_most": self.most,
            "aim": self.aim,
            "times": self.times,
        }


Benchmark = Callable[[bool], list[Result]]
"""Takes whether it is to be quick."""


def spread(samples: Sequence[float]) -> tuple[float, float, float]:
    """The tenth, fiftieth and ninetieth percentile."""
    if len(samples) == 1:
        return samples[0], samples[0], samples[0]
    cuts = quantiles(samples, n=10, method="inclusive")
    return cuts[0], cuts[4], cuts[8]


def say(text: str) -> None:
    print(f"    {text}", flush=True)


def table(rows: Sequence[dict[str, Any]]) -> str:
    names = "".join(f"{name:>9}" for name in ("median", "p10", "p90", "worst"))
    head = f"    {'':<58}{names}{'n':>5}  {'unit':<5}{'at most':>8}{'aim':>6}{'times':>8}"
    lines = [head]
    for row in rows:
        numbers = "".join(f"{number(row[name]):>9}" for name in ("median", "p10", "p90", "worst"))
        most, aim = ("" if row[name] is None else format(row[name], "g") for name in ("at_most", "aim"))
        missed = "  MISSED" if row["at_most"] is not None and row["median"] > row["at_most"] else ""
        times = "" if row["times"] is None else f"{row['times']:.1f}"
        lines.append(
            f"    {row['what']:<58}{numbers}{row['n']:>5}  {row['unit']:<5}{most:>8}{aim:>6}{times:>8}{missed}"
        )
    return "\n".join(lines)


def number(value: float) -> str:
    """Three digits that matter, and no exponent."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def keep(name: str, rows: Sequence[dict[str, Any]], machine: dict[str, Any]) -> Path:
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"{name}.json"
    file.write_text(json.dumps({"name": name, "machine": machine, "results": rows}, indent=2) + "\n")
    return file


@contextmanager
def deployment(config: str = "") -> Iterator[Stage]:
    """An `octavia serve` with an empty state folder; nothing is left of it, but its log when something failed."""
    parent = ROOT / ".state"
    parent.mkdir(exist_ok=True)
    log = parent / "benchmarks.log"
    stage = Stage(Path(tempfile.mkdtemp(prefix="bench-", dir=parent)), log)
    try:
        stage.start(config=config)
        yield stage
    except Exception:
        stage.keep_agents_logs()
        raise
    finally:
        with undisturbed():
            stage.clear()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Nobody can interrupt what is done here."""
    before = {which: signal.signal(which, signal.SIG_IGN) for which in SIGNALS}
    try:
        yield
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)


class Backends:
    """One very fast web server with many addresses, each of which answers with its own name."""

    def __init__(self, stage: Stage, count: int) -> None:
        subnet = stage.subnet()
        cidr = ipaddress.ip_network(subnet["cidr"])
        self.addresses = [str(cidr[-2 - number]) for number in range(count)]
        bridge, name = bridge_name(subnet["network_id"]), f"{stage.prefix}b"
        argv = [sys.executable, "-m", "benchmarks.backend", bridge, name, str(cidr.prefixlen), *self.addresses]
        subprocess.run(stage.inside(argv), env=stage.marked, cwd=ROOT, check=True)

    def member(self, number: int) -> dict[str, Any]:
        return {"address": self.addresses[number], "protocol_port": WEB_PORT}

    def name(self, number: int) -> str:
        return self.addresses[number]


class Probe:
    """Asks one address, with these pauses, until the right one answers."""

    def __init__(self, stage: Stage, address: str, wanted: str = "", pause: float = 0.001) -> None:
        argv = [sys.executable, str(ROOT / "benchmarks" / "probe.py"), address, "80", wanted, str(pause)]
        self._process = subprocess.Popen(stage.inside(argv), stdout=subprocess.PIPE, text=True, env=stage.marked)
        if self._line() != "started":
            raise StageError("the probe did not start")

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def moment(self) -> float:
        """When the right one answered first, in monotonic seconds. Raises StageError."""
        try:
            answered = float(self._line() or "nan")
            if answered != answered:
                raise StageError("the right answer never came")
            return answered
        finally:
            self.close()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def ready_network(stage: Stage) -> None:
    """The bridge of the demo network is there: the first address that is taken in it makes it."""
    made = create(stage, {"name": "first", "vip_subnet_id": stage.subnet()["id"]})
    settled(stage, made["id"])
    remove(stage, made["id"])


def create(stage: Stage, body: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = stage.call("POST", "/v2/lbaas/loadbalancers", {"loadbalancer": body})["loadbalancer"]
    return made


def populated(stage: Stage, name: str, address: str, members: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A load balancer with a listener, a pool, a health monitor and these members, in one request."""
    monitor = {"type": "HTTP", "delay": 2, "timeout": 1, "max_retries": 2}
    pool = {"name": "all", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", "members": list(members)}
    listener = {"protocol": "HTTP", "protocol_port": 80, "default_pool": pool | {"healthmonitor": monitor}}
    return {"name": name, "vip_subnet_id": stage.subnet()["id"], "vip_address": address, "listeners": [listener]}


def settled(stage: Stage, identifier: str, seconds: float = 60) -> None:
    """The load balancer is ACTIVE. Raises StageError."""
    path = f"/v2/lbaas/loadbalancers/{identifier}"
    waited(lambda: stage.call("GET", path)["loadbalancer"]["provisioning_status"] == "ACTIVE", path, seconds)


def remove(stage: Stage, identifier: str, seconds: float = 60) -> float:
    """Nothing is left of the load balancer. Returns the seconds that it took."""
    path = f"/v2/lbaas/loadbalancers/{identifier}"
    began = time.monotonic()
    stage.call("DELETE", path + "?cascade=true")
    waited(lambda: not stage.exists(path), path, seconds)
    return time.monotonic() - began


def waited(true: Callable[[], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise StageError(f"{what} was not as awaited within {seconds:g} s")
        time.sleep(0.01)


def vip(stage: Stage, number: int) -> str:
    """An address for a VIP, out of the way of those that are given out by themselves."""
    return str(ipaddress.ip_network(stage.subnet()["cidr"])[1024 + number])


def dumped(value: Any) -> str:
    return msgspec.json.encode(value).decode()
