"""L7 policies: actions and their targets, positions."""

from typing import Any

from tests.conformance.bench import Bench
from tests.conformance.fields import REFUSES, Field, Reads, rows
from tests.conformance.language import SETTLED, Ask, Row, Table, change, delete, listed, named, new, show
from tests.conformance.nouns import GONE
from tests.conformance.suite import check, each

URL = "https://www.example.org/"
PREFIX = "https://www.example.org"
BAD_URLS = [
    "www.example.org",
    "ftp://www.example.org/",
    "https://",
    "https:///path",
    "https://www.example.org/a b",
    "https://www.example.org/\n",
    "",
    7,
]
FIELDS = [
    Field("l7policy", "listener_id", ["{listener}"], [7, [], {}], fixed=True),
    Field("l7policy", "action", ["REJECT"], ["reject", "ACCEPT", "", 7], null=REFUSES),
    Field("REDIRECT_TO_URL l7policy", "redirect_url", [URL, "http://a.org/b?c=d"], BAD_URLS),
    Field("REDIRECT_PREFIX l7policy", "redirect_prefix", [PREFIX, "http://a.org/b"], BAD_URLS),
    Field("l7policy", "position", [1, Reads("1", 1)], [0, -1, 2**31, "first", 1.5, []], default=1),
    Field(
        "REDIRECT_TO_URL l7policy",
        "redirect_http_code",
        [301, 302, 303, 307, 308, Reads("301", 301)],
        [300, 304, 200, 404, "moved"],
        default=302,
        null=302,
    ),
]
REQUIRED = ("redirect_url", "redirect_prefix")
FIELD_ROWS = [
    row
    for row in rows(FIELDS)
    if not any(f"{name} null" in row.rule or f"without {name}" in row.rule for name in REQUIRED)
]


def of(action: str, **fields: Any) -> Ask:
    return new("l7policy", action=action, **fields)


TARGETS = [
    Row("REJECT needs no target", of("REJECT"), 201,
        {"action": "REJECT", "redirect_url": None, "redirect_prefix": None, "redirect_pool_id": None,
         "redirect_http_code": None}),
    Row("REDIRECT_TO_URL needs redirect_url", of("REDIRECT_TO_URL"), 400, "redirect_url"),
    Row("REDIRECT_TO_URL: null is no URL", of("REDIRECT_TO_URL", redirect_url=None), 400, "redirect_url"),
    Row("REDIRECT_PREFIX needs redirect_prefix", of("REDIRECT_PREFIX"), 400, "redirect_prefix"),
    Row("REDIRECT_TO_POOL needs redirect_pool_id", of("REDIRECT_TO_POOL"), 400, "redirect_pool_id"),
    Row("REDIRECT_TO_URL", of("REDIRECT_TO_URL", redirect_url=URL), 201,
        {"redirect_url": URL, "redirect_http_code": 302}),
    Row("REDIRECT_PREFIX", of("REDIRECT_PREFIX", redirect_prefix=PREFIX), 201,
        {"redirect_prefix": PREFIX, "redirect_http_code": 302}),
    Row("REDIRECT_TO_POOL", of("REDIRECT_TO_POOL", redirect_pool_id="{pool}"), 201,
        {"redirect_pool_id": "{pool}", "redirect_http_code": None}),
    Row("REDIRECT_TO_POOL needs a pool that is there", of("REDIRECT_TO_POOL", redirect_pool_id=GONE), 404,
        f"Pool {GONE} not found"),
    Row("the pool is of the same load balancer", of("REDIRECT_TO_POOL", redirect_pool_id="{foreign pool}"), 404,
        "not found"),
    *(Row(f"HTTP to a {protocol} pool {'is fine' if good else 'does not fit'}",
          of("REDIRECT_TO_POOL", redirect_pool_id=f"{{{protocol} pool}}"), 201 if good else 400,
          None if good else protocol)
      for protocol, good in (("HTTP", True), ("PROXY", True), ("PROXYV2", True), ("HTTPS", False), ("TCP", False),
                             ("UDP", False), ("SCTP", False))),
    *(Row(f"terminated HTTPS to a {protocol} pool {'is fine' if good else 'does not fit'}",
          new("TERMINATED_HTTPS l7policy", action="REDIRECT_TO_POOL", redirect_pool_id=f"{{{protocol} pool}}"),
          201 if good else 400, None if good else protocol)
      for protocol, good in (("HTTP", True), ("PROXY", True), ("HTTPS", False), ("TCP", False))),
    Row("REDIRECT_TO_URL drops a pool", of("REDIRECT_TO_URL", redirect_url=URL, redirect_pool_id="{pool}"), 201,
        {"action": "REDIRECT_TO_URL", "redirect_url": URL, "redirect_pool_id": None}),
    Row("REDIRECT_TO_POOL drops a URL", of("REDIRECT_TO_POOL", redirect_url=URL, redirect_pool_id="{pool}"), 201,
        {"action": "REDIRECT_TO_POOL", "redirect_url": None, "redirect_pool_id": "{pool}"}),
    Row("REJECT with a prefix stays REJECT", of("REJECT", redirect_prefix=PREFIX), 201,
        {"action": "REJECT", "redirect_prefix": None}),
    *(Row(f"REJECT drops {name}", of("REJECT", **{name: value}), 201, {"action": "REJECT", name: None})
      for name, value in (("redirect_url", URL), ("redirect_pool_id", "{pool}"), ("redirect_http_code", 301))),
    Row("changing the action to REJECT clears the URL", change("REDIRECT_TO_URL l7policy", action="REJECT"), 200,
        {"action": "REJECT", "redirect_url": None, "redirect_http_code": None}),
    Row("changing the action to a pool clears the URL",
        change("REDIRECT_TO_URL l7policy", action="REDIRECT_TO_POOL", redirect_pool_id="{pool}"), 200,
        {"redirect_url": None, "redirect_pool_id": "{pool}", "redirect_http_code": None}),
    Row("changing the action to a URL clears the pool",
        change("REDIRECT_TO_POOL l7policy", action="REDIRECT_TO_URL", redirect_url=URL), 200,
        {"redirect_url": URL, "redirect_pool_id": None, "redirect_http_code": 302}),
    Row("changing the action to a prefix clears the URL",
        change("REDIRECT_TO_URL l7policy", action="REDIRECT_PREFIX", redirect_prefix=PREFIX), 200,
        {"redirect_url": None, "redirect_prefix": PREFIX}),
    Row("changing the action needs its target", change("l7policy", action="REDIRECT_TO_URL"), 400, "redirect_url"),
    Row("PUT cannot take the URL away", change("REDIRECT_TO_URL l7policy", redirect_url=None), 400, "redirect_url"),
    Row("PUT cannot take the prefix away", change("REDIRECT_PREFIX l7policy", redirect_prefix=None), 400,
        "redirect_prefix"),
    Row("PUT cannot take the pool away", change("REDIRECT_TO_POOL l7policy", redirect_pool_id=None), 400,
        "redirect_pool_id"),
    Row("PUT of a pool that is not there", change("REDIRECT_TO_POOL l7policy", redirect_pool_id=GONE), 404,
        "not found"),
    Row("PUT of a pool that does not fit", change("REDIRECT_TO_POOL l7policy", redirect_pool_id="{TCP pool}"), 400,
        "TCP"),
    Row("PUT of an empty object is refused", change("l7policy"), 400),
    Row("PUT cannot move a policy", change("l7policy", listener_id="{TERMINATED_HTTPS listener}"), 400,
        "Unknown attribute for argument l7policy: listener_id"),
    Row("a listener that is not there", new("l7policy", listener_id=GONE), 404, f"Listener {GONE} not found"),
    Row("a listener's id that is no uuid", new("l7policy", listener_id="web"), 404, "not found"),
    *(Row(f"no policy on {protocol}", new("l7policy", listener_id=f"{{{protocol} listener}}"), 501, protocol)
      for protocol in ("TCP", "HTTPS", "UDP", "SCTP")),
    Row("nested rules are for full creates", new("l7policy", rules=[]), 400, "rules"),
    Row("redirect_pool is for full creates", of("REDIRECT_TO_POOL", redirect_pool={"name": "p"}), 400, "redirect_pool"),
    Row("the listener lists its policies", show("listener"), 200, {"l7policies": [{"id": "{l7policy}"}]},
        [show("l7policy")]),
    Row("a new policy has no rules", new("l7policy"), 201, {"rules": []}),
    Row("a policy lists its rules", show("l7policy"), 200, {"rules": [{"id": "{rule}"}]}, [show("rule")]),
    Row("policies go with their listener", delete("listener"), 204, None, [show("rule"), SETTLED],
        [(SETTLED, None), (listed("l7policy", "listener_id={listener}"), [])]),
]  # fmt: skip

THREE = [named("one", "l7policy", name="1"), named("two", "l7policy", name="2"), named("three", "l7policy", name="3")]


def order(*names: str) -> list[tuple[Any, Any]]:
    """The listener has these policies in this order, at positions from 1."""
    ids = [{"id": f"{{{name}}}"} for name in names]
    found = [{"id": f"{{{name}}}", "position": at} for at, name in enumerate(names, 1)]
    return [
        (show("listener"), {"l7policies": ids}),
        (listed("l7policy", "listener_id={listener}&sort=position"), found),
    ]


def move(which: str, /, **fields: Any) -> Ask:
    return Ask("PUT", f"/v2/lbaas/l7policies/{{{which}}}", {"l7policy": fields})


POSITIONS = [
    Row("a new policy is the last one", named("four", "l7policy"), 201, {"position": 4}, THREE,
        order("one", "two", "three", "four")),
    Row("inserting at 1 shifts the others", named("new", "l7policy", position=1), 201, {"position": 1}, THREE,
        order("new", "one", "two", "three")),
    Row("inserting in between shifts those behind", named("new", "l7policy", position=2), 201, {"position": 2}, THREE,
        order("one", "new", "two", "three")),
    Row("beyond the end is last", named("new", "l7policy", position=99), 201, {"position": 4}, THREE,
        order("one", "two", "three", "new")),
    Row("the largest position is last", named("new", "l7policy", position=2**31 - 1), 201, {"position": 4}, THREE,
        order("one", "two", "three", "new")),
    Row("a null position on POST is last", named("new", "l7policy", position=None), 201, {"position": 4}, THREE,
        order("one", "two", "three", "new")),
    Row("PUT moves up", move("three", position=1), 200, {"position": 1}, THREE, order("three", "one", "two")),
    Row("PUT moves down", move("one", position=2), 200, {"position": 2}, THREE, order("two", "one", "three")),
    Row("PUT beyond the end is last", move("one", position=99), 200, {"position": 3}, THREE,
        order("two", "three", "one")),
    Row("a null position on PUT changes nothing", move("two", position=None, name="x"), 200, {"position": 2}, THREE,
        order("one", "two", "three")),
    Row("PUT of its own position changes nothing", move("two", position=2), 200, {"position": 2}, THREE,
        order("one", "two", "three")),
    Row("the others close up", Ask("DELETE", "/v2/lbaas/l7policies/{one}"), 204, None, [*THREE, SETTLED],
        [(SETTLED, None), *order("two", "three")]),
    Row("the list of policies is in order of creation", listed("l7policy", "listener_id={listener}"), 200,
        [{"id": "{one}"}, {"id": "{two}"}, {"id": "{three}"}, {"id": "{new}"}],
        [*THREE, named("new", "l7policy", position=1)]),
    Row("positions belong to a listener", new("TERMINATED_HTTPS l7policy"), 201, {"position": 1}, THREE),
]  # fmt: skip

TABLES = [
    Table("10", "Fields of an L7 policy", FIELD_ROWS),
    Table("10", "Actions and targets", TARGETS),
    Table("10", "Positions", POSITIONS),
]


@each(TABLES)
def test_l7policy(bench: Bench, row: Row) -> None:
    check(bench, row)
