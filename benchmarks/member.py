"""A member added, and removed, under load: until it takes effect, and what that costs other requests."""

import time
from collections.abc import Iterator
from typing import Any

from benchmarks import setting
from benchmarks.figures import Figure, measured
from tests.e2e.stage import Stage

LIMIT = 300
MAY = 100
AIM = 20
STEADY = 2
"""Members that are there all the time."""
QUIET = 0.3
"""Seconds without an answer after which a removed member counts as gone."""


def run(*, quick: bool) -> Iterator[Figure]:
    """A few requests first, for comparison; then under two clients at once: wrk, which saturates the machine with 32 kept
    connections, and one that opens a connection for each request, every 5 ms.
    """
    rounds = 3 if quick else 20
    with setting.staged() as stage:
        members = setting.Members(stage, STEADY + 2 * rounds)
        steady = range(setting.FIRST_PORT, setting.FIRST_PORT + STEADY)
        _, made = setting.create(stage, setting.wanted(stage.subnet(), members.address, *steady))
        setting.active(stage, made["id"])
        edits = Edits(stage, members, made)
        vip = made["vip_address"]
        yield from light(stage, edits, vip, rounds)
        yield from loaded(stage, edits, vip, rounds)


class Edits:
    """Adds members and removes them, each on a port that no one had before."""

    def __init__(self, stage: Stage, members: setting.Members, load_balancer: dict[str, Any]) -> None:
        self.stage, self.members = stage, members
        self.load_balancer_id = load_balancer["id"]
        self.path = f"/pools/{load_balancer['pools'][0]['id']}/members"
        self.next_port = setting.FIRST_PORT + STEADY

    def round(self) -> tuple[float, float]:
        """Milliseconds until an added member answers, and until it does not any more once it is removed."""
        port, self.next_port = self.next_port, self.next_port + 1
        body = {"member": {"address": self.members.address, "protocol_port": port}}
        began = time.monotonic()
        member = self.stage.call("POST", self.path, body, status=201)["member"]
        added = self.members.first(port) - began
        setting.active(self.stage, self.load_balancer_id, pause=0.02)
        began = time.monotonic()
        self.stage.call("DELETE", f"{self.path}/{member['id']}", status=204)
        removed = self.silent(port) - began
        setting.active(self.stage, self.load_balancer_id, pause=0.02)
        return added * 1000, max(0.0, removed) * 1000

    def silent(self, port: int) -> float:
        """When the member answered last."""
        deadline = time.monotonic() + 30
        while time.monotonic() - (last := self.members.last(port)) < QUIET:
            assert time.monotonic() < deadline, "a removed member goes on answering"
            time.sleep(QUIET / 3)
        return last


def light(stage: Stage, edits: Edits, vip: str, rounds: int) -> Iterator[Figure]:
    """With requests every 2 ms, so that somebody is there to notice."""
    traffic = stage.traffic(vip, interval=0.002, limit=LIMIT)
    added = [edits.round()[0] for _ in range(rounds)]
    seen = traffic.stop()
    yield measured("a few requests: POST of a member to its first answer", "ms", added, at_most=MAY, aim=AIM)
    yield measured("a few requests: failed", "of all", [sum(seen["failures"].values())], at_most=0)


def loaded(stage: Stage, edits: Edits, vip: str, rounds: int) -> Iterator[Figure]:
    wrk = setting.Wrk(stage, f"http://{vip}/")
    traffic = stage.traffic(vip, limit=LIMIT)
    time.sleep(1)
    times = [edits.round() for _ in range(rounds)]
    other, seen = traffic.stop(), wrk.stop()
    yield measured("wrk: POST of a member to its first answer", "ms", (on for on, _ in times), at_most=MAY, aim=AIM)
    yield measured("wrk: DELETE of a member to its last answer", "ms", (off for _, off in times))
    yield measured("wrk: requests", "/s", [seen["requests"] / seen["seconds"]])
    yield measured("wrk: failed requests", "of all", [setting.failed(seen)], at_most=0)
    yield measured("a connection for each: requests", "", [other["requests"]])
    yield measured("a connection for each: failed", "of all", [sum(other["failures"].values())], at_most=0)
    yield measured("a connection for each: longest gap", "ms", [other["longest_gap"] * 1000])
