"""As `create`, by a user without privileges: everything is inside namespaces of that user's own."""

import subprocess
import time

from benchmarks.harness import RESULTS, Result, say, undisturbed
from tests.e2e.stage import Stage, python

PROBE = RESULTS.parent / "probe.py"


def run(quick: bool) -> list[Result]:
    creating: list[float] = []
    removing: list[float] = []
    stage = Stage("rootless")
    try:
        stage.serve()
        # The bridge of the demo network is there with the first load balancer in it.
        cleared(stage, stage.create()["id"])
        member = stage.host(1)
        for number in range(5 if quick else 30):
            created, removed = one(stage, f"198.18.4.{number + 1}", member)
            creating.append(created)
            removing.append(removed)
            say(f"{number + 1}: served after {created:.3f} s, gone after {removed:.3f} s")
    finally:
        with undisturbed():
            stage.close()
    return [
        Result(what="POST to the first 200 through the VIP", unit="s", samples=creating, most=1.0, aim=0.3),
        Result(what="DELETE with cascade until nothing is left", unit="s", samples=removing),
    ]


def one(stage: Stage, address: str, member: tuple[str, int]) -> tuple[float, float]:
    """The seconds that it took to make a load balancer that answers, and to remove it."""
    probe = stage.spawn([python(stage.kind), str(PROBE), address, "80", ""])
    assert line(probe) == "started"
    pool = {"name": "all", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}
    monitor = {"type": "HTTP", "delay": 2, "timeout": 1, "max_retries": 2}
    members = [{"address": member[0], "protocol_port": member[1]}]
    listener = {"protocol": "HTTP", "protocol_port": 80}
    listener |= {"default_pool": pool | {"members": members, "healthmonitor": monitor}}
    body = {"name": "lb", "vip_subnet_id": stage.subnet(), "vip_address": address, "listeners": [listener]}
    began = time.monotonic()
    made = stage.call("POST", "/loadbalancers", {"loadbalancer": body}, status=201)["loadbalancer"]
    answered = float(line(probe)) - began
    return answered, cleared(stage, made["id"])


def line(child: "subprocess.Popen[str]") -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def cleared(stage: Stage, load_balancer_id: str) -> float:
    stage.active(load_balancer_id)
    began = time.monotonic()
    stage.call("DELETE", f"/loadbalancers/{load_balancer_id}?cascade=true", status=204)
    stage.until(lambda: not stage.amphorae() and not listed(stage), "nothing left")
    return time.monotonic() - began


def listed(stage: Stage) -> bool:
    return bool(stage.call("GET", "/loadbalancers?fields=id")["loadbalancers"])
