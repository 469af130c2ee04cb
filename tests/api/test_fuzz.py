"""No request is answered with a 500, whatever it holds."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from octavia.api.app import build
from octavia.api.ports import Services
from octavia.api.routes import ROUTES
from octavia.domain.declare import declared
from octavia.domain.graph import NOUNS
from octavia.store import schema
from octavia.store.catalogue import Catalogue
from octavia.store.engine import Database
from octavia.store.quotas import Quotas
from octavia.store.store import Store
from tests.api.world import Api, FakeNetwork

VERBS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
FIELDS = sorted({name for noun in NOUNS for name in declared(noun)} | {"loadbalancer_id", "listener_id", "tenant_id"})
ROOTS = [noun.singular for noun in NOUNS] + ["members"]
WORDS = ["HTTP", "TCP", "UDP", "ROUND_ROBIN", "192.0.2.7", "2001:db8::7", "demo", "SOURCE_IP", "APP_COOKIE", "/", "200"]


@dataclass
class World:
    api: Api
    ids: list[str]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('fuzz')}/octavia.db")
    schema.upgrade(database)
    api = Api(
        build(
            Services(
                store=Store(database, ring=lambda cluster_id: None),
                catalogue=Catalogue(database),
                quotas=Quotas(database),
                network=FakeNetwork(),
                clock=lambda: datetime(2026, 1, 2, 3, 4, 5),
                new_id=lambda: str(uuid.uuid4()),
            )
        )
    )
    top = api.load_balancer()
    pool = api.pool(top)
    yield World(api, [top, pool, api.listener(top), api.member(pool), api.monitor(pool), "demo", "net-1"])
    database.close()


texts = st.text(max_size=12) | st.sampled_from(WORDS)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts


@st.composite
def wishes(draw: st.DrawFn, ids: list[str], depth: int = 2) -> Any:
    """Objects of known fields with likely and unlikely values."""
    if depth == 0:
        return draw(scalars | st.sampled_from(ids))
    values = scalars | st.sampled_from(ids) | st.integers(0, 70000) | st.lists(wishes(ids, depth - 1), max_size=2)
    names = st.sampled_from([*FIELDS, "listeners", "pools", "members", "healthmonitor", "default_pool"]) | texts
    return draw(st.dictionaries(names, values | wishes(ids, depth - 1), max_size=6))


def complete(root: str, wish: dict[str, Any], ids: list[str]) -> dict[str, Any]:
    """The wish with what its noun cannot be without, so that it comes further."""
    top, pool, *_ = ids
    needed: dict[str, dict[str, Any]] = {
        "loadbalancer": {"vip_subnet_id": "demo"},
        "listener": {"loadbalancer_id": top, "protocol": "TCP", "protocol_port": 81},
        "pool": {"loadbalancer_id": top, "protocol": "TCP", "lb_algorithm": "SOURCE_IP"},
        "member": {"address": "192.0.2.200", "protocol_port": 80},
        "healthmonitor": {"pool_id": pool, "type": "TCP", "delay": 1, "timeout": 1, "max_retries": 1},
    }
    return needed.get(root, {}) | wish


@st.composite
def paths(draw: st.DrawFn, ids: list[str]) -> str:
    route = draw(st.sampled_from(sorted(ROUTES)))
    filled = [draw(st.sampled_from(ids) | texts) if part.startswith("{") else part for part in route.split("/")]
    return quote("/".join(filled)) or "/"


def check(world: World, method: str, path: str, **more: Any) -> None:
    result = world.api.ask(method, path, **more)
    assert result.status_code < 500, f"{method} {path} {more}: {result.text}"
    assert "x-openstack-request-id" in result.headers


FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(data=st.data())
def test_likely_wishes(world: World, data: st.DataObject) -> None:
    method = data.draw(st.sampled_from(["POST", "PUT"]))
    root = data.draw(st.sampled_from(ROOTS))
    wish = data.draw(wishes(world.ids))
    top, pool, listener, member, monitor, *_ = world.ids
    collections = {
        "loadbalancer": ("loadbalancers", top),
        "listener": ("listeners", listener),
        "pool": ("pools", pool),
        "member": (f"pools/{pool}/members", member),
        "members": (f"pools/{pool}/members", ""),
        "healthmonitor": ("healthmonitors", monitor),
    }
    path, identifier = collections[root]
    if method == "PUT" and root != "members":
        body: Any = {root: wish}
        path = f"{path}/{identifier}"
    else:
        full = complete("member" if root == "members" else root, wish, world.ids)
        body = {root: [full] if root == "members" else full}
    sent = json.dumps(body)
    check(world, method, f"/v2/{path}", body_=sent, headers={"Content-Type": "application/json"})


@FUZZ
@given(data=st.data())
def test_anything_anywhere(world: World, data: st.DataObject) -> None:
    method, path = (
        data.draw(st.sampled_from(VERBS)),
        data.draw(paths(world.ids) | texts.map(lambda text: "/" + quote(text))),
    )
    body = data.draw(
        st.binary(max_size=40) | st.recursive(scalars, st.lists).map(lambda value: json.dumps(value).encode())
    )
    check(world, method, path, body_=body, headers={"Content-Type": "application/json"} if body else {})


names = (
    st.sampled_from([*FIELDS, "limit", "marker", "sort", "sort_key", "sort_dir", "tags", "not-tags", "fields"]) | texts
)
values = (
    texts | st.integers().map(str) | st.sampled_from(["name:desc", "name,id", "true", "infinite", "2026-01-01", "-"])
)


@FUZZ
@given(data=st.data())
def test_any_arguments(world: World, data: st.DataObject) -> None:
    path = data.draw(paths(world.ids))
    pairs = data.draw(st.lists(st.tuples(names, values), max_size=4))
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)
    raw = data.draw(st.just(query) | st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=30))
    check(world, "GET", path, query_string=raw.lstrip("?"))


@FUZZ
@given(data=st.data())
def test_any_headers(world: World, data: st.DataObject) -> None:
    printable = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
    name = data.draw(st.sampled_from(["Accept", "Host", "X-Project-Id", "X-Auth-Token", "Content-Type", "Forwarded"]))
    check(world, "GET", "/v2/loadbalancers", headers={name: data.draw(printable)})
