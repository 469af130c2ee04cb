"""A hundred load balancers on one machine: is the hundredth as quick as the first, and what do they cost at rest?"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.harness import Backends, Probe, Result, create, deployment, populated, ready_network, say, vip, waited
from benchmarks.machine import amphorae, cpu, daemon, pss
from tools.stage import Stage, StageError

COUNT = 100
CLIENTS = 8
REST = 60


def run(quick: bool) -> list[Result]:
    """Made by one client, looked at, deleted; then made again by eight clients in parallel, and deleted."""
    count = 10 if quick else COUNT
    with deployment() as stage:
        ready_network(stage)
        backends = Backends(stage, 2)
        return [
            *made(stage, backends, count, clients=1),
            *at_rest(stage, count, seconds=10 if quick else REST),
            removed(stage, count),
            *made(stage, backends, count, clients=CLIENTS),
            removed(stage, count),
        ]


def made(stage: Stage, backends: Backends, count: int, *, clients: int) -> list[Result]:
    """Each client makes the next one when its last one answers."""
    began = time.monotonic()
    with ThreadPoolExecutor(clients) as threads:
        seconds = list(threads.map(lambda number: served(stage, backends, number), range(count)))
    total = time.monotonic() - began
    everything_settled(stage, count)
    settled = time.monotonic() - began
    say(f"{count} load balancers by {clients} clients after {total:.1f} s")
    return rows(seconds, total, settled, "by one client" if clients == 1 else f"by {clients} clients")


def rows(seconds: Sequence[float], total: float, settled: float, by: str) -> list[Result]:
    count, tenth = len(seconds), len(seconds) // 10
    most = 1.0 if by == "by one client" else None
    return [
        Result(what=f"{by}: POST to the first 200: the first", unit="s", samples=[seconds[0]], most=most),
        Result(what=f"{by}: POST to the first 200: number {count}", unit="s", samples=[seconds[-1]], most=most),
        Result(what=f"{by}: the first {tenth}", unit="s", samples=list(seconds[:tenth]), most=most),
        Result(what=f"{by}: the last {tenth}", unit="s", samples=list(seconds[-tenth:]), most=most),
        Result(what=f"{by}: all {count} of them", unit="s", samples=list(seconds), most=most),
        Result(what=f"{by}: until all {count} have answered", unit="s", samples=[total]),
        Result(what=f"{by}: until all {count} are ACTIVE", unit="s", samples=[settled]),
    ]


def served(stage: Stage, backends: Backends, number: int) -> float:
    address = vip(stage, number)
    probe = Probe(stage, address, pause=0.005)
    began = time.monotonic()
    create(stage, populated(stage, f"lb{number}", address, [backends.member(0), backends.member(1)]))
    seconds = probe.moment() - began
    if (number + 1) % 10 == 0:
        say(f"{number + 1}: {seconds:.3f} s")
    return seconds


def everything_settled(stage: Stage, count: int) -> None:
    path = "/v2/lbaas/loadbalancers?fields=id&provisioning_status=ACTIVE"
    waited(lambda: len(stage.call("GET", path)["loadbalancers"]) == count, f"{count} ACTIVE load balancers", 60)


def at_rest(stage: Stage, count: int, *, seconds: float) -> list[Result]:
    """What they cost while nobody asks anything of them; the members are checked every two seconds."""
    time.sleep(5)
    serving, amphora_pids = daemon(stage), [pid for of in amphorae().values() for pid in of.values()]
    if len(amphora_pids) != 3 * count:
        raise StageError(f"{count} amphorae should have three processes each, not {len(amphora_pids)} together")
    before = cpu(serving), sum(map(cpu, amphora_pids))
    time.sleep(seconds)
    after = cpu(serving), sum(map(cpu, amphora_pids))
    minute = [(now - then) / seconds * 60 for now, then in zip(after, before, strict=True)]
    sizes = [sum(map(pss, of.values())) for of in amphorae().values()]
    say(f"at rest, {seconds:g} s: {minute[0]:.1f} s of CPU a minute by serve, {minute[1]:.1f} by all amphorae")
    return [
        Result(what=f"at rest, {count}: CPU of `octavia serve` in a minute", unit="s", samples=[minute[0]]),
        Result(what=f"at rest, {count}: CPU of all amphorae in a minute", unit="s", samples=[minute[1]]),
        Result(what=f"at rest, {count}: PSS of each amphora", unit="MB", samples=sizes, most=40, aim=20),
        Result(what=f"at rest, {count}: PSS of all amphorae", unit="MB", samples=[sum(sizes)]),
        Result(what=f"at rest, {count}: PSS of `octavia serve`", unit="MB", samples=[pss(serving)]),
    ]


def removed(stage: Stage, count: int) -> Result:
    path = "/v2/lbaas/loadbalancers"
    began = time.monotonic()
    for lb in stage.call("GET", f"{path}?fields=id")["loadbalancers"]:
        stage.call("DELETE", f"{path}/{lb['id']}?cascade=true")
    waited(lambda: not stage.call("GET", f"{path}?fields=id")["loadbalancers"] and not amphorae(), path, 240)
    seconds = time.monotonic() - began
    say(f"{count} deleted after {seconds:.1f} s")
    return Result(what=f"{count} deleted, until nothing is left of them", unit="s", samples=[seconds])
