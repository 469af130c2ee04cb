"""A thousand load balancers, each with a listener, a pool and two members: made by the API, ACTIVE at the end."""

import json
import time
import urllib.request
from typing import Any

from benchmarks.harness import dumped, say, waited
from benchmarks.upstream.requests import Cell, measured
from benchmarks.upstream.servers import LIST, NOOP
from tools.mariadb import Server
from tools.stage import Stage, StageError

ROWS = 1000
PROJECT = "4d1f0a6f3c5b4a0e9a3c0b2f7e6d5c4b"
SUBNET = "0f6e4f5e-6f6a-4d0e-9a53-5d4a8c2b7e10"
PLAIN = {"loadbalancer": {"name": "made", "project_id": PROJECT, "vip_subnet_id": SUBNET}}
PATIENCE = 300.0


def populated() -> dict[str, Any]:
    members = [{"address": f"10.1.0.{number}", "protocol_port": 80} for number in (1, 2)]
    pool = {"name": "pool", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", "members": members}
    listener = {"name": "web", "protocol": "HTTP", "protocol_port": 80, "default_pool": pool}
    return {"loadbalancer": PLAIN["loadbalancer"] | {"name": "one of many", "listeners": [listener]}}


def fill(name: str, port: int) -> None:
    began = time.monotonic()
    cell = Cell(what="", method="POST", path=LIST, clients=8, wanted=201, body=dumped(populated()))
    done = measured(port, cell, count=ROWS)
    if done.failed:
        raise StageError(f"{name}: {done.failed} of {ROWS} load balancers were refused")
    say(f"{name}: {ROWS} load balancers were made in {time.monotonic() - began:.1f} s")


def fill_upstream(name: str, port: int, server: Server) -> None:
    """Nobody answers for upstream's no-op provider: its objects would stay PENDING_CREATE."""
    fill(name, port)
    with server.connect("upstream") as connection, connection.cursor() as cursor:
        for table in ("load_balancer", "listener", "pool", "member"):
            cursor.execute(f"UPDATE `{table}` SET provisioning_status = 'ACTIVE'")
        connection.commit()


def fill_ours(name: str, stage: Stage, config: str = NOOP) -> None:
    """By an `octavia serve`, whose controller makes them ACTIVE. It goes on running."""
    stage.start(config=config)
    port = int(stage.endpoint.rpartition(":")[2])
    fill(name, port)
    waited(lambda: statuses(port) == {"ACTIVE": ROWS}, f"{name}: {ROWS} ACTIVE load balancers", PATIENCE)


def statuses(port: int) -> dict[str, int]:
    """How many load balancers have which provisioning status."""
    found: dict[str, int] = {}
    for one in asked(port, f"{LIST}?limit={ROWS}")["loadbalancers"]:
        found[one["provisioning_status"]] = found.get(one["provisioning_status"], 0) + 1
    time.sleep(0.2)
    return found


def one_of(port: int) -> str:
    """The id of a load balancer somewhere in the middle."""
    found: str = asked(port, f"{LIST}?limit={ROWS}&fields=id")["loadbalancers"][ROWS // 2]["id"]
    return found


def asked(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return json.loads(answer.read())
