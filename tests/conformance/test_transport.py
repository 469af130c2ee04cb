"""Addresses, methods, headers, sizes and error shapes."""

import json
from typing import Any

from tests.conformance.bench import Bench
from tests.conformance.language import WHOLE, Ask, Fact, Row, Table, get, new, show
from tests.conformance.nouns import GONE, LBAAS, NOUNS, OCTAVIA
from tests.conformance.suite import check, each

LB = "loadbalancers/{loadbalancer}"
OWN = {"id": "{loadbalancer}"}
SECOND_SHAPE = {"code": 404, "title": Fact("a text", bool), "description": Fact("a text", bool)}
JSON = {"Content-Type": "application/json"}
LARGEST = 114688
COLLECTIONS = ("loadbalancers", "listeners", "pools", "healthmonitors", "l7policies", "flavors", "flavorprofiles",
               "availabilityzones", "availabilityzoneprofiles")  # fmt: skip


def at(path: str, status: int = 200, says: Any = OWN, method: str = "GET", **headers: str) -> Row:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    told = " ".join(f"{name}: {text!r}" for name, text in named.items())
    return Row(f"{method} {path} {told}".strip() + f" is {status}", Ask(method, path, headers=named), status, says)


VERSIONS = Fact("v2.0 to v2.30", lambda rows: [row["id"] for row in rows] == [f"v2.{n}" for n in range(31)])
DISCOVERY = [
    Row("the versions", Ask("GET", "/"), 200, VERSIONS),
    Row("the versions under the mount", Ask("GET", "/load-balancer/"), 200, VERSIONS),
    Row("the newest is CURRENT, the last one", Ask("GET", "/"), 200, Fact("one", lambda rows: [
        row["id"] for row in rows if row["status"] == "CURRENT"] == ["v2.30"])),
    Row("the others are SUPPORTED", Ask("GET", "/"), 200, Fact("all", lambda rows: {
        row["status"] for row in rows[:-1]} == {"SUPPORTED"})),
    Row("all refer to /v2", Ask("GET", "/"), 200, Fact("hrefs", lambda rows: all(
        row["links"][0]["href"].endswith("/v2") and row["links"][0]["rel"] == "self" for row in rows))),
    Row("under the mount they refer to it", Ask("GET", "/load-balancer/"), 200, Fact("hrefs", lambda rows: all(
        row["links"][0]["href"].endswith("/load-balancer/v2") for row in rows))),
    Row("versions have four keys", Ask("GET", "/"), 200, Fact("keys", lambda rows: all(
        set(row) == {"id", "status", "updated", "links"} for row in rows))),
    Row("with the operator's base", Ask("GET", "/", app="other base"), 200, Fact("hrefs", lambda rows: all(
        row["links"][0]["href"] == "https://lb.example.org/load-balancer/v2" for row in rows))),
    *(Row(f"{path} is a version document", Ask("GET", path), 200, {WHOLE: Fact(
        "an object", lambda answer: isinstance(answer, dict) and "version" in str(answer))})
      for path in ("/v2", "/v2/", "/v2.0", "/v2.0/", "/v2/lbaas", "/v2.0/lbaas", "/load-balancer/v2")),
]  # fmt: skip
ALIASES = [
    *(at(f"{prefix}/{LB}") for prefix in ("/v2", "/v2.0", "/v2/lbaas", "/v2.0/lbaas", "/load-balancer/v2",
                                          "/load-balancer/v2.0/lbaas", "/load-balancer/v2/lbaas")),
    at(f"/v2/lbaas/{LB}.json"),
    at(f"/v2/lbaas/{LB}/"),
    *(at(f"/v2/lbaas/{name}{end}", 200, Fact("a list", lambda rows: isinstance(rows, list)))
      for name in COLLECTIONS for end in ("", ".json", "/")),
    *(at(f"{prefix}/amphorae", 200, Fact("a list", lambda rows: isinstance(rows, list)))
      for prefix in ("/v2/octavia", "/v2.0/octavia", "/load-balancer/v2/octavia")),
    at("/v2/lbaas/octavia/amphorae", 404, SECOND_SHAPE),
    *(at(path, 404, SECOND_SHAPE) for path in ("/nothing", "/v3/loadbalancers", "/v2/nothing", "/v2/lbaas/nothing",
                                               f"/v2/lbaas/{LB}/nothing", "/v1/loadbalancers")),
    *(at(f"/v2/lbaas/{LB}", OpenStack_API_Version=text) for text in ("load-balancer 2.5", "load-balancer 9.9")),
]  # fmt: skip
ACCEPT = [
    *(
        at(f"/v2/lbaas/{LB}", Accept=text)
        for text in (
            "",
            "*/*",
            "application/json",
            "application/*",
            "text/html, application/json;q=0.5",
            "text/html,*/*;q=0.1",
        )
    ),
    *(at(f"/v2/lbaas/{LB}", 406, {"code": 406}, Accept=text) for text in ("text/html", "application/xml", "image/*")),
    at("/v2/lbaas/loadbalancers", 406, {"code": 406}, Accept="text/plain"),
]


def wish(size: int) -> bytes:
    """A body of so many bytes that is otherwise right."""
    start = b'{"loadbalancer": {"vip_subnet_id": "22222222-0000-4000-8000-000000000004"}}'
    return start + b" " * (size - len(start))


def sent(rule: str, status: int, raw: bytes, kind: str | None, says: Any = None) -> Row:
    headers = {} if kind is None else {"Content-Type": kind}
    return Row(rule, Ask("POST", f"{LBAAS}/loadbalancers", raw=raw, headers=headers), status, says)


BODIES = [
    sent("JSON", 201, wish(200), "application/json"),
    sent("JSON with a charset", 201, wish(200), "application/json; charset=utf-8"),
    sent("JSON in capitals", 201, wish(200), "Application/JSON"),
    sent("a body without a type", 415, wish(200), "", {"code": 415}),
    *(sent(f"a body of {kind}", 415, wish(200), kind, {"code": 415})
      for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "text/json")),
    sent("the largest body", 201, wish(LARGEST), "application/json"),
    sent("one byte more", 413, wish(LARGEST + 1), "application/json"),
    sent("ten times more", 413, wish(LARGEST * 10), "application/json"),
    Row("a PUT of a large body", Ask("PUT", f"{LBAAS}/{LB}", raw=wish(LARGEST + 1), headers=JSON), 413),
    Row("413 may have the second shape", Ask("POST", f"{LBAAS}/pools", raw=wish(LARGEST + 1), headers=JSON), 413,
        {"code": 413}),
]  # fmt: skip
METHODS = [
    *(Row(f"HEAD of {path} is 405", Ask("HEAD", f"{LBAAS}/{path}"), 405) for path in (LB, *COLLECTIONS)),
    *(Row(f"OPTIONS of {path} is 200 and empty", Ask("OPTIONS", f"{LBAAS}/{path}"), 200,
          Fact("empty", lambda text: text == "")) for path in (LB, *COLLECTIONS)),
    *(Row(f"PATCH of {path} is 405", Ask("PATCH", f"{LBAAS}/{path}"), 405, {"code": 405})
      for path in (LB, "loadbalancers", "listeners", "quotas/{project}")),
    *(Row(f"{method} of a collection is 405", Ask(method, f"{LBAAS}/loadbalancers"), 405, {"code": 405})
      for method in ("PUT", "DELETE")),
    *(Row(f"{method} of {what} is 405", Ask(method, f"{LBAAS}/{LB}/{what}"), 405, {"code": 405})
      for what in ("status", "statuses", "stats") for method in ("PUT", "POST", "DELETE")),
    *(Row(f"{method} of a failover is 405", Ask(method, f"{LBAAS}/{LB}/failover"), 405, {"code": 405})
      for method in ("GET", "POST", "DELETE")),
    *(Row(f"{method} of providers is 405", Ask(method, f"{LBAAS}/providers"), 405, {"code": 405})
      for method in ("POST", "PUT", "DELETE")),
    Row("POST of a quota is 405", Ask("POST", f"{LBAAS}/quotas", {"quota": {}}), 405, {"code": 405}),
    Row("POST of an item is 405", Ask("POST", f"{LBAAS}/{LB}", {"loadbalancer": {}}), 405, {"code": 405}),
    Row("POST of a healthcheck is 405", Ask("POST", "/healthcheck"), 405),
]  # fmt: skip
HEALTH = [
    Row("it says OK", Ask("GET", "/healthcheck"), 200, "OK"),
    Row("under the mount too", Ask("GET", "/load-balancer/healthcheck"), 200, "OK"),
    Row("in HTML", Ask("GET", "/healthcheck", headers={"Accept": "text/html"}), 200, "OK"),
    Row("in JSON", Ask("GET", "/healthcheck", headers={"Accept": "application/json"}), 200,
        {"detailed": False, "reasons": ["OK"]}),
    Row("in plain text", Ask("GET", "/healthcheck", headers={"Accept": "text/plain"}), 200, "OK"),
    Row("HEAD", Ask("HEAD", "/healthcheck"), 200),
    Row("it may be switched off", Ask("GET", "/healthcheck", app="no healthcheck"), 404),
    Row("it needs nobody's name", Ask("GET", "/healthcheck", app="keystone"), 200, "OK"),
    Row("the versions need nobody's name", Ask("GET", "/", app="keystone"), 200, VERSIONS),
]  # fmt: skip
SHAPES = [
    Row("a refused value has the first shape", new("loadbalancer", name="x" * 256), 400,
        {"faultcode": "Client", "debuginfo": None, "faultstring": Fact("a sentence", lambda text: "name" in text)}),
    Row("the first shape has three keys", new("loadbalancer", name="x" * 256), 400,
        Fact("three keys", lambda answer: set(answer) == {"faultcode", "faultstring", "debuginfo"})),
    Row("a missing object has the first shape", get(f"listeners/{GONE}"), 404, {"faultcode": "Client"}),
    Row("the second shape has three keys", get("nothing"), 404,
        Fact("three keys", lambda answer: set(answer) == {"code", "title", "description"})),
    Row("bad JSON has the first shape", Ask("POST", f"{LBAAS}/pools", raw=b"{", headers=JSON), 400,
        {"faultcode": "Client"}),
    Row("a conflict has the first shape", new("listener"), 409, {"faultcode": "Client"}, [show("listener")]),
    Row("no NUL in a text", Ask("POST", f"{LBAAS}/loadbalancers", raw=json.dumps(
        {"loadbalancer": {"vip_subnet_id": "x", "name": "a\0b"}}).encode(), headers=JSON), 400, "NUL"),
    Row("no half of a character", Ask("POST", f"{LBAAS}/loadbalancers", raw=(
        b'{"loadbalancer": {"vip_subnet_id": "x", "name": "\\ud800"}}'), headers=JSON), 400),
    Row("deep JSON", Ask("POST", f"{LBAAS}/loadbalancers", raw=b"[" * 50000, headers=JSON), 400),
    Row("a bad path is not found", Ask("GET", f"{LBAAS}/loadbalancers/%00"), 404),
    Row("tokens do not matter without authentication", Ask("GET", f"{LBAAS}/{LB}", headers={"X-Auth-Token": "notused"}),
        200, OWN),
    Row("projects are answered without authentication", Ask("GET", "/projects/{project}"), 200, {"id": "{project}"}),
    Row("the project of the header", Ask("POST", f"{LBAAS}/loadbalancers", {"loadbalancer": {
        "vip_subnet_id": "{subnet}"}}, headers={"X-Project-Id": "{project}"}), 201, {"project_id": "{project}"}),
    Row("a header that is no project", Ask("GET", f"{LBAAS}/loadbalancers", headers={"X-Project-Id": "x" * 37}), 400),
    *(Row(f"a name is not an id: {noun.path}", Ask("GET", f"{LBAAS}/{noun.path}/a-name"), 404, None)
      for noun in NOUNS.values() if "{" not in noun.path and noun.path not in ("quotas",)),
    Row("an amphora by name", Ask("GET", f"{OCTAVIA}/amphorae/a-name"), 404, None),
]  # fmt: skip

TABLES = [
    Table("1", "Discovery", DISCOVERY),
    Table("1", "Addresses and their aliases", ALIASES),
    Table("1", "Accept", ACCEPT),
    Table("13", "Bodies: types and sizes", BODIES),
    Table("13", "Methods", METHODS),
    Table("1", "Health check", HEALTH),
    Table("1", "Shapes of errors, and what stands around", SHAPES),
]


@each(TABLES)
def test_transport(bench: Bench, row: Row) -> None:
    check(bench, row)
