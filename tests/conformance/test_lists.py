"""Lists: filters, sort, pages, fields, tags. Each row has a project of its own with three load balancers, or one whose
children are listed."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.conformance.bench import Bench
from tests.conformance.language import SETTLED, WHOLE, Ask, Fact, Row, Table, asking, keys, listed, named, new, show
from tests.conformance.nouns import GONE, LBAAS, SERVED, plural
from tests.conformance.suite import check, each

OWN = "project_id={project}"
THREE = [
    named("a", "loadbalancer", name="a", description="y", tags=["red"]),
    named("b", "loadbalancer", name="b", description="x", tags=["blue", "red"], admin_state_up=False),
    named("c", "loadbalancer", name="c", description="x", tags=["green"]),
]


def lbs(query: str = "", app: str = "noauth") -> Ask:
    return asking(app, listed("loadbalancer", f"{OWN}&{query}" if query else OWN))


def ids(*names: str) -> list[Any]:
    return [{"id": f"{{{name}}}"} for name in names]


def finds(query: str, names: str, rule: str = "", app: str = "noauth") -> Row:
    return Row(rule or f"?{query}", lbs(query, app), 200, ids(*names), THREE)


def refuses(query: str, says: str | None = None, rule: str = "") -> Row:
    return Row(rule or f"?{query} is refused", lbs(query), 400, says, THREE)


DUPLICATE = "One or more arguments are either duplicate or invalid"
FILTERS = {
    "loadbalancer": "id name description provisioning_status operating_status admin_state_up project_id created_at "
    "vip_address vip_port_id vip_subnet_id vip_network_id vip_vnic_type provider",
    "listener": "id name description provisioning_status operating_status admin_state_up project_id created_at "
    "protocol protocol_port connection_limit timeout_client_data timeout_member_connect timeout_member_data "
    "timeout_tcp_inspect client_authentication hsts_include_subdomains hsts_preload",
    "pool": "id name description provisioning_status operating_status admin_state_up project_id created_at protocol "
    "lb_algorithm tls_enabled",
    "member": "id name provisioning_status operating_status admin_state_up project_id created_at address protocol_port "
    "weight backup vnic_type",
    "healthmonitor": "id name provisioning_status operating_status admin_state_up project_id created_at type delay "
    "timeout max_retries max_retries_down http_method url_path expected_codes",
    "l7policy": "id name description provisioning_status operating_status admin_state_up project_id created_at "
    "listener_id action position",
    "rule": "id provisioning_status operating_status admin_state_up project_id created_at type compare_type value "
    "invert",
}
PARENTS = {
    "listener": "loadbalancer_id={loadbalancer}",
    "pool": "loadbalancer_id={loadbalancer}",
    "healthmonitor": "pool_id={pool}",
    "l7policy": "listener_id={listener}",
}
COMPLEX = {
    "loadbalancer": "listeners pools additional_vips vip_sg_ids",
    "listener": "allowed_cidrs insert_headers l7policies loadbalancers sni_container_refs tls_versions alpn_protocols",
    "pool": "session_persistence members listeners loadbalancers healthmonitor_id",
    "healthmonitor": "pools",
    "l7policy": "rules",
}


def by_own_value(noun: str, name: str) -> Row:
    """The filter is written with what a GET shows; the answer has the object, and all in it have this value."""
    path = f"{listed(noun).path}"
    value = f"{{{noun}.{name}}}"
    return Row(f"{plural(noun)} by {name}", Ask("GET", path, query=f"{OWN}&{name}={value}"), 200,
               [{"id": f"{{{noun}}}"}], [show(noun)])  # fmt: skip


def without_match(noun: str, name: str, value: str) -> Row:
    return Row(f"{plural(noun)} by another {name}: none", listed(noun, f"{OWN}&{name}={value}"), 200, [], [show(noun)])


OTHERS = {"id": GONE, "name": "nobody", "description": "nothing", "admin_state_up": "false", "protocol_port": "9",
          "provisioning_status": "ERROR", "operating_status": "DEGRADED", "type": "TCP", "weight": "99",
          "address": "192.0.2.254", "action": "REDIRECT_TO_URL", "invert": "true"}  # fmt: skip
SCALARS = [by_own_value(noun, name) for noun in SERVED for name in FILTERS[noun].split() if name != "project_id"] + [
    without_match(noun, name, value)
    for noun in SERVED
    for name, value in OTHERS.items()
    if name in FILTERS[noun].split()
]
FILTER_RULES = [
    finds("name=a", "a"),
    finds("name=a&description=x", "", "filters are ANDed: none"),
    finds("name=b&description=x", "b", "filters are ANDed: one"),
    finds("name=nobody", ""),
    *(finds(f"admin_state_up={text}", "ac") for text in ("true", "True", "yes", "on", "1", "t")),
    *(finds(f"admin_state_up={text}", "b") for text in ("false", "FALSE", "no", "off", "0", "f")),
    *(refuses(f"admin_state_up={text}", "admin_state_up") for text in ("perhaps", "2", "")),
    refuses("colour=red", DUPLICATE),
    refuses("name=a&name=b", DUPLICATE),
    refuses("name=a&name=a", DUPLICATE, "the same filter twice is refused"),
    Row("tenant_id is no filter", listed("loadbalancer", "tenant_id={project}"), 400, DUPLICATE, THREE),
    *(Row(f"{plural(noun)} by {name} is refused", listed(noun, f"{name}=x"), 400, DUPLICATE, [show(noun)])
      for noun, names in COMPLEX.items() for name in names.split()),
    *(Row(f"{plural(noun)} by parent {parent}", listed(noun, parent), 200, [{"id": f"{{{noun}}}"}], [show(noun)])
      for noun, parent in PARENTS.items()),
    *(Row(f"{plural(noun)} by another {parent.partition('=')[0]}: none",
          listed(noun, f"{parent.partition('=')[0]}={GONE}"), 200, [], [show(noun)])
      for noun, parent in PARENTS.items()),
    Row("the path of members is a filter", listed("member"), 200, [{"id": "{member}"}],
        [show("member"), Ask("POST", f"{LBAAS}/pools/{{other pool}}/members",
                             {"member": {"address": "192.0.2.77", "protocol_port": 80}})]),
    Row("the path of rules is a filter", listed("rule"), 200, [{"id": "{rule}"}],
        [show("rule"), Ask("POST", f"{LBAAS}/l7policies/{{other l7policy}}/rules",
                           {"rule": {"type": "PATH", "compare_type": "EQUAL_TO", "value": "/"}})]),
    Row("a number that is none is refused", listed("listener", "protocol_port=http"), 400, "protocol_port",
        [show("listener")]),
    Row("filtering may be switched off", lbs("name=a&sort=created_at:desc", "no filtering"), 200,
        Fact("others too", lambda rows: {row["name"] for row in rows} > {"a", "b", "c"}), THREE),
]  # fmt: skip
SORTING = [
    finds("", "abc", "the default order is that of creation"),
    finds("sort=name", "abc"),
    finds("sort=name:asc", "abc"),
    finds("sort=name:desc", "cba"),
    finds("sort=description,name:desc", "cba", "the second key decides among equals"),
    finds("sort=description,name", "bca"),
    finds("sort=description:desc,name:desc", "acb"),
    finds("sort=description", "bca", "among equals the order is that of creation"),
    finds("sort_key=name&sort_dir=desc", "cba"),
    finds("sort_key=name", "abc"),
    finds("sort_key=description,name&sort_dir=asc,desc", "cba"),
    finds("sort=created_at:desc", "cba"),
    finds("sort=provisioning_status,name:desc", "cba"),
    refuses("sort=colour", None),
    refuses("sort_key=colour", None),
    refuses("sort=name:sideways", None),
    refuses("sort_key=name&sort_dir=sideways", None),
    Row("a bad direction has the second shape", lbs("sort=name:sideways"), 400, {"code": 400}),
    refuses("sort=listeners", None),
    finds("sort=name:desc", "abc", "sorting may be switched off", "no sorting"),
]


def links(answer: Any) -> dict[str, str]:
    found = next(value for name, value in answer.items() if name.endswith("_links"))
    return {link["rel"]: link["href"] for link in found}


def link(rule: str, holds: Callable[[dict[str, str]], bool]) -> Fact:
    return Fact(rule, lambda answer: holds(links(answer)))


def arguments(href: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(href).query)


def has(rels: str) -> Fact:
    return link(f"the links {rels or 'none'}", lambda found: set(found) == set(rels.split()))


def page(rule: str, query: str, fact: Fact, app: str = "noauth", names: Sequence[str] = "") -> Row:
    """The links of a page; the answer is looked at as a whole."""
    fields = {"loadbalancers": ids(*names)} if names else {}
    expected = Fact(f"{fact}", lambda answer: fact.holds(answer))
    return Row(rule, lbs(query, app), 200, {WHOLE: expected, **fields}, THREE)


PAGES = [
    finds("limit=2", "ab"),
    finds("limit=3", "abc"),
    finds("limit=99", "abc"),
    *(finds(f"limit={text}", "abc", f"limit={text} is as many as allowed") for text in ("0", "-1", "infinite")),
    *(refuses(f"limit={text}") for text in ("many", "1.5")),
    Row("a bad limit has the second shape", lbs("limit=many"), 400, {"code": 400}),
    finds("marker={a}", "bc"),
    finds("marker={b}&limit=1", "c"),
    finds("marker={c}", ""),
    refuses("marker=" + GONE, None, "a marker that is not there is refused"),
    refuses("marker=web", None),
    finds("marker={c}&page_reverse=True", "ab", "page_reverse keeps the order"),
    finds("marker={c}&page_reverse=True&limit=1", "b", "page_reverse: the page just before the marker"),
    finds("marker={b}&sort=name:desc", "a", "the marker in the sort's order"),
    finds("marker={b}&sort=description,name:desc", "a"),
    finds("limit=2&sort=name:desc", "cb"),
    finds("limit=1&name=b", "b"),
    finds("limit=1", "abc", "paging may be switched off", "no pagination"),
    *(Row(f"the operator's limit caps {text}", lbs(f"limit={text}", "three a page"), 200,
          Fact("three", lambda rows: len(rows) == 3), [*THREE, new("loadbalancer")])
      for text in ("99", "0", "-1", "infinite")),
]  # fmt: skip
LINKS = [
    page("a list that is not full has no links", "", has("")),
    page("a full page has next", "limit=2", has("next"), names="ab"),
    page("an exact last page has next too", "limit=3", has("next")),
    page("a page behind a marker has previous", "marker={a}", has("previous")),
    page("a page in the middle has both", "marker={a}&limit=1", has("previous next"), names="b"),
    page("next has the last id as marker", "limit=2", link(
        "marker", lambda found: len(arguments(found["next"])["marker"][0]) == 36)),
    page("next keeps filters", "limit=1&description=x", link(
        "description=x", lambda found: arguments(found["next"])["description"] == ["x"])),
    page("next keeps the sort", "limit=1&sort_key=name&sort_dir=desc", link("sort", lambda found: (
        arguments(found["next"])["sort_key"], arguments(found["next"])["sort_dir"]) == (["name"], ["desc"]))),
    page("next keeps fields", "limit=1&fields=id&fields=name", link(
        "fields", lambda found: arguments(found["next"])["fields"] == ["id", "name"])),
    page("next keeps tags", "limit=1&tags=red", link(
        "tags", lambda found: arguments(found["next"])["tags"] == ["red"])),
    page("next keeps the limit", "limit=2", link("limit", lambda found: arguments(found["next"])["limit"] == ["2"])),
    page("limit=None is never said", "limit=0", link("None", lambda found: "None" not in str(found))),
    page("previous reverses", "marker={b}", link(
        "page_reverse", lambda found: arguments(found["previous"])["page_reverse"] == ["True"])),
    page("links have the path that was asked", "limit=1", link(
        "path", lambda found: urlsplit(found["next"]).path == f"{LBAAS}/loadbalancers")),
    page("links have the operator's base", "limit=1", link("base", lambda found: found["next"].startswith(
        "https://lb.example.org/load-balancer/v2/lbaas/loadbalancers?")), app="other base"),
]  # fmt: skip
TAGS = [
    finds("tags=red", "ab"),
    finds("tags=red,blue", "b", "tags: has all"),
    finds("tags=red&tags=blue", "b", "tags, repeated: has all"),
    finds("tags-any=blue,green", "bc", "tags-any: has one"),
    finds("tags-any=blue&tags-any=green", "bc"),
    finds("not-tags=red,blue", "ac", "not-tags: has not all"),
    finds("not-tags=red", "c"),
    finds("not-tags-any=red,blue", "c", "not-tags-any: has none"),
    finds("not-tags-any=red,green", ""),
    finds("tags=red&not-tags=blue", "a", "forms are ANDed"),
    finds("tags=nobody", ""),
    *(Row(f"{plural(noun)} by {form}={value}", listed(noun, f"{OWN}&{form}={value}"), 200,
          [{"id": "{it}"}] if found else [], [named("it", noun, tags=["red", "blue"])])
      for noun in SERVED
      for form, value, found in (("tags", "red", True), ("tags", "red,green", False), ("tags-any", "red,green", True),
                                 ("not-tags", "red,green", True), ("not-tags-any", "red", False))),
]  # fmt: skip
FIELDS = [
    Row("fields: exactly the named keys", lbs("fields=id&fields=name"), 200,
        Fact("id and name", lambda rows: all(set(row) == {"id", "name"} for row in rows) and len(rows) == 3), THREE),
    Row("fields are not split at commas", lbs("fields=id,name"), 200,
        Fact("empty objects", lambda rows: rows == [{}, {}, {}]), THREE),
    Row("unknown fields are ignored", lbs("fields=colour"), 200,
        Fact("empty objects", lambda rows: rows == [{}, {}, {}]), THREE),
    Row("fields with the marker's id left out still page", lbs("fields=name&limit=2"), 200,
        [{"name": "a"}, {"name": "b"}], THREE),
    Row("choosing fields may be switched off", lbs("fields=id", "no field selection"), 200,
        Fact("all keys", lambda rows: all("name" in row for row in rows)), THREE),
    *(Row(f"{plural(noun)}: fields", listed(noun, f"{OWN}&fields=id"), 200, [{"id": f"{{{noun}}}"}], [show(noun)])
      for noun in SERVED),
    *(Row(f"{plural(noun)}: the root keys", listed(noun, OWN), 200,
          {WHOLE: keys(plural(noun), f"{plural(noun)}_links")}, [show(noun)]) for noun in SERVED),
    Row("a load balancer that is being deleted is in the list", lbs(), 200, [{"provisioning_status": "PENDING_DELETE"}],
        [show("loadbalancer"), SETTLED, Ask("DELETE", f"{LBAAS}/loadbalancers/{{loadbalancer}}")]),
]  # fmt: skip

TABLES = [
    Table("3", "Filters on every scalar attribute", SCALARS),
    Table("3", "Filters", FILTER_RULES),
    Table("3", "Sort", SORTING),
    Table("3", "Pages", PAGES),
    Table("3", "Links of pages", LINKS),
    Table("3", "Tags", TAGS),
    Table("3", "Fields and root keys", FIELDS),
]


@each(TABLES)
def test_list(bench: Bench, row: Row) -> None:
    check(bench, row)
