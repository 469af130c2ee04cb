"""From the POST of a fully populated load balancer to the first 200 through its VIP, and to ACTIVE."""

import time

from benchmarks.harness import (
    Backends,
    Probe,
    Result,
    create,
    deployment,
    populated,
    ready_network,
    remove,
    say,
    settled,
    vip,
)


def run(quick: bool) -> list[Result]:
    creating: list[float] = []
    settling: list[float] = []
    removing: list[float] = []
    with deployment() as stage:
        ready_network(stage)
        backends = Backends(stage, 2)
        for number in range(5 if quick else 30):
            address = vip(stage, number)
            body = populated(stage, f"lb{number}", address, [backends.member(0), backends.member(1)])
            probe = Probe(stage, address)
            began = time.monotonic()
            made = create(stage, body)
            creating.append(probe.moment() - began)
            settled(stage, made["id"])
            settling.append(time.monotonic() - began)
            removing.append(remove(stage, made["id"]))
            say(f"{number + 1}: served after {creating[-1]:.3f} s, gone after {removing[-1]:.3f} s")
    return [
        Result(what="POST to the first 200 through the VIP", unit="s", samples=creating, most=1.0, aim=0.3),
        Result(what="POST to ACTIVE, as seen once it answers", unit="s", samples=settling),
        Result(what="DELETE with cascade until nothing is left", unit="s", samples=removing),
    ]
