"""A failover that somebody asked for: another amphora takes over before the old one goes."""

from typing import Any

import pytest

from tests.e2e.stage import Stage


def amphorae_of(stage: Stage, load_balancer_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stage.call("GET", f"/v2/octavia/amphorae?loadbalancer_id={load_balancer_id}")[
        "amphorae"
    ]
    return found


def replaced(stage: Stage, load_balancer_id: str, old: str) -> dict[str, Any]:
    """The one amphora, once it is another one that serves."""

    def found() -> dict[str, Any] | None:
        (*others, last) = amphorae_of(stage, load_balancer_id)
        return last if not others and last["id"] != old and last["status"] == "ALLOCATED" else None

    seen: dict[str, Any] = stage.until(found, "another amphora")
    return seen


@pytest.mark.parametrize("what", ["load balancer", "amphora"])
def test_another_amphora_takes_over(root_stage: Stage, what: str) -> None:
    stage = root_stage
    made = stage.create(stage.host(1))
    (old,) = amphorae_of(stage, made["id"])
    assert (old["status"], old["role"], old["ha_ip"]) == ("ALLOCATED", "STANDALONE", made["vip_address"])
    traffic = stage.traffic(made["vip_address"], interval=0.005)
    path = (
        f"/loadbalancers/{made['id']}/failover"
        if what == "load balancer"
        else f"/v2/octavia/amphorae/{old['id']}/failover"
    )
    assert stage.call("PUT", path, status=202) is None
    shown = stage.call("GET", f"/loadbalancers/{made['id']}")["loadbalancer"]
    assert shown["provisioning_status"] in ("PENDING_UPDATE", "ACTIVE")
    new = replaced(stage, made["id"], old["id"])
    stage.active(made["id"])
    assert stage.get(made["vip_address"]) == "m1"
    seen = traffic.stop()
    print(
        f"figure: failover of a {what} under traffic: longest gap {seen['longest_gap'] * 1000:.0f} ms, "
        f"{sum(seen['failures'].values())} of {seen['requests']} requests failed {seen['failures']}"
    )
    assert seen["longest_gap"] < 2, "a bound for a busy machine"
    assert sum(seen["failures"].values()) < seen["requests"] / 10
    assert stage.amphorae() == [new["id"]]
    said = stage.call("GET", f"/v2/octavia/loadbalancers/{made['id']}/progress")["progress"]
    sentences = " ".join(visit["sentence"] for visit in said["sentences"])
    assert f"Booting amphora {new['id']}" in sentences
    assert [row["id"] for row in said["amphorae"]] == [new["id"]]
    assert said["generation"] == said["observed"] == 2
    stage.call("GET", f"/v2/octavia/amphorae/{old['id']}", status=404)


def test_an_agent_starts_anew_and_traffic_goes_on(root_stage: Stage) -> None:
    stage = root_stage
    made = stage.create(stage.host(1))
    (row,) = amphorae_of(stage, made["id"])
    agent, master = stage.pid_of(row["id"], "agent"), stage.pid_of(row["id"], "master")
    traffic = stage.traffic(made["vip_address"])
    stage.call("PUT", f"/v2/octavia/amphorae/{row['id']}/config", status=202)
    stage.until(lambda: stage.pid_of(row["id"], "agent") != agent, "a new agent")
    stage.call("DELETE", f"/v2/octavia/amphorae/{row['id']}", status=409)
    seen = traffic.stop()
    assert seen["failures"] == {}
    assert stage.pid_of(row["id"], "master") == master
    stage.active(made["id"])
    assert stage.get(made["vip_address"]) == "m1"
    statistics = stage.until(lambda: counted(stage, row["id"]), "statistics")
    assert {one["listener_id"] for one in statistics} == {made["listeners"][0]["id"]}


def counted(stage: Stage, amphora_id: str) -> list[dict[str, Any]]:
    stats = stage.call("GET", f"/v2/octavia/amphorae/{amphora_id}")["amphora"]
    assert stats["id"] == amphora_id
    try:
        found: list[dict[str, Any]] = stage.call("GET", f"/v2/octavia/amphorae/{amphora_id}/stats")["amphora_stats"]
    except AssertionError:
        return []
    return [one for one in found if one["total_connections"] > 0]
