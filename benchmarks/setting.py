"""What benchmarks share: a stage that is always cleared, members, probes, load balancers, and what processes cost."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.e2e.stage import Stage, command_of, descendants, python

HERE = Path(__file__).parent
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
FIRST_PORT = 9001
TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def staged(kind: str = "root", config: str | None = None) -> Iterator[Stage]:
    """`octavia serve` runs; afterwards nothing is left of it, however this ends."""
    stage = Stage(kind)
    try:
        stage.serve(config=config)
        yield stage
    finally:
        before = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS}
        try:
            stage.close()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Members:
    """Web servers on ports from FIRST_PORT on, all of one host of the demo network."""

    def __init__(self, stage: Stage, count: int) -> None:
        self.address, _ = stage.host(1)
        last = FIRST_PORT + count - 1
        argv = [python(stage.kind), str(HERE / "web.py"), self.address, str(FIRST_PORT), str(last)]
        self._child = stage.spawn(["nsenter", "--net=/run/netns/host1", *argv])
        assert self._read() == ["ready"]

    def _read(self) -> list[str]:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        assert line, "the web servers have ended"
        return line.split()

    def first(self, port: int) -> float:
        """When it answered for the first time, as soon as it has."""
        while True:
            word, of, when = self._read()
            if word == "first" and int(of) == port:
                return float(when)

    def last(self, port: int) -> float:
        """When it answered last."""
        assert self._child.stdin is not None
        self._child.stdin.write(f"{port}\n")
        self._child.stdin.flush()
        while True:
            word, of, when = self._read()
            if word == "last" and int(of) == port:
                return float(when)


class Probe:
    """A client that waits for VIPs to answer, one after the other."""

    def __init__(self, stage: Stage, pause: float = 0.002) -> None:
        self._child = stage.spawn([python(stage.kind), str(HERE / "probe.py"), str(pause)])
        assert self._child.stdout is not None
        assert self._child.stdout.readline() == "ready\n"

    def first(self, address: str, port: int = 80, limit: float = 30) -> float:
        """The monotonic time of the first 200 from now on."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(f"{address} {port} {limit}\n")
        self._child.stdin.flush()
        said = self._child.stdout.readline().strip()
        assert said not in ("", "never"), f"no answer from {address} within {limit:g} s"
        return float(said)


def wanted(subnet: str, address: str, *ports: int) -> dict[str, Any]:
    """The body of a fully populated create: a listener, a pool, a member for each port."""
    members = [{"address": address, "protocol_port": port} for port in ports]
    pool = {"name": "pool", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", "members": members}
    listener = {"protocol": "HTTP", "protocol_port": 80, "default_pool": pool}
    return {"loadbalancer": {"name": "lb", "vip_subnet_id": subnet, "listeners": [listener]}}


def create(stage: Stage, body: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """When the POST was sent, and what it answered."""
    began = time.monotonic()
    return began, stage.call("POST", "/loadbalancers", body, status=201)["loadbalancer"]


def active(stage: Stage, load_balancer_id: str, pause: float = 0.005, limit: float = 60) -> float:
    """When the load balancer was seen to be ACTIVE."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        found = stage.call("GET", f"/loadbalancers/{load_balancer_id}")["loadbalancer"]
        if found["provisioning_status"] == "ACTIVE":
            return time.monotonic()
        time.sleep(pause)
    raise AssertionError(f"load balancer {load_balancer_id} is not ACTIVE after {limit:g} s; {stage.said()}")


def ask_to_delete(stage: Stage, load_balancer_id: str) -> None:
    stage.call("DELETE", f"/loadbalancers/{load_balancer_id}?cascade=true", status=204)


def gone(stage: Stage, limit: float = 120) -> float:
    """When the last load balancer, and the last amphora, was seen to be gone."""
    deadline = time.monotonic() + limit
    while stage.amphorae() or stage.call("GET", "/loadbalancers?fields=id")["loadbalancers"]:
        assert time.monotonic() < deadline, f"not everything is gone after {limit:g} s; {stage.said()}"
        time.sleep(0.02)
    return time.monotonic()


def pss(pid: int) -> float:
    """MB of memory that are this process's, with its share of what it shares."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"process {pid} has no PSS")


def cpu(pid: int) -> float:
    """Seconds of CPU that the process has used."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS


def serving(stage: Stage) -> int:
    """The process id of `octavia serve`: it may stand below those that made its surroundings."""
    assert stage.serving is not None
    for pid in [*reversed(descendants(stage.serving.pid)), stage.serving.pid]:
        if " serve " in command_of(pid):
            return pid
    raise AssertionError("octavia serve does not run")


class Wrk:
    """Load by wrk until it is stopped."""

    def __init__(
        self,
        stage: Stage,
        url: str,
        *,
        threads: int = 2,
        connections: int = 32,
        limit: int = 300,
        headers: tuple[str, ...] = (),
        near_api: bool = False,
    ) -> None:
        argv = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{limit}s", "-s", str(HERE / "wrk.lua")]
        argv += [word for header in headers for word in ("-H", header)]
        reach = stage.as_user if near_api else stage.reach
        self._limit = limit
        self._child = subprocess.Popen(
            reach([*argv, url]), env=stage.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        stage.children.append(self._child)

    def stop(self) -> dict[str, float]:
        """What it has seen; times in ms."""
        with suppress(ProcessLookupError):
            self._child.send_signal(signal.SIGINT)
        return self.wait(30)

    def wait(self, seconds: float | None = None) -> dict[str, float]:
        said, complaint = self._child.communicate(timeout=seconds or self._limit + 30)
        assert self._child.returncode == 0, complaint
        found: dict[str, float] = json.loads(said.splitlines()[-1])
        return found


def failed(seen: dict[str, float]) -> float:
    """The requests that went wrong, of what wrk has seen."""
    return sum(seen[what] for what in ("connect", "read", "write", "status", "timeout"))
