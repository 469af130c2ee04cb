"""Requests per second of the API, over adapters that do nothing, so that nothing else is measured."""

import subprocess
import tempfile
import uuid
from pathlib import Path

from benchmarks.harness import Result, create, deployment, dumped, say
from benchmarks.load import Wrk, understood, wrk_command
from tools.stage import ROOT, Stage, StageError

CONFIG = """[controller_worker]
compute_driver = noop
network_driver = noop
amphora_driver = noop
sweep_interval = 3600
"""
ROWS = 1000
PATH = "/v2/lbaas/loadbalancers"
TURNS = """
local made = {}
request = function()
  local id = table.remove(made)
  if id then return wrk.format("DELETE", "PATH/" .. id) end
  return wrk.format("POST", "PATH", {["Content-Type"] = "application/json"}, [==[BODY]==])
end
response = function(status, headers, body)
  local id = status == 201 and body:match('"loadbalancer": ?{.-"id": ?"([%x-]+)"')
  if id then table.insert(made, id) end
end
"""


def run(quick: bool) -> list[Result]:
    seconds = 2 if quick else 8
    results: list[Result] = []
    with deployment(CONFIG) as stage:
        subnet = stage.call("GET", "/v2.0/subnets")["subnets"]
        body = {"name": "x", "vip_subnet_id": subnet[0]["id"] if subnet else str(uuid.uuid4())}
        first = create(stage, body)["id"]
        for _ in range(100 if quick else ROWS):
            create(stage, body)
        say("rows are there")
        for clients in (1, 16):
            results += rows(f"show one, {clients} clients", [load(stage, f"{PATH}/{first}", clients, seconds)])
            results += rows(f"list of 100, {clients} clients", [load(stage, f"{PATH}?limit=100", clients, seconds)])
        for clients in (1, 16):
            both = in_turns(stage, body | {"name": f"turns{clients}"}, clients, seconds)
            results += rows(f"create and delete in turns, {clients} clients", [both])
    return results


def rows(what: str, runs: list[Wrk]) -> list[Result]:
    say(f"{what}: {runs[0].rate:.0f}/s, {runs[0].failed} failed")
    return [
        Result(what=what, unit="1/s", samples=[run.rate for run in runs]),
        Result(what="  p50", unit="ms", samples=[run.p50 for run in runs]),
        Result(what="  p99", unit="ms", samples=[run.p99 for run in runs]),
        Result(what="  failed", unit="", samples=[run.failed for run in runs], most=0),
    ]


def load(stage: Stage, path: str, clients: int, seconds: int, script: Path | None = None) -> Wrk:
    command = wrk_command(stage.endpoint + path, connections=clients, seconds=seconds, script=script)
    return understood(subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False).stdout)


def in_turns(stage: Stage, body: dict[str, str], clients: int, seconds: int) -> Wrk:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "turns.lua")
        script.write_text(TURNS.replace("BODY", dumped({"loadbalancer": body})).replace("PATH", PATH))
        done = load(stage, PATH, clients, seconds, script)
    listed = stage.call("GET", f"{PATH}?name={body['name']}&fields=provisioning_status")["loadbalancers"]
    left = sum(lb["provisioning_status"] != "PENDING_DELETE" for lb in listed)
    if left > done.requests / 4:
        raise StageError(f"half of {done.requests} requests should have deleted something, but {left} are left")
    return done
