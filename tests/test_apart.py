"""`octavia api` and `octavia controller` as processes of their own, on one database, with the no-op adapters."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.databases import KINDS, Fleet
from tests.host.needs import until

CONFIG = """
[DEFAULT]
state_path = {state}
[database]
connection = {connection}
[api_settings]
api_workers = 2
[controller_worker]
compute_driver = noop
network_driver = noop
amphora_driver = noop
sweep_interval = 3600
"""
SUBNET = "11111111-1111-4111-8111-111111111111"
LOAD_BALANCERS = "/v2/lbaas/loadbalancers"
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ [a-z_.]+: ")


class Deployment:
    """What runs on one state folder."""

    def __init__(self, folder: Path, connection: str) -> None:
        self.state = folder / "state"
        self.config = folder / "octavia.conf"
        self.config.write_text(CONFIG.format(state=self.state, connection=connection))
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "octavia.cli", *arguments, "--config-file", str(self.config)]

    def once(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=60, check=False)

    def start(self, verb: str, *arguments: str) -> str:
        """It is ready: the URL of its API, if it has one."""
        with self.said(verb).open("wb") as out, self.log(verb).open("wb") as log:
            child = subprocess.Popen(self.command(verb, *arguments), stdout=out, stderr=log)
        self.running[verb] = child
        until(lambda: child.poll() is not None or "ready" in self.said(verb).read_text(), 30)
        assert child.poll() is None, self.log(verb).read_text()
        return self.said(verb).read_text().rpartition("ready")[2].strip(": \n")

    def said(self, verb: str) -> Path:
        return self.folder / f"{verb}.out"

    def log(self, verb: str) -> Path:
        return self.folder / f"{verb}.log"

    def stop(self, verb: str, number: int = signal.SIGTERM) -> int:
        child = self.running.pop(verb)
        child.send_signal(number)
        return child.wait(30)

    def close(self) -> None:
        for child in self.running.values():
            child.kill()
            child.wait(30)


@pytest.fixture(params=KINDS)
def deployment(request: pytest.FixtureRequest, tmp_path: Path, fleet: Fleet) -> Iterator[Deployment]:
    made = Deployment(tmp_path, "sqlite:///$state_path/octavia.db" if request.param == "sqlite" else fleet.new())
    yield made
    made.close()


def call(url: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    try:
        connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None
    finally:
        connection.close()


def create(url: str, name: str) -> str:
    wish = {"loadbalancer": {"name": name, "vip_subnet_id": SUBNET}}
    status, made = call(url, "POST", LOAD_BALANCERS, wish)
    assert status == 201, made
    return str(made["loadbalancer"]["id"])


def statuses(url: str) -> set[str]:
    rows = call(url, "GET", f"{LOAD_BALANCERS}?fields=provisioning_status")[1]["loadbalancers"]
    return {row["provisioning_status"] for row in rows}


def test_an_api_apart_from_its_controller(deployment: Deployment) -> None:
    url = deployment.start("api", "--bind-port", "0")
    identifier = create(url, "before there is a controller")
    deployment.start("controller")
    until(lambda: statuses(url) == {"ACTIVE"}, 10)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: create(url, f"lb{number}"), range(32)))
    until(lambda: statuses(url) == {"ACTIVE"}, 15)
    assert call(url, "DELETE", f"{LOAD_BALANCERS}/{identifier}")[0] == 204
    until(lambda: call(url, "GET", f"{LOAD_BALANCERS}/{identifier}")[0] == 404, 10)
    assert [deployment.stop(verb) for verb in ("controller", "api")] == [0, 0]
    lines = deployment.log("api").read_text().splitlines()
    assert [line for line in lines if not LINE.match(line)] == []
    assert len([line for line in lines if "Booting worker" in line]) == 2


def test_a_request_that_has_begun_is_answered_before_it_ends(deployment: Deployment) -> None:
    url = deployment.start("api", "--bind-port", "0")
    body = json.dumps({"loadbalancer": {"name": "late", "vip_subnet_id": SUBNET}}).encode()
    host, _, port = url.removeprefix("http://").rpartition(":")
    head = f"POST {LOAD_BALANCERS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with socket.create_connection((host, int(port)), timeout=30) as client:
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:10])
        until(lambda: taken(int(port)), 10)
        deployment.running["api"].send_signal(signal.SIGTERM)
        until(lambda: "Handling signal: term" in deployment.log("api").read_text(), 10)
        client.sendall(body[10:])
        assert client.recv(20).startswith(b"HTTP/1.1 201")
    assert deployment.running.pop("api").wait(30) == 0


def taken(port: int) -> bool:
    """Whether a process has taken what came in on this port: nothing waits in the kernel any more."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    established = [row for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"]
    return bool(established) and all(row[4].endswith(":00000000") for row in established)


def test_a_worker_that_dies_is_replaced(deployment: Deployment) -> None:
    url = deployment.start("api", "--bind-port", "0")
    parent = deployment.running["api"].pid
    before = children(parent)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(children(parent) - before) == 2, 20)
    assert statuses(url) == set()
    assert deployment.stop("api", signal.SIGINT) == 0


def children(parent: int) -> set[int]:
    return {int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()}


def test_nothing_is_destroyed_under_an_api(tmp_path: Path) -> None:
    deployment = Deployment(tmp_path, "sqlite:///$state_path/octavia.db")
    try:
        deployment.start("api", "--bind-port", "0")
        refused = deployment.once("destroy", "--all")
        assert refused.returncode == 1
        assert "`octavia api` works on" in refused.stderr
        deployment.stop("api")
        assert deployment.once("destroy", "--all").returncode == 0
        assert not deployment.state.exists()
    finally:
        deployment.close()


@pytest.mark.parametrize(
    ("connection", "said"),
    [("sqlite://", "in memory"), ("mysql+pymysql://root@127.0.0.1:1/x", "cannot be used"), ("nonsense", "is no URL")],
)
def test_a_database_that_no_worker_could_use_ends_the_start_with_a_sentence(
    tmp_path: Path, connection: str, said: str
) -> None:
    ended = Deployment(tmp_path, connection).once("api", "--bind-port", "0")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
