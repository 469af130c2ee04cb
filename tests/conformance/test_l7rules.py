"""L7 rules: types, compare types, keys and values."""

from typing import Any

from tests.conformance.bench import Bench
from tests.conformance.fields import REFUSES, Field, rows
from tests.conformance.language import LEFT_OUT, Ask, Row, Table, change, get, new, show
from tests.conformance.nouns import GONE
from tests.conformance.suite import check, each

TYPES = ("HOST_NAME", "PATH", "FILE_TYPE", "HEADER", "COOKIE", "SSL_CONN_HAS_CERT", "SSL_VERIFY_RESULT", "SSL_DN_FIELD")
COMPARES = ("REGEX", "STARTS_WITH", "ENDS_WITH", "CONTAINS", "EQUAL_TO")
ALLOWED = {"FILE_TYPE": ("REGEX", "EQUAL_TO"), "SSL_CONN_HAS_CERT": ("EQUAL_TO",), "SSL_VERIFY_RESULT": ("EQUAL_TO",)}
KEYED = ("HEADER", "COOKIE", "SSL_DN_FIELD")
UNKEYED = ("HOST_NAME", "PATH", "FILE_TYPE")
PARSING = "Error parsing L7Rule"

FIELDS = [
    Field("rule", "type", ["PATH", "HOST_NAME"], ["path", "BODY", "", 7], null=REFUSES),
    Field("rule", "compare_type", ["STARTS_WITH", "EQUAL_TO"], ["equal_to", "LIKE", "", 7], null=REFUSES),
    Field("rule", "value", ["/a", "x" * 255], ["x" * 256, "a\nb", "a\rb", 7, []], null=REFUSES),
    Field("HEADER rule", "key", ["X-Other", "x" * 255], ["x" * 256, "a b", "a:b", "a\nb", "", 7], null=REFUSES),
    Field("rule", "invert", [True, False], ["perhaps", 2], default=False, null=False),
]


def compared(kind: str, compare: str) -> list[Row]:
    good = compare in ALLOWED.get(kind, COMPARES)
    rule = f"{kind} {'can' if good else 'cannot'} be compared by {compare}"
    says: Any = {"type": kind, "compare_type": compare} if good else PARSING
    put = change(f"{kind} rule", compare_type=compare)
    return [
        Row(rule, new(f"{kind} rule", compare_type=compare), 201 if good else 400, says),
        Row(f"PUT: {rule}", put, 200 if good else 400, says),
    ]


def value(kind: str, text: str, good: bool, **more: Any) -> Row:
    rule = f"{kind} of {text!r} {' '.join(more.values())} is {'fine' if good else 'refused'}"
    wish = new(f"{kind} rule", value=text, **more)
    return Row(rule, wish, 201 if good else 400, {"value": text} if good else PARSING)


VALUES = [
    *(Row(f"{kind} needs a key", new(f"{kind} rule", key=LEFT_OUT), 400, "key") for kind in KEYED),
    *(Row(f"{kind}: null is no key", new(f"{kind} rule", key=None), 400, "key") for kind in KEYED),
    *(Row(f"PUT to {kind} needs a key", change("rule", type=kind), 400, "key") for kind in KEYED),
    *(Row(f"PUT to {kind} clears the key", change("HEADER rule", type=kind, compare_type="EQUAL_TO", value="a"), 200,
          {"type": kind, "key": None}) for kind in UNKEYED),
    *(Row(f"{kind} takes no key", new(f"{kind} rule", key="k"), 400, PARSING)
      for kind in ("SSL_CONN_HAS_CERT", "SSL_VERIFY_RESULT")),
    *(Row(f"{kind} key {key!r} is refused", new(f"{kind} rule", key=key), 400, "key")
      for kind in KEYED for key in ("a b", "a(b", "a\tb")),
    *(Row(f"SSL_DN_FIELD key {key!r} is refused", new("SSL_DN_FIELD rule", key=key), 400, "key")
      for key in ("1a", "a_b", "-a")),
    *(Row(f"SSL_DN_FIELD key {key!r} is fine", new("SSL_DN_FIELD rule", key=key), 201, {"key": key})
      for key in ("CN", "emailAddress", "a-1")),
    value("SSL_CONN_HAS_CERT", "true", True),
    value("SSL_CONN_HAS_CERT", "false", False),
    value("SSL_CONN_HAS_CERT", "yes", False),
    value("SSL_VERIFY_RESULT", "0", True),
    value("SSL_VERIFY_RESULT", "20", True),
    value("SSL_VERIFY_RESULT", "-1", False),
    value("SSL_VERIFY_RESULT", "ok", False),
    value("PATH", "[", False, compare_type="REGEX"),
    value("PATH", "(a", False, compare_type="REGEX"),
    value("PATH", "^/a.*z$", True, compare_type="REGEX"),
    value("HOST_NAME", "*", False, compare_type="REGEX"),
    value("COOKIE", "a b", False),
    value("COOKIE", '"a b"', True),
    value("HEADER", "a b", False),
    value("HEADER", '"a b"', True),
    Row("a value is needed", new("rule", value=LEFT_OUT), 400, "value"),
    Row("an empty value is none", new("rule", value=""), 400, None),
    Row("PUT of a value that does not compile", change("rule", compare_type="REGEX", value="["), 400, PARSING),
    Row("PUT of the type alone is checked with the rest", change("rule", type="FILE_TYPE"), 400, PARSING),
]  # fmt: skip

RULES = [new("rule", compare_type="EQUAL_TO", value=f"/{number}") for number in range(50)]
NESTING = [
    Row("a policy has up to 50 rules", RULES[-1], 201, None, RULES[:-1]),
    Row("the 51st rule", new("rule"), 409, "50", RULES),
    Row("a policy that is not there: POST",
        Ask("POST", f"/v2/lbaas/l7policies/{GONE}/rules", {"rule": {"type": "PATH", "compare_type": "EQUAL_TO",
                                                                    "value": "/"}}), 404),
    Row("a policy that is not there: list", get(f"l7policies/{GONE}/rules"), 404),
    Row("a rule that is not there", get(f"l7policies/{{l7policy}}/rules/{GONE}"), 404, f"{GONE} not found"),
    Row("a rule of another policy: GET", get("l7policies/{other l7policy}/rules/{rule}"), 404, "not found"),
    Row("a rule of another policy: PUT",
        Ask("PUT", "/v2/lbaas/l7policies/{other l7policy}/rules/{rule}", {"rule": {"value": "/x"}}), 404, "not found"),
    Row("a rule of another policy: DELETE", Ask("DELETE", "/v2/lbaas/l7policies/{other l7policy}/rules/{rule}"), 404,
        "not found"),
    Row("a rule has no name", new("rule", name="x"), 400, "Unknown attribute for argument rule: name"),
    Row("PUT: a rule has no name", change("rule", name="x"), 400, "Unknown attribute"),
    Row("a rule has no description", new("rule", description="x"), 400, "Unknown attribute"),
    Row("a rule's root key is rule", Ask("POST", "/v2/lbaas/l7policies/{l7policy}/rules", {"l7rule": {}}), 400, "rule"),
    Row("the two same rules are no conflict", new("rule"), 201, None, [show("rule")]),
]  # fmt: skip

TABLES = [
    Table("10", "Fields of an L7 rule", rows(FIELDS)),
    Table(
        "10",
        "Types and compare types",
        [row for kind in TYPES for compare in COMPARES for row in compared(kind, compare)],
    ),
    Table("10", "Keys and values", VALUES),
    Table("10", "Rules of a policy", NESTING),
]


@each(TABLES)
def test_l7rule(bench: Bench, row: Row) -> None:
    check(bench, row)
