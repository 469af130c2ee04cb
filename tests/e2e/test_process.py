"""The last resort, without any namespace: amphorae as processes on loopback addresses."""

import os
import signal
from collections.abc import Iterator

import pytest

from octavia.drivers.compute.process import PORT_START
from tests.e2e.conftest import reason_against
from tests.e2e.stage import HERE, Stage, python

CONFIG = "[controller_worker]\ncompute_driver = process\n"


class Processes(Stage):
    """As an unprivileged user, in no namespace: what a machine without user namespaces can have."""

    def __init__(self) -> None:
        super().__init__("rootless")

    def host(self, number: int, name: str | None = None, port: int = 8080) -> tuple[str, int]:
        address, name = f"127.20.0.{number}", name or f"m{number}"
        self.spawn([python(self.kind), str(HERE / "member.py"), name, address, str(port)])
        return address, port


@pytest.fixture
def processes() -> Iterator[Processes]:
    if why := reason_against("rootless"):
        pytest.skip(why)
    made = Processes()
    try:
        made.serve(config=CONFIG)
        yield made
    finally:
        made.close()


def test_traffic_is_carried_and_survives_the_control_plane(processes: Processes) -> None:
    stage = processes
    made = stage.create(stage.host(1), port=8080)
    vip = made["vip_address"]
    assert vip.startswith("127.18.")
    assert stage.get(vip, 8080) == "m1"
    traffic = stage.traffic(vip, 8080)
    stage.kill(signal.SIGKILL)
    stage.serve(config=CONFIG)
    os.kill(agent := stage.pid_of(stage.amphorae()[0], "agent"), signal.SIGKILL)
    stage.until(lambda: stage.pid_of(stage.amphorae()[0], "agent") != agent, "a new agent")
    assert traffic.stop()["failures"] == {}
    stage.call("DELETE", f"/loadbalancers/{made['id']}?cascade=true")
    stage.until(lambda: not stage.amphorae(), "nothing is left")


def test_a_port_that_it_cannot_bind_is_refused_with_a_sentence(processes: Processes) -> None:
    port = int(PORT_START.read_text()) - 1
    if port < 1:
        pytest.skip("every port may be had here")
    made = processes.create(processes.host(1), port=8080)
    body = {"listener": {"protocol": "HTTP", "protocol_port": port, "loadbalancer_id": made["id"]}}
    refused = processes.call("POST", "/listeners", body, status=400)
    assert str(port) in refused["faultstring"]
    assert processes.get(made["vip_address"], 8080) == "m1"
