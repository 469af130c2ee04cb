"""What dies comes back, and clients do not notice more than they must."""

import os
import signal
import time

from tests.e2e.stage import Stage


def test_a_killed_control_plane_costs_no_request_and_adopts_what_runs(stage: Stage) -> None:
    first, second = stage.host(1), stage.host(2)
    made = stage.create(first)
    vip = made["vip_address"]
    amphorae = stage.amphorae()
    agent = stage.pid_of(amphorae[0], "agent")
    traffic = stage.traffic(vip)
    stage.kill(signal.SIGKILL)
    time.sleep(0.5)
    stage.serve()
    assert stage.amphorae() == amphorae
    assert stage.pid_of(amphorae[0], "agent") == agent
    pool = made["pools"][0]["id"]
    stage.call("POST", f"/pools/{pool}/members", {"member": {"address": second[0], "protocol_port": second[1]}})
    traffic.first("m2")
    os.kill(agent, signal.SIGKILL)
    stage.until(lambda: stage.pid_of(amphorae[0], "agent") != agent, "a new agent")
    stage.active(made["id"])
    stage.call("PUT", f"/pools/{pool}", {"pool": {"name": "renamed"}})
    stage.active(made["id"])
    seen = traffic.stop()
    assert seen["failures"] == {}
    assert seen["requests"] > 100
    assert stage.amphorae() == amphorae
