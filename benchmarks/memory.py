"""The proportional share of memory: of an amphora, by process, and of `octavia serve`."""

import subprocess
import time

from benchmarks.harness import Backends, Probe, Result, create, deployment, populated, ready_network, say, settled, vip
from benchmarks.load import understood, wrk_command
from benchmarks.machine import amphorae, daemon, pss
from tools.stage import ROOT, Stage

ROLES = ("agent", "master", "worker")
MANY = 10


def run(quick: bool) -> list[Result]:
    """One amphora alone first, at rest and after as much traffic as wrk can make; then as one of ten."""
    with deployment() as stage:
        ready_network(stage)
        backends = Backends(stage, 2)
        start(stage, backends, 0)
        time.sleep(3)
        rest, serving = sizes(), pss(daemon(stage))
        traffic(stage, vip(stage, 0), 3 if quick else 20)
        used = sizes()
        for number in range(1, 3 if quick else MANY):
            start(stage, backends, number)
        time.sleep(5)
        many, serving_many = sizes(), pss(daemon(stage))
    return [
        *rows("an amphora alone, at rest", rest),
        *rows("the same after traffic from 256 connections", used),
        *rows(f"each of {len(many)} amphorae, at rest but for one", many),
        Result(what="`octavia serve`, one load balancer", unit="MB", samples=[serving]),
        Result(what=f"`octavia serve`, {len(many)} load balancers", unit="MB", samples=[serving_many]),
    ]


def start(stage: Stage, backends: Backends, number: int) -> None:
    address = vip(stage, number)
    probe = Probe(stage, address)
    made = create(stage, populated(stage, f"lb{number}", address, [backends.member(0), backends.member(1)]))
    probe.moment()
    settled(stage, made["id"])


def traffic(stage: Stage, address: str, seconds: int) -> None:
    command = stage.inside(wrk_command(f"http://{address}/", connections=256, seconds=seconds))
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=seconds + 30)
    seen = understood(done.stdout)
    say(f"traffic: {seen.rate:.0f} requests per second")


def sizes() -> list[dict[str, float]]:
    """For each amphora, megabytes by role."""
    return [{role: pss(pid) for role, pid in amphora.items()} for amphora in amphorae().values()]


def rows(what: str, found: list[dict[str, float]]) -> list[Result]:
    totals = [sum(amphora.values()) for amphora in found]
    return [
        Result(what=f"PSS of {what}", unit="MB", samples=totals, most=40, aim=20),
        *(Result(what=f"  {role}", unit="MB", samples=[of.get(role, 0) for of in found]) for role in ROLES),
    ]
