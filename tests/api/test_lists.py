"""Lists: filters, sorting, pages, fields and tags."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.api.world import Api

NAMES = ("ant", "bee", "cat", "dog", "eel")


@pytest.fixture
def five(api: Api) -> list[str]:
    """Five load balancers, of which the first two are disabled; each has the tags of its neighbours."""
    return [
        api.load_balancer(
            name=name, admin_state_up=at > 1, tags=list(NAMES[at : at + 2]), description="even" if at % 2 else "odd"
        )
        for at, name in enumerate(NAMES)
    ]


def names(api: Api, query: str) -> list[str]:
    return [row["name"] for row in api.get("/v2/loadbalancers", query_string=query)["loadbalancers"]]


FOUND: list[tuple[str, str]] = [
    ("", "ant bee cat dog eel"),
    ("name=cat", "cat"),
    ("name=cat&description=even", ""),
    ("description=even", "bee dog"),
    ("admin_state_up=false", "ant bee"),
    ("admin_state_up=No", "ant bee"),
    ("admin_state_up=1", "cat dog eel"),
    ("vip_subnet_id=demo&name=eel", "eel"),
    ("provisioning_status=PENDING_CREATE", "ant bee cat dog eel"),
    ("provisioning_status=ACTIVE", ""),
    ("operating_status=OFFLINE&name=ant", "ant"),
    ("project_id=nobody", ""),
    ("created_at=2001-01-01T00:00:00", ""),
    ("created_at=2001-01-01 00:00:00%2B02:00", ""),
    ("sort=name:desc", "eel dog cat bee ant"),
    ("sort=description,name:desc", "dog bee eel cat ant"),
    ("sort_key=description,name&sort_dir=desc,asc", "ant cat eel bee dog"),
    ("sort_key=name&sort_dir=desc", "eel dog cat bee ant"),
    ("sort_key=name", "ant bee cat dog eel"),
    ("sort=provisioning_status:asc", "ant bee cat dog eel"),
    ("limit=2", "ant bee"),
    ("limit=0", "ant bee cat dog eel"),
    ("limit=-1", "ant bee cat dog eel"),
    ("limit=infinite", "ant bee cat dog eel"),
    ("limit=99999999999999999999999", "ant bee cat dog eel"),
    ("tags=bee", "ant bee"),
    ("tags=bee,cat", "bee"),
    ("tags=bee&tags=cat", "bee"),
    ("tags-any=ant,eel", "ant dog eel"),
    ("not-tags=bee,cat", "ant cat dog eel"),
    ("not-tags-any=bee,cat", "dog eel"),
    ("tags=", "ant bee cat dog eel"),
]


@pytest.mark.parametrize(("query", "expected"), FOUND)
def test_found(api: Api, five: list[str], query: str, expected: str) -> None:
    assert names(api, query) == expected.split()


BAD = [
    "colour=red",
    "tenant_id=x",
    "listeners=x",
    "additional_vips=x",
    "tags-all=x",
    "name=a&name=b",
    "admin_state_up=perhaps",
    "created_at=yesterday",
    "limit=many",
    "limit=1&limit=2",
    "limit=",
    "marker=nobody",
    "marker=a&marker=b",
    "page_reverse=perhaps",
    "sort=colour",
    "sort=name:sideways",
    "sort=name,name",
    "sort=name&sort_key=name",
    "sort_key=colour",
    "sort_key=name&sort_dir=up",
    "sort_key=name&sort_dir=asc,desc",
    "sort_dir=asc",
    "name=%00",
    "tags=" + ",".join(map(str, range(100))),
    "&".join(f"a{at}=1" for at in range(600)),
]


@pytest.mark.parametrize("query", BAD)
def test_bad_arguments(api: Api, query: str) -> None:
    api.get("/v2/loadbalancers", 400, query_string=query)


@pytest.mark.parametrize("query", ["protocol_port=eighty", "protocol_port=99999999999", "connection_limit=1e3"])
def test_bad_numbers(api: Api, query: str) -> None:
    api.get("/v2/listeners", 400, query_string=query)


@pytest.mark.parametrize("query", ["http_version=nan", "http_version=new"])
def test_bad_fractions(api: Api, query: str) -> None:
    api.get("/v2/healthmonitors", 400, query_string=query)


def follow(api: Api, answer: Any, rel: str) -> Any:
    parts = urlsplit(next(link["href"] for link in answer["loadbalancers_links"] if link["rel"] == rel))
    return api.get(parts.path, query_string=parts.query)


def test_pages_forward_and_back(api: Api, five: list[str]) -> None:
    query = "limit=2&sort=name:desc&vip_subnet_id=demo&fields=name&fields=id"
    pages = [api.get("/v2/lbaas/loadbalancers", query_string=query)]
    while any(link["rel"] == "next" for link in pages[-1]["loadbalancers_links"]):
        pages.append(follow(api, pages[-1], "next"))
    assert [[row["name"] for row in page["loadbalancers"]] for page in pages] == [
        ["eel", "dog"],
        ["cat", "bee"],
        ["ant"],
    ]
    assert [[link["rel"] for link in page["loadbalancers_links"]] for page in pages] == [
        ["next"],
        ["previous", "next"],
        ["previous"],
    ]
    back = follow(api, pages[-1], "previous")
    assert back["loadbalancers"] == pages[1]["loadbalancers"]
    assert follow(api, back, "next")["loadbalancers"] == pages[2]["loadbalancers"]


def test_links_stay_where_they_were_asked(api: Api, five: list[str]) -> None:
    href = api.get("/v2.0/lbaas/loadbalancers", query_string="limit=1")["loadbalancers_links"][0]["href"]
    assert href.startswith("http://falconframework.org/v2.0/lbaas/loadbalancers?")


def test_a_full_last_page_is_followed_by_an_empty_one(api: Api, five: list[str]) -> None:
    last = api.get("/v2/loadbalancers", query_string="limit=5")
    assert follow(api, last, "next") == {"loadbalancers": [], "loadbalancers_links": []}


def test_fields(api: Api, five: list[str]) -> None:
    assert api.get(f"/v2/loadbalancers/{five[0]}", query_string="fields=name") == {"loadbalancer": {"name": "ant"}}
    assert api.get(f"/v2/loadbalancers/{five[0]}", query_string="fields=nothing") == {"loadbalancer": {}}
    assert api.get(f"/v2/loadbalancers/{five[0]}", query_string="colour=red")["loadbalancer"]["name"] == "ant"


def test_parents(api: Api) -> None:
    first, second = api.load_balancer(), api.load_balancer()
    mine, other = api.listener(first), api.listener(second)
    pool, spare = api.pool(first), api.pool(second)
    api.put(f"listeners/{mine}", "listener", default_pool_id=pool)
    monitor = api.monitor(pool)
    members = {of: api.member(of) for of in (pool, spare)}

    def ids(path: str, query: str = "") -> list[str]:
        found = api.get(f"/v2/{path}", query_string=query)
        return [row["id"] for row in next(iter(found.values()))]

    assert ids("listeners", f"loadbalancer_id={second}") == [other]
    assert ids("listeners", f"load_balancer_id={second}") == [other], "as openstacksdk spells it"
    assert ids("pools", f"loadbalancer_id={first}") == [pool]
    assert ids("pools", f"listener_id={mine}") == [pool]
    assert ids("healthmonitors", f"pool_id={pool}") == [monitor]
    assert ids("healthmonitors", f"pool_id={spare}") == []
    assert ids(f"pools/{pool}/members") == [members[pool]]
    assert ids(f"pools/{pool}/members", "protocol_port=80") == [members[pool]]
    api.get(f"/v2/pools/{pool}/members", 400, query_string=f"pool_id={spare}")
    api.get(f"/v2/pools/{pool}/members/{members[spare]}", 404)
