"""What clients ask before they ask for load balancers."""

import dataclasses
from typing import Any

import pytest

from octavia.api.app import build
from octavia.api.ports import Services
from tests.api.world import Api, FakeNetwork


@pytest.mark.parametrize(
    ("path", "base"), [("/", ""), ("/load-balancer/", "/load-balancer"), ("/load-balancer", "/load-balancer")]
)
def test_versions(api: Api, path: str, base: str) -> None:
    versions = api.get(path)["versions"]
    assert [version["id"] for version in versions] == [f"v2.{minor}" for minor in range(31)]
    assert [version["status"] for version in versions] == ["SUPPORTED"] * 30 + ["CURRENT"]
    assert {version["links"][0]["href"] for version in versions} == {f"http://falconframework.org{base}/v2"}


@pytest.mark.parametrize("path", ["/v2", "/v2/", "/v2.0", "/v2.0/", "/v2/lbaas", "/v2.0/lbaas/", "/load-balancer/v2.0"])
def test_one_version(api: Api, path: str) -> None:
    assert api.get(path)["version"]["id"] == "v2.30"


@pytest.mark.parametrize(
    "path",
    [
        "/v2/loadbalancers",
        "/v2.0/loadbalancers",
        "/v2/lbaas/loadbalancers",
        "/v2.0/lbaas/loadbalancers/",
        "/v2.0/lbaas/loadbalancers.json",
        "/load-balancer/v2/lbaas/loadbalancers",
    ],
)
def test_spellings(api: Api, path: str) -> None:
    assert api.get(path) == {"loadbalancers": [], "loadbalancers_links": []}


def test_the_base_of_links_can_be_told(services: Services) -> None:
    api = Api(build(dataclasses.replace(services, api_base_uri="https://lb.example/api/")))
    assert api.get("/")["versions"][0]["links"][0]["href"] == "https://lb.example/api/v2"
    api.load_balancer()
    href = api.get("/v2/loadbalancers", query_string="limit=1")["loadbalancers_links"][0]["href"]
    assert href.startswith("https://lb.example/api/v2/loadbalancers?")


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "application/*", "text/html, */*;q=0.1"])
def test_accepted(api: Api, accept: str) -> None:
    api.get("/v2/loadbalancers", headers={"Accept": accept})


def test_options(api: Api) -> None:
    result = api.ask("OPTIONS", "/v2/loadbalancers")
    assert (result.status_code, result.content) == (200, b"")
    assert {"GET", "POST"} <= set(result.headers["Allow"].split(", "))


def test_projects(api: Api) -> None:
    assert api.get("/projects/abc")["project"]["id"] == "abc"


@pytest.mark.parametrize(
    ("accept", "kind", "body"),
    [
        ("", "text/plain", "OK"),
        ("*/*", "text/plain", "OK"),
        ("text/html", "text/html", "<!DOCTYPE html><title>OK</title><p>OK</p>"),
        ("application/json", "application/json", '{"detailed":false,"reasons":["OK"]}'),
    ],
)
def test_healthy(api: Api, accept: str, kind: str, body: str) -> None:
    result = api.ask("GET", "/healthcheck", headers={"Accept": accept})
    assert (result.status_code, result.text) == (200, body)
    assert result.headers["Content-Type"].startswith(kind)
    assert api.ask("HEAD", "/load-balancer/healthcheck").status_code == 200


def test_unhealthy(services: Services, database: Any) -> None:
    class Broken:
        def read(self) -> Any:
            raise OSError("no database")

    broken: Any = Broken()
    api = Api(build(dataclasses.replace(services, store=broken)))
    assert api.ask("GET", "/healthcheck").status_code == 503
    answer = api.get("/v2/loadbalancers", 500)
    assert answer["faultcode"] == "Server"
    assert "no database" not in answer["faultstring"]


def test_no_healthcheck(services: Services) -> None:
    Api(build(dataclasses.replace(services, healthcheck_enabled=False))).get("/healthcheck", 404)


NETWORK_PATHS = [
    ("subnets", "subnet"),
    ("networks", "network"),
    ("ports", "port"),
    ("security-groups", "security_group"),
    ("qos/policies", "policy"),
    ("floatingips", "floatingip"),
]


@pytest.mark.parametrize("version", ["v2", "v2.0"])
@pytest.mark.parametrize(("path", "singular"), NETWORK_PATHS)
def test_network_lists(api: Api, version: str, path: str, singular: str) -> None:
    api.load_balancer()
    plural = "policies" if singular == "policy" else f"{singular}s"
    rows = api.get(f"/{version}/{path}")[plural]
    for row in rows:
        assert api.get(f"/{version}/{path}/{row['id']}") == {singular: row}
    api.get(f"/{version}/{path}/nobody", 404)
    assert bool(rows) == (path in ("subnets", "networks", "ports"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=demo-subnet", "demo"),
        ("id=demo", "demo"),
        ("name=demo", ""),
        ("id=demo&id=six&id=nobody", "demo six"),
        ("ip_version=6", "six"),
        ("network_id=net-2", "other"),
        ("enable_dhcp=False&id=demo", "demo"),
        ("limit=1", "six"),
        ("limit=1&marker=six", "tiny"),
        ("marker=other", ""),
    ],
)
def test_network_filters(api: Api, query: str, expected: str) -> None:
    rows = api.get("/v2.0/subnets", query_string=query)["subnets"]
    assert [row["id"] for row in rows] == expected.split()


def test_network_fields(api: Api) -> None:
    assert api.get("/v2.0/subnets", query_string="id=demo&fields=id&fields=name")["subnets"] == [
        {"id": "demo", "name": "demo-subnet"}
    ]
    api.get("/v2.0/subnets", 400, query_string="colour=red")


def test_ports_tell_whose_they_are(api: Api, network: FakeNetwork) -> None:
    top = api.load_balancer()
    (port,) = api.get("/v2/ports", query_string=f"device_id={top}")["ports"]
    assert port["fixed_ips"] == [{"subnet_id": "demo", "ip_address": "192.0.2.1"}]
