"""Health monitors: one for each pool, and what their types allow."""

from tests.conformance.bench import Bench
from tests.conformance.language import SETTLED, Row, Table, asking, change, delete, new, show
from tests.conformance.nouns import GONE
from tests.conformance.suite import check, each

TYPES = ("HTTP", "HTTPS", "PING", "TCP", "TLS-HELLO", "UDP-CONNECT", "SCTP")
OF_DATAGRAMS = {"UDP-CONNECT", "SCTP", "TCP", "HTTP"}
ONLY_DATAGRAMS = {"UDP-CONNECT", "SCTP"}
HTTP_ONLY = {"http_method": "GET", "url_path": "/", "expected_codes": "200"}
NO_HTTP = [kind for kind in TYPES if kind not in ("HTTP", "HTTPS")]


def fits(pool: str, kind: str) -> bool:
    return kind in OF_DATAGRAMS if pool in ("UDP", "SCTP") else kind not in ONLY_DATAGRAMS


def pair(pool: str, kind: str) -> Row:
    good = fits(pool, kind)
    rule = f"a {pool} pool {'takes' if good else 'refuses'} a monitor of type {kind}"
    ask = new(f"{kind} healthmonitor", pool_id=f"{{{pool} pool}}")
    return Row(rule, ask, 201 if good else 400, {"type": kind} if good else kind)


PAIRS = [pair(pool, kind) for pool in ("HTTP", "HTTPS", "TCP", "PROXY", "PROXYV2", "UDP", "SCTP") for kind in TYPES]
SINGLE = [
    Row("a pool has one monitor", new("healthmonitor"), 409, "health monitor", [show("healthmonitor")]),
    Row("one that is being deleted does not count", new("healthmonitor"), 201, None, [delete("healthmonitor")]),
    Row("a pool that is not there", new("healthmonitor", pool_id=GONE), 404, f"Pool {GONE} not found"),
    Row("a pool's id that is no uuid", new("healthmonitor", pool_id="web"), 404, "not found"),
    Row("it names its pool", new("healthmonitor"), 201, {"pools": [{"id": "{pool}"}]}),
    Row("PUT cannot change the type", change("healthmonitor", type="PING"), 400,
        "Unknown attribute for argument healthmonitor: type"),
    Row("the timeout may be longer than the delay", new("healthmonitor", delay=1, timeout=60), 201,
        {"delay": 1, "timeout": 60}),
    Row("PUT: the timeout may be longer than the delay", change("healthmonitor", timeout=60), 200, {"timeout": 60}),
    Row("UDP-CONNECT waits at least 3 seconds", new("UDP-CONNECT healthmonitor", delay=2), 400, "delay"),
    Row("UDP-CONNECT of 3 seconds", new("UDP-CONNECT healthmonitor", delay=3), 201, {"delay": 3}),
    Row("PUT: UDP-CONNECT waits at least 3 seconds", change("UDP-CONNECT healthmonitor", delay=2), 400, "delay"),
    Row("the operator sets how long UDP-CONNECT waits",
        asking("slow UDP", new("UDP-CONNECT healthmonitor", delay=9)), 400, "delay"),
    *(Row(f"{kind}: {name} is refused", new(f"{kind} healthmonitor", **{name: value}), 400, name)
      for kind in NO_HTTP for name, value in HTTP_ONLY.items()),
    *(Row(f"PUT {kind}: {name} is refused", change(f"{kind} healthmonitor", **{name: value}), 400, name)
      for kind in ("TCP", "PING") for name, value in HTTP_ONLY.items()),
    *(Row(f"PUT {kind}: {name} null is refused too", change(f"{kind} healthmonitor", **{name: None}), 400, name)
      for kind in ("TCP", "PING") for name in HTTP_ONLY),
    *(Row(f"{kind} has null for the fields of HTTP", new(f"{kind} healthmonitor"), 201,
          dict.fromkeys([*HTTP_ONLY, "http_version", "domain_name"])) for kind in NO_HTTP),
    *(Row(f"{kind} takes http_version and domain_name",
          new(f"{kind} healthmonitor", http_version=1.1, domain_name="www.example.org"), 201,
          {"http_version": 1.1, "domain_name": "www.example.org"}) for kind in ("TCP", "PING", "TLS-HELLO")),
    Row("a domain name needs a version", new("healthmonitor", domain_name="a.org"), 400, "http_version"),
    Row("a domain name needs version 1.1", new("healthmonitor", domain_name="a.org", http_version=1.0), 400,
        "http_version"),
    Row("PUT cannot take the version from under the name", change("healthmonitor", http_version=None), 400,
        "http_version", [change("healthmonitor", http_version=1.1, domain_name="a.org")]),
    Row("both go together", change("healthmonitor", http_version=None, domain_name=None), 200,
        {"http_version": None, "domain_name": None},
        [change("healthmonitor", http_version=1.1, domain_name="a.org")]),
    Row("http_version is a number in the answer", new("healthmonitor", http_version="1.0"), 201, {"http_version": 1.0}),
    Row("no description", new("healthmonitor", description="x"), 400,
        "Unknown attribute for argument healthmonitor: description"),
    Row("PING may be switched off", asking("no ping", new("PING healthmonitor")), 400, "PING"),
    Row("members have NO_MONITOR when it has gone", delete("healthmonitor"), 204, None,
        [show("healthmonitor"), show("member"), SETTLED],
        [(SETTLED, None), (show("member"), {"operating_status": "NO_MONITOR"})]),
]  # fmt: skip

TABLES = [
    Table("9", "Types of monitors and protocols of pools", PAIRS),
    Table("9", "What a health monitor may be", SINGLE),
]


@each(TABLES)
def test_health_monitor(bench: Bench, row: Row) -> None:
    check(bench, row)
