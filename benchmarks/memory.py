"""The proportional share of memory of an amphora: its agent and its HAProxy."""

import re
import time
from collections import defaultdict

from benchmarks.harness import Backends, Probe, Result, create, deployment, populated, ready_network, say, vip
from octavia.drivers.compute.onhost import MARK
from tools.stage import processes, read_proc

PSS = re.compile(rb"^Pss:\s+(\d+) kB", re.MULTILINE)


def run(quick: bool) -> list[Result]:
    alone: list[dict[str, float]] = []
    with deployment() as stage:
        ready_network(stage)
        backends = Backends(stage, 2)
        for number in range(3 if quick else 10):
            address = vip(stage, number)
            probe = Probe(stage, address)
            create(stage, populated(stage, f"lb{number}", address, [backends.member(0), backends.member(1)]))
            probe.moment()
            if number == 0:
                time.sleep(3)
                alone = sizes()
        time.sleep(5)
        many = sizes()
    say(f"{len(many)} amphorae")
    return [
        *rows("an amphora that is alone", alone),
        *rows(f"each of {len(many)} amphorae", many, most=40, aim=20),
    ]


def rows(what: str, found: list[dict[str, float]], most: float | None = None, aim: float | None = None) -> list[Result]:
    totals = [sum(amphora.values()) for amphora in found]
    parts = sorted({name for amphora in found for name in amphora})
    return [
        Result(what=f"PSS of {what}", unit="MB", samples=totals, most=most, aim=aim),
        *(Result(what=f"  {name}", unit="MB", samples=[a.get(name, 0) for a in found]) for name in parts),
    ]


def sizes() -> list[dict[str, float]]:
    """For each amphora, megabytes by program."""
    found: dict[bytes, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for pid in processes():
        mark = re.search(rb"(?:^|\0)" + MARK.encode() + rb"=([^\0]+)", read_proc(pid, "environ"))
        size = PSS.search(read_proc(pid, "smaps_rollup"))
        if mark and size:
            name = read_proc(pid, "comm").decode().strip()
            found[mark[1]]["HAProxy" if name == "haproxy" else "agent"] += int(size[1]) / 1000
    return [dict(amphora) for amphora in found.values()]
