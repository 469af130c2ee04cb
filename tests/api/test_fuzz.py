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
from octavia.api.ports import NOBODY, Services
from octavia.api.routes import ROUTES
from octavia.domain.amphora import Amphora
from octavia.domain.catalogue import ENTRIES
from octavia.domain.declare import Declared, declared
from octavia.domain.graph import NOUNS
from octavia.domain.quota import Quota
from octavia.store import schema
from octavia.store.catalogue import Catalogue
from octavia.store.engine import Database
from octavia.store.quotas import Quotas
from octavia.store.store import Store
from tests.api.world import Api, FakeNetwork

VERBS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
DECLARED: tuple[type[Declared], ...] = (*NOUNS, *ENTRIES, Quota, Amphora)
FIELDS = sorted(
    {name for noun in DECLARED for name in declared(noun)} | {"loadbalancer_id", "listener_id", "tenant_id", "rules"}
)
WORDS = ["HTTP", "TCP", "UDP", "ROUND_ROBIN", "192.0.2.7", "2001:db8::7", "demo", "SOURCE_IP", "APP_COOKIE", "/", "200"]


RULE: dict[str, Any] = {"type": "PATH", "compare_type": "STARTS_WITH", "value": "/"}


@dataclass
class World:
    api: Api
    ids: list[str]
    places: dict[str, tuple[str, str]]
    """Root key to the address of its collection, and the id of one in it."""


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
    places = populated(api, top, pool)
    yield World(api, [top, pool, *(key for _, key in places.values()), "demo", "net-1"], places)
    database.close()


def populated(api: Api, top: str, pool: str) -> dict[str, tuple[str, str]]:
    """One of everything."""
    listener = api.listener(top)
    policy = api.post("l7policies", "l7policy", listener_id=listener, action="REJECT")["id"]
    rule = api.post(f"l7policies/{policy}/rules", "rule", **RULE)["id"]
    data: dict[str, Any] = {"name": "p", "provider_name": "amphora"}
    profile = api.post("flavorprofiles", "flavorprofile", **data, flavor_data="{}")["id"]
    flavor = api.post("flavors", "flavor", name="f", flavor_profile_id=profile)["id"]
    zones = api.post("availabilityzoneprofiles", "availability_zone_profile", **data, availability_zone_data="{}")["id"]
    api.post("availabilityzones", "availability_zone", name="z", availability_zone_profile_id=zones)
    return {
        "loadbalancer": ("loadbalancers", top),
        "listener": ("listeners", listener),
        "pool": ("pools", pool),
        "member": (f"pools/{pool}/members", api.member(pool)),
        "members": (f"pools/{pool}/members", ""),
        "healthmonitor": ("healthmonitors", api.monitor(pool)),
        "l7policy": ("l7policies", policy),
        "rule": (f"l7policies/{policy}/rules", rule),
        "quota": ("quotas", NOBODY),
        "flavor": ("flavors", flavor),
        "flavorprofile": ("flavorprofiles", profile),
        "availability_zone": ("availabilityzones", "z"),
        "availability_zone_profile": ("availabilityzoneprofiles", zones),
    }


texts = st.text(max_size=12) | st.sampled_from(WORDS)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts


@st.composite
def wishes(draw: st.DrawFn, ids: list[str], depth: int = 2) -> Any:
    """Objects of known fields with likely and unlikely values."""
    if depth == 0:
        return draw(scalars | st.sampled_from(ids))
    values = scalars | st.sampled_from(ids) | st.integers(0, 70000) | st.lists(wishes(ids, depth - 1), max_size=2)
    names = (
        st.sampled_from(
            [*FIELDS, "listeners", "pools", "members", "healthmonitor", "default_pool", "l7policies", "redirect_pool"]
        )
        | texts
    )
    return draw(st.dictionaries(names, values | wishes(ids, depth - 1), max_size=6))


def complete(root: str, wish: dict[str, Any], places: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """The wish with what its noun cannot be without, so that it comes further."""
    ids = {name: key for name, (_, key) in places.items()}
    top, pool = ids["loadbalancer"], ids["pool"]
    needed: dict[str, dict[str, Any]] = {
        "loadbalancer": {"vip_subnet_id": "demo"},
        "listener": {"loadbalancer_id": top, "protocol": "TCP", "protocol_port": 81},
        "pool": {"loadbalancer_id": top, "protocol": "TCP", "lb_algorithm": "SOURCE_IP"},
        "member": {"address": "192.0.2.200", "protocol_port": 80},
        "healthmonitor": {"pool_id": pool, "type": "TCP", "delay": 1, "timeout": 1, "max_retries": 1},
        "l7policy": {"listener_id": ids["listener"], "action": "REJECT"},
        "rule": RULE,
        "flavor": {"name": "g", "flavor_profile_id": ids["flavorprofile"]},
        "flavorprofile": {"name": "g", "provider_name": "amphora", "flavor_data": "{}"},
        "availability_zone": {"name": "y", "availability_zone_profile_id": ids["availability_zone_profile"]},
        "availability_zone_profile": {"name": "g", "provider_name": "amphora", "availability_zone_data": "{}"},
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
    root = data.draw(st.sampled_from(sorted(world.places)))
    wish = data.draw(wishes(world.ids))
    path, identifier = world.places[root]
    if method == "PUT" and root != "members":
        body: Any = {root: wish}
        path = f"{path}/{identifier}"
    else:
        full = complete("member" if root == "members" else root, wish, world.places)
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
