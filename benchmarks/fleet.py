"""A hundred load balancers on one machine: is the hundredth as quick as the first, and what do they cost at rest?"""

import os
import time

from benchmarks.harness import (
    Backends,
    Probe,
    Result,
    create,
    deployment,
    populated,
    ready_network,
    say,
    vip,
    waited,
)
from tools.stage import Stage, processes, read_proc

REST = 10.0


def run(quick: bool) -> list[Result]:
    count = 10 if quick else 100
    with deployment() as stage:
        ready_network(stage)
        backends = Backends(stage, 2)
        began = time.monotonic()
        creating = [served(stage, backends, number) for number in range(count)]
        total = time.monotonic() - began
        say(f"{count} load balancers after {total:.1f} s; now at rest")
        time.sleep(3)
        resting = cpu()
        time.sleep(REST)
        resting = (cpu() - resting) / REST * 100
        removing = removed(stage)
    tenth = count // 10
    return [
        Result(what="POST to the first 200: the first", unit="s", samples=creating[:1], most=1.0),
        Result(what=f"POST to the first 200: number {count}", unit="s", samples=creating[-1:], most=1.0),
        Result(what=f"POST to the first 200: the first {tenth}", unit="s", samples=creating[:tenth], most=1.0),
        Result(what=f"POST to the first 200: the last {tenth}", unit="s", samples=creating[-tenth:], most=1.0),
        Result(what=f"POST to the first 200: all {count}", unit="s", samples=creating, most=1.0),
        Result(what=f"{count} load balancers one after the other, in all", unit="s", samples=[total]),
        Result(what=f"CPU of {count} load balancers at rest, of one core", unit="%", samples=[resting]),
        Result(what=f"{count} load balancers deleted at once, until all are gone", unit="s", samples=[removing]),
    ]


def served(stage: Stage, backends: Backends, number: int) -> float:
    address = vip(stage, number)
    probe = Probe(stage, address)
    began = time.monotonic()
    create(stage, populated(stage, f"lb{number}", address, [backends.member(0), backends.member(1)]))
    seconds = probe.moment() - began
    if (number + 1) % 10 == 0:
        say(f"{number + 1}: {seconds:.3f} s")
    return seconds


def cpu() -> float:
    """Seconds of processor time that everything has used, but for ourselves."""
    ticks = 0
    for pid in processes():
        fields = read_proc(pid, "stat").rpartition(b")")[2].split()
        ticks += int(fields[11]) + int(fields[12]) if len(fields) > 12 else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def removed(stage: Stage) -> float:
    path = "/v2/lbaas/loadbalancers"
    began = time.monotonic()
    for lb in stage.call("GET", path)["loadbalancers"]:
        stage.call("DELETE", f"{path}/{lb['id']}?cascade=true")
    waited(lambda: not stage.call("GET", path)["loadbalancers"], path, 120)
    return time.monotonic() - began
