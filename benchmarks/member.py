"""A member added, and removed, under load: until it takes effect, and how many requests fail meanwhile."""

import time
from typing import Any

from benchmarks.harness import (
    Backends,
    Probe,
    Result,
    create,
    deployment,
    populated,
    ready_network,
    say,
    settled,
    vip,
)
from benchmarks.load import RunningSteady, RunningWrk
from tools.stage import Stage

CONNECTIONS = 32


def run(quick: bool) -> list[Result]:
    """Two clients at once: wrk, which saturates the machine over connections that it keeps, and one that opens a
    connection for each request. Before that, the second one alone.
    """
    rounds = 5 if quick else 20
    with deployment() as stage:
        ready_network(stage)
        edits = Edits(stage, rounds)
        light = RunningSteady(stage, edits.address)
        calm = [edits.round() for _ in range(rounds)]
        alone = light.stop()
        wrk, other = (
            RunningWrk(stage, f"http://{edits.address}/", connections=CONNECTIONS),
            RunningSteady(stage, edits.address),
        )
        time.sleep(1)
        loaded = [edits.round() for _ in range(rounds)]
        second, seen = other.stop(), wrk.stop()
    return [
        Result(what="POST of a member to its first answer, under wrk", unit="ms", samples=loaded, most=100, aim=20),
        Result(what="  wrk: requests per second", unit="1/s", samples=[seen.rate]),
        Result(what="  wrk: failed requests", unit="", samples=[seen.failed], most=0),
        Result(what="  a connection for each: failed requests", unit="", samples=[second.failed], most=0),
        Result(what="  a connection for each: longest gap", unit="ms", samples=[second.longest_gap * 1000]),
        Result(what="the same with a request every 5 ms and no wrk", unit="ms", samples=calm, most=100, aim=20),
        Result(what="  a connection for each: failed requests", unit="", samples=[alone.failed], most=0),
    ]


class Edits:
    """A load balancer that always has two members, and for a while a third."""

    def __init__(self, stage: Stage, rounds: int) -> None:
        self.stage = stage
        self.backends = Backends(stage, 2 + 2 * rounds)
        self.next = 2
        self.address = vip(stage, 0)
        steady = [self.backends.member(number) for number in (0, 1)]
        made = create(stage, populated(stage, "lb", self.address, steady))
        self.identifier = made["id"]
        self.path = f"/v2/lbaas/pools/{made['pools'][0]['id']}/members"
        settled(stage, self.identifier)
        waiting = Probe(stage, self.address)
        waiting.moment()

    def round(self) -> float:
        """Milliseconds until a member that is new answers; it is removed again."""
        number, self.next = self.next, self.next + 1
        probe = Probe(self.stage, self.address, self.backends.name(number))
        body: dict[str, Any] = {"member": self.backends.member(number)}
        began = time.monotonic()
        made = self.stage.call("POST", self.path, body)["member"]
        took = (probe.moment() - began) * 1000
        settled(self.stage, self.identifier)
        self.stage.call("DELETE", f"{self.path}/{made['id']}")
        settled(self.stage, self.identifier)
        say(f"{self.backends.name(number)}: {took:.0f} ms")
        return took
