"""Whatever is killed with SIGKILL comes back: how long clients notice, and how many requests fail."""

import os
import signal
import time
from collections.abc import Callable

from benchmarks.harness import (
    Backends,
    Result,
    create,
    deployment,
    populated,
    ready_network,
    say,
    settled,
    vip,
    waited,
)
from benchmarks.load import RunningSteady, Steady
from benchmarks.machine import amphorae, daemon
from tools.stage import Stage

CALM = 1.5
"""Seconds before and after: an agent that lived for less is not started anew at once."""
KINDS = {
    "nothing at all, for comparison": (),
    "HAProxy's worker": ("worker",),
    "HAProxy's master": ("master",),
    "HAProxy's master and worker": ("master", "worker"),
    "the agent": ("agent",),
    "the agent and HAProxy": ("agent", "master", "worker"),
}
MAY = {"HAProxy's worker": 200, "HAProxy's master": 200, "HAProxy's master and worker": 200}
UNNOTICED = ("the agent",)


def run(quick: bool) -> list[Result]:
    """A client sends a request every 5 ms, each over a connection of its own."""
    rounds = 2 if quick else 7
    results: list[Result] = []
    with deployment() as stage:
        ready_network(stage)
        backends = Backends(stage, 1)
        address = vip(stage, 0)
        made = create(stage, populated(stage, "lb", address, [backends.member(0)]))
        settled(stage, made["id"])
        for what, names in KINDS.items():
            seen = [watched(stage, address, lambda names=names: strike(names)) for _ in range(rounds)]  # type: ignore[misc]
            results += rows(what, seen, MAY.get(what), unharmed=what in UNNOTICED)
        seen = [watched(stage, address, lambda: restart(stage)) for _ in range(rounds)]
        results += rows("`octavia serve`, and started again", seen, None, unharmed=True)
    return results


def watched(stage: Stage, address: str, act: Callable[[], None]) -> Steady:
    client = RunningSteady(stage, address)
    try:
        time.sleep(CALM / 2)
        act()
        time.sleep(CALM)
        return client.stop()
    finally:
        client.close()


def strike(names: tuple[str, ...]) -> None:
    """These are killed, and others are in their places."""
    before = only()
    for name in names:
        os.kill(before[name], signal.SIGKILL)

    def back() -> bool:
        now = only()
        return all(now.get(name) not in (None, before[name]) for name in names) and len(now) == len(before)

    waited(back, f"something in the place of {', '.join(names)}", 30)


def only() -> dict[str, int]:
    """The process ids of the one amphora that there is."""
    return next(iter(amphorae().values()), {})


def restart(stage: Stage) -> None:
    os.kill(daemon(stage), signal.SIGKILL)
    time.sleep(0.5)
    stage.stop()
    stage.start()


def rows(what: str, seen: list[Steady], most: float | None, *, unharmed: bool) -> list[Result]:
    reasons = sorted({reason for one in seen for reason in one.failures})
    gaps = [one.longest_gap * 1000 for one in seen]
    say(f"{what}: longest gaps {', '.join(f'{gap:.0f}' for gap in gaps)} ms; {reasons or 'nothing failed'}")
    failed = [float(one.failed) for one in seen]
    if unharmed:
        failed = [sum(failed)]
    return [
        Result(what=f"killed: {what}: longest gap", unit="ms", samples=gaps, most=most),
        Result(
            what=f"  failed requests{f', in all {len(seen)} times' if unharmed else ''}",
            unit="",
            samples=failed,
            most=0 if unharmed else None,
        ),
    ]
