"""What the small Network API tells a tenant: of others' networks, subnets and VIPs nothing."""

import dataclasses

import falcon
import pytest

from octavia.api.app import build
from octavia.api.caller import Caller
from octavia.api.ports import Services
from tests.api.world import Api, FakeNetwork, subnet

MINE, THEIRS = "m" * 32, "t" * 32


class AdministratorsAlone:
    """All are allowed what is asked for a project; what goes beyond projects is for administrators."""

    def allows(self, caller: Caller, rule: str, project_id: str | None) -> bool:
        return caller.is_admin or (project_id is not None and caller.project_id == project_id)


def authenticate(request: falcon.Request, request_id: str) -> Caller:
    project_id = request.get_header("X-Project-Id")
    return Caller(project_id=project_id, user_id="u", is_admin=project_id is None, request_id=request_id)


@pytest.fixture
def tenants(services: Services, network: FakeNetwork) -> Api:
    network.places["theirs"] = subnet("theirs", "203.0.113.0/24", "net-2", project_id=THEIRS)
    return Api(build(dataclasses.replace(services, permissions=AdministratorsAlone()), authenticate))


def as_project(project_id: str) -> dict[str, str]:
    return {"X-Project-Id": project_id}


def create(api: Api, project_id: str, status: int = 201, **fields: str) -> dict[str, str]:
    body = {"loadbalancer": {"vip_subnet_id": "demo", **fields}}
    answer = api.expect(status, "POST", "/v2/loadbalancers", body, headers=as_project(project_id))
    found: dict[str, str] = answer.get("loadbalancer", answer)
    return found


def test_ports_are_those_of_the_own_vips(tenants: Api) -> None:
    mine, theirs = create(tenants, MINE), create(tenants, THEIRS)
    ports = tenants.get("/v2/ports", headers=as_project(MINE))["ports"]
    assert [port["id"] for port in ports] == [mine["vip_port_id"]]
    tenants.get(f"/v2/ports/{mine['vip_port_id']}", headers=as_project(MINE))
    tenants.get(f"/v2/ports/{theirs['vip_port_id']}", 404, headers=as_project(MINE))
    assert len(tenants.get("/v2/ports")["ports"]) == 2


def test_a_port_in_use_is_not_said_to_be_whose(tenants: Api) -> None:
    theirs = create(tenants, THEIRS)
    refused = create(tenants, MINE, 400, vip_port_id=theirs["vip_port_id"])
    assert theirs["id"] not in refused["faultstring"]


def test_subnets_of_others_are_not_there(tenants: Api) -> None:
    names = {row["id"] for row in tenants.get("/v2/subnets", headers=as_project(MINE))["subnets"]}
    assert "demo" in names
    assert "theirs" not in names
    tenants.get("/v2/subnets/theirs", 404, headers=as_project(MINE))
    tenants.get("/v2/subnets/theirs", headers=as_project(THEIRS))
    assert "not found" in create(tenants, MINE, 400, vip_subnet_id="theirs")["faultstring"]
    assert create(tenants, THEIRS, vip_subnet_id="theirs")["vip_subnet_id"] == "theirs"
