"""What is deleted leaves nothing; what is changed has its effect on traffic."""

import random
import shlex
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.stage import Stage, command_of, everyone, six, stop

M1, M2 = ("198.18.12.1", 8080), ("198.18.12.2", 8080)
MANY = 12


@pytest.fixture(scope="module")
def hosted(shared_stage: Stage) -> Stage:
    """Two web servers, m1 and m2, are there."""
    assert (shared_stage.host(1), shared_stage.host(2)) == (M1, M2)
    return shared_stage


@pytest.fixture
def lab(hosted: Stage) -> Iterator[Stage]:
    """Whatever load balancers the test has left are removed after it, and leave nothing."""
    before = remains(hosted)
    yield hosted
    for row in hosted.call("GET", "/loadbalancers")["loadbalancers"]:
        hosted.call("DELETE", f"/loadbalancers/{row['id']}?cascade=true")
    clean(hosted, before)


def clean(stage: Stage, before: Any) -> None:
    """It all is as it was before."""
    seen: list[Any] = [before]

    def same() -> bool:
        seen.append(remains(stage))
        return bool(seen[-1] == before)

    try:
        stage.until(same, "nothing left", 15)
    except AssertionError:
        assert seen[-1] == before


def remains(stage: Stage) -> dict[str, Any]:
    """Everything that a load balancer may leave behind."""
    listing = there(stage, ["sh", "-c", "ip -o link | cut -d: -f2 | cut -d@ -f1; ls /run/netns 2>/dev/null || :"])
    folder = str(stage.state / "state" / "amphorae")
    return {
        "links and namespaces": sorted(listing.stdout.split()),
        "folders": stage.amphorae(),
        "processes": [command for pid in everyone() if folder in (command := command_of(pid))],
        "addresses": stage.call("GET", "/v2/ports")["ports"],
        "known": stage.call("GET", "/v2/octavia/loadbalancers")["loadbalancers"],
        "rows": rows(stage),
    }


def there(stage: Stage, argv: list[str]) -> "subprocess.CompletedProcess[str]":
    """As Stage.inside. With root, `octavia exec` is the command itself, and left out where much is asked."""
    return stage.inside(argv) if stage.base is None else stage.run(argv)


def rows(stage: Stage) -> dict[str, int]:
    """How many rows each table of the database has."""
    with sqlite3.connect(f"file:{stage.state}/state/octavia.db?mode=ro", uri=True) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        counts = {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in sorted(tables)}
    database.close()
    return counts


def ask(stage: Stage, url: str, *words: str, count: int = MANY, host: int | None = None) -> Counter[str]:
    """Who answers this many requests, each on a connection of its own; failures count for `nobody`."""
    line = shlex.join(["curl", "-s", "-m", "1", "-f", "-g", *words, url])
    argv = ["sh", "-c", f"for n in $(seq {count}); do {line} || echo nobody; done"]
    if host is not None:
        argv = ["nsenter", f"--net=/run/netns/host{host}", *argv]
    done = there(stage, argv)
    return Counter(text.split()[0] for text in done.stdout.splitlines())


def answers(stage: Stage, vip: str, *names: str) -> None:
    """Exactly these answer, from now on."""
    expected, seen = set(names), set[str]()

    def same() -> bool:
        seen.clear()
        seen.update(ask(stage, f"http://{vip}/", count=2 * len(names)))
        return seen == expected

    try:
        stage.until(same, f"{names} answer", 15)
    except AssertionError:
        assert seen == expected, stage.said()


def edit(stage: Stage, path: str, **fields: Any) -> None:
    """PUT to a path like /listeners/ID."""
    kind = path.split("/")[-2].removesuffix("s")
    stage.call("PUT", path, {kind: fields})


def members(stage: Stage, pool: str) -> dict[str, str]:
    """The paths of the members, by the names of their hosts."""
    found = stage.call("GET", f"/pools/{pool}/members")["members"]
    return {f"m{row['address'].rpartition('.')[2]}": f"/pools/{pool}/members/{row['id']}" for row in found}


def test_a_deleted_load_balancer_leaves_nothing(stage: Stage) -> None:
    before = remains(stage)
    made = stage.create(stage.host(1))
    assert stage.get(made["vip_address"]) == "m1"
    with_host = remains(stage)
    assert with_host["processes"]
    stage.call("DELETE", f"/loadbalancers/{made['id']}?cascade=true")
    before["links and namespaces"] = sorted([*before["links and namespaces"], "host1", "host1"])
    clean(stage, before)


@pytest.mark.parametrize("seed", range(8))
def test_deleted_while_it_is_created(lab: Stage, seed: int) -> None:
    """At once, and at any moment of the creation."""
    moment = 0.0 if seed == 0 else random.Random(seed).uniform(0.005, 0.3)
    wish: dict[str, Any] = {"vip_subnet_id": lab.subnet()}
    wish["listeners"] = [{"protocol": "HTTP", "protocol_port": 80, "default_pool": {"name": "pool"}}]
    wish["pools"] = [{"name": "pool", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}]
    made = lab.call("POST", "/loadbalancers", {"loadbalancer": wish})["loadbalancer"]
    time.sleep(moment)
    lab.call("DELETE", f"/loadbalancers/{made['id']}?cascade=true", status=204)
    lab.until(lambda: not lab.call("GET", "/loadbalancers")["loadbalancers"], f"gone after {moment:.3f} s", 10)


def test_a_listener_follows_another_on_its_port_in_the_same_breath(lab: Stage) -> None:
    made = lab.create(M1)
    spare = {"name": "spare", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", "loadbalancer_id": made["id"]}
    pool = lab.call("POST", "/pools", {"pool": spare})["pool"]["id"]
    lab.call("POST", f"/pools/{pool}/members", {"member": {"address": M2[0], "protocol_port": M2[1]}})
    lab.active(made["id"])
    listener = {"loadbalancer_id": made["id"], "protocol": "HTTP", "protocol_port": 80, "default_pool_id": pool}
    lab.call("DELETE", f"/listeners/{made['listeners'][0]['id']}", status=204)
    second = lab.call("POST", "/listeners", {"listener": listener}, status=201)["listener"]["id"]
    answers(lab, made["vip_address"], "m2")
    lab.active(made["id"])
    assert [row["id"] for row in lab.call("GET", "/listeners")["listeners"]] == [second]


def test_what_is_disabled_takes_no_traffic(lab: Stage) -> None:
    made = lab.create(M1, M2)
    vip, listener, pool = made["vip_address"], made["listeners"][0]["id"], made["pools"][0]["id"]
    member = members(lab, pool)
    answers(lab, vip, "m1", "m2")
    for path in (f"/listeners/{listener}", f"/loadbalancers/{made['id']}", f"/pools/{pool}"):
        edit(lab, path, admin_state_up=False)
        answers(lab, vip, "nobody")
        edit(lab, path, admin_state_up=True)
        answers(lab, vip, "m1", "m2")
    edit(lab, member["m1"], admin_state_up=False)
    answers(lab, vip, "m2")
    edit(lab, member["m2"], admin_state_up=False)
    answers(lab, vip, "nobody")
    edit(lab, member["m1"], admin_state_up=True)
    answers(lab, vip, "m1")


def test_a_monitor_takes_a_dead_member_out_and_the_tree_shows_it(lab: Stage) -> None:
    address, port = M1[0], 8081
    web = lab.web(1, "m3", address, port)
    check = {"type": "HTTP", "delay": 1, "timeout": 1, "max_retries": 1, "max_retries_down": 1}
    made = lab.create(M1, (address, port), healthmonitor=check)
    vip = made["vip_address"]
    answers(lab, vip, "m1", "m3")
    lab.until(lambda: tree(lab, made) == ("ONLINE", "ONLINE", {"ONLINE"}), "all ONLINE")
    stop(web)
    lab.until(lambda: tree(lab, made) == ("DEGRADED", "DEGRADED", {"ONLINE", "ERROR"}), "the pool DEGRADED")
    assert set(ask(lab, f"http://{vip}/")) == {"m1"}
    web = lab.web(1, "m3", address, port)
    lab.until(lambda: tree(lab, made) == ("ONLINE", "ONLINE", {"ONLINE"}), "all ONLINE again")
    answers(lab, vip, "m1", "m3")
    stop(web)


def tree(stage: Stage, made: dict[str, Any]) -> tuple[str, str, set[str]]:
    """The operating statuses of load balancer, pool and members."""
    top = stage.call("GET", f"/loadbalancers/{made['id']}/status")["statuses"]["loadbalancer"]
    pool = top["listeners"][0]["pools"][0]
    states = {member["operating_status"] for member in pool["members"]}
    return top["operating_status"], pool["operating_status"], states


def test_an_ipv6_vip_carries_traffic_to_members_of_both_kinds(lab: Stage) -> None:
    web = lab.web(2, "six", six(2))
    body = {
        "vip_subnet_id": lab.subnet("demo6"),
        "pools": [
            {
                "name": "pool",
                "protocol": "HTTP",
                "lb_algorithm": "ROUND_ROBIN",
                "members": [
                    {"address": M1[0], "protocol_port": M1[1], "subnet_id": lab.subnet()},
                    {"address": six(2), "protocol_port": 8080},
                ],
            }
        ],
        "listeners": [{"protocol": "HTTP", "protocol_port": 80, "default_pool": {"name": "pool"}}],
    }
    made = lab.call("POST", "/loadbalancers", {"loadbalancer": body})["loadbalancer"]
    assert ":" in made["vip_address"]
    lab.active(made["id"])
    answers(lab, f"[{made['vip_address']}]", "m1", "six")
    assert set(ask(lab, f"http://[{made['vip_address']}]/", host=1)) == {"m1", "six"}
    stop(web)


def test_source_ip_persistence_keeps_the_member(lab: Stage) -> None:
    made = lab.create(M1, M2, session_persistence={"type": "SOURCE_IP"})
    url = f"http://{made['vip_address']}/"
    lab.get(made["vip_address"])
    seen = [set(ask(lab, url, host=number)) for number in (1, 2)]
    assert sorted(name for names in seen for name in names) == ["m1", "m2"], "each client has its own member, and stays"


def test_cookie_persistence_keeps_the_member(lab: Stage) -> None:
    made = lab.create(M1, M2, session_persistence={"type": "HTTP_COOKIE"})
    url, jar = f"http://{made['vip_address']}/", lab.state / "state" / "jar"
    lab.get(made["vip_address"])
    first = next(iter(ask(lab, url, "-c", str(jar), count=1)))
    assert set(ask(lab, url, "-b", str(jar))) == {first}
    assert set(ask(lab, url)) == {"m1", "m2"}
    jar.unlink()


def test_weights_share_the_traffic(lab: Stage) -> None:
    made = lab.create(M1, M2)
    heavy = members(lab, made["pools"][0]["id"])["m1"]
    edit(lab, heavy, weight=3)
    lab.active(made["id"])
    url = f"http://{made['vip_address']}/"
    lab.until(lambda: ask(lab, url, count=16) == {"m1": 12, "m2": 4}, "three of four requests to the heavier member")
    edit(lab, heavy, weight=0)
    answers(lab, made["vip_address"], "m2")


def test_two_load_balancers_are_apart(lab: Stage) -> None:
    with ThreadPoolExecutor(2) as threads:
        one, two = threads.map(lab.create, (M1, M2))
    assert one["vip_address"] != two["vip_address"]
    answers(lab, one["vip_address"], "m1")
    answers(lab, two["vip_address"], "m2")
    lab.call("DELETE", f"/loadbalancers/{one['id']}?cascade=true")
    lab.until(lambda: len(lab.amphorae()) == 1, "one amphora left")
    answers(lab, two["vip_address"], "m2")
    answers(lab, one["vip_address"], "nobody")
