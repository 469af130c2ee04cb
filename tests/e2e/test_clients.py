"""The official clients, unmodified, against `octavia serve`: the `openstack` command and openstacksdk."""

import json
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.stage import HERE, Stage, python

pytest.importorskip("openstackclient")
pytest.importorskip("octaviaclient")
pytest.importorskip("openstack")
Done = subprocess.CompletedProcess[str]


def openstack(stage: Stage, *words: object, check: bool = True) -> Done:
    """`openstack loadbalancer WORDS`, as a user of this server types it."""
    argv = [python(stage.kind), "-m", "openstackclient.shell", "loadbalancer", *map(str, words)]
    return stage.run(argv, check=check)


def asked(stage: Stage, *words: object) -> Any:
    """What it prints, decoded."""
    return json.loads(openstack(stage, *words, "-f", "json").stdout)


def together(stage: Stage, lines: Sequence[str]) -> list[Done]:
    """The outcome of each command line. They run at once: a command needs most of its time to start."""
    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(lambda line: openstack(stage, *line.split(), check=False), lines))


def nothing_left(stage: Stage) -> bool:
    return not stage.call("GET", "/loadbalancers")["loadbalancers"] and not stage.amphorae()


def test_the_openstack_command_makes_a_load_balancer_that_carries_traffic(shared_stage: Stage) -> None:
    stage = shared_stage
    hosts = [stage.host(1), stage.host(2)]
    made = asked(stage, "create", "--name", "lb1", "--vip-subnet-id", "demo", "--wait")
    assert (made["provisioning_status"], made["vip_subnet_id"]) == ("ACTIVE", stage.subnet())
    front = asked(stage, *["listener", "create", "--name", "web", "--protocol", "HTTP", "--protocol-port", "80", "lb1"])
    pool = asked(
        stage,
        *["pool", "create", "--name", "p1", "--protocol", "HTTP", "--lb-algorithm", "ROUND_ROBIN", "--listener"],
        front["id"],
    )
    member = "member create --name {} --address {} --protocol-port {} p1"
    together_well(stage, [member.format(name, *host) for name, host in zip(("m1", "m2"), hosts, strict=True)])
    words = "healthmonitor create --name hm --type HTTP --delay 1 --timeout 1 --max-retries 1 p1 --wait"
    assert asked(stage, *words.split())["provisioning_status"] == "ACTIVE"
    assert {stage.get(made["vip_address"]) for _ in range(4)} == {"m1", "m2"}
    looked_at(stage, made, pool)
    changed(stage, made)
    openstack(stage, "delete", "lb2", "--cascade", "--wait")
    assert nothing_left(stage)


def looked_at(stage: Stage, made: dict[str, Any], pool: dict[str, Any]) -> None:
    """Every way to look shows what was made."""
    stage.until(
        lambda: stage.call("GET", f"/loadbalancers/{made['id']}/stats")["stats"]["total_connections"], "statistics"
    )
    lines = ["status show lb1", "stats show lb1 -f json", "list -f json", "show lb1 -f json"]
    lines += ["listener show web -f json", "pool show p1 -f json", "member list p1 -f json", "healthmonitor list"]
    done = together(stage, lines)
    assert [one.returncode for one in done] == [0] * len(lines), done
    tree, stats, listed, shown, listener, shown_pool, members = (json.loads(one.stdout) for one in done[:-1])
    below = tree["loadbalancer"]["listeners"][0]["pools"][0]
    assert (below["id"], below["health_monitor"]["name"]) == (pool["id"], "hm")
    assert {(member["name"], member["operating_status"]) for member in below["members"]} == {
        ("m1", "ONLINE"),
        ("m2", "ONLINE"),
    }
    assert stats["total_connections"] > 0
    assert [(row["id"], row["provisioning_status"]) for row in listed] == [(made["id"], "ACTIVE")]
    assert shown["vip_address"] == made["vip_address"]
    assert listener["default_pool_id"] == shown_pool["id"] == pool["id"]
    assert {member["name"] for member in members} == {"m1", "m2"}
    assert "hm" in done[-1].stdout


def changed(stage: Stage, made: dict[str, Any]) -> None:
    """`set` and `unset` have their effect."""
    together_well(
        stage,
        [
            "set --name lb2 --description words --tag one lb1",
            "listener set --connection-limit 500 --timeout-client-data 7000 web",
            "member set --weight 5 p1 m1",
            "pool set --lb-algorithm LEAST_CONNECTIONS p1",
            "healthmonitor set --delay 2 hm",
        ],
    )
    assert stage.active(made["id"])["tags"] == ["one"]
    assert limit(stage) == 500
    assert stage.get(made["vip_address"]) in ("m1", "m2")
    together_well(stage, ["unset --description --all-tag lb2", "listener unset --connection-limit web"])
    found = stage.active(made["id"])
    assert (found["name"], found["description"], found["tags"]) == ("lb2", "", [])
    assert limit(stage) == -1


def limit(stage: Stage) -> int:
    return int(stage.call("GET", "/listeners?name=web")["listeners"][0]["connection_limit"])


def together_well(stage: Stage, lines: Sequence[str]) -> None:
    done = together(stage, lines)
    assert [one.returncode for one in done] == [0] * len(lines), done


MISTAKES = {
    "show nobody": "Unable to locate nobody in loadbalancers",
    "create --vip-subnet-id nowhere": "Unable to locate nowhere in subnets",
    "create --vip-subnet-id demo --vip-address {vip}": "already",
    "listener create --protocol HTTP --protocol-port 80 mine": "already using TCP protocol_port 80",
    "listener create --protocol TERMINATED_HTTPS --protocol-port 443 mine": "SSL certificate is needed",
    "member create --address nonsense --protocol-port 80 pool": "nonsense",
    "delete mine": "cascade",
}


def test_a_mistake_is_told_in_a_sentence(shared_stage: Stage) -> None:
    stage = shared_stage
    made = stage.create(name="pool")
    stage.call("PUT", f"/loadbalancers/{made['id']}", {"loadbalancer": {"name": "mine"}})
    before = stage.active(made["id"])
    done = together(stage, [line.format(vip=made["vip_address"]) for line in MISTAKES])
    for (line, sentence), outcome in zip(MISTAKES.items(), done, strict=True):
        assert outcome.returncode == 1, (line, outcome)
        assert sentence in outcome.stderr, (line, outcome)
        assert "Traceback" not in outcome.stderr, (line, outcome)
    assert stage.active(made["id"]) == before
    stage.call("DELETE", f"/loadbalancers/{made['id']}?cascade=true")
    stage.until(lambda: nothing_left(stage), "the load balancer gone")


def test_openstacksdk_makes_a_load_balancer_that_carries_traffic(shared_stage: Stage) -> None:
    stage = shared_stage
    script = [python(stage.kind), str(HERE / "sdk.py"), stage.endpoint]
    made = json.loads(stage.run([*script, "make", *map(str, (*stage.host(3), *stage.host(4)))]).stdout)
    assert {stage.get(made["vip_address"]) for _ in range(4)} == {"m3", "m4"}
    stage.until(
        lambda: stage.call("GET", f"/loadbalancers/{made['id']}/stats")["stats"]["total_connections"], "statistics"
    )
    assert json.loads(stage.run([*script, "look", made["id"]]).stdout)["total_connections"] > 0
    stage.run([*script, "remove", made["id"]])
    assert nothing_left(stage)
