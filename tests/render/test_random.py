"""Whatever is legal and offered, HAProxy takes it; and what an agent is told is what the text says."""

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from octavia.domain.graph import CHILDREN, Graph, delete, put
from octavia.domain.rules import faults
from octavia.render import unrendered
from octavia.render.servers import line
from tests import builders
from tests.render import haproxy
from tests.render.wishes import Body, alone, graph, member, monitor, pool, render

NUMBER = st.integers(0, 2**31 - 1) | st.integers(0, 10)
TIMEOUT = st.integers(0, 24 * 24 * 3600 * 1000) | st.integers(0, 3)
ADDRESS = st.ip_addresses().map(str)
PATH = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), max_size=40).map(lambda t: "/" + t)
COOKIE = st.from_regex(r"[^\s,;\\\x00-\x1f\x7f$][^\s,;\\\x00-\x1f\x7f]{0,20}", fullmatch=True)
CODES = st.sampled_from(["200", "200,202", "200 , 404", "200-299", "000-999"])
NAME = st.text(max_size=8)
MAYBE = st.booleans()


def some(required: Body, **optional: Any) -> st.SearchStrategy[Body]:
    return st.fixed_dictionaries(required, optional=optional)


MEMBERS = st.lists(
    some(
        {"address": ADDRESS, "protocol_port": st.integers(1, 65535)},
        weight=st.integers(0, 256),
        backup=MAYBE,
        admin_state_up=MAYBE,
        monitor_address=ADDRESS,
        monitor_port=st.integers(1, 65535),
        name=NAME,
    ),
    max_size=4,
    unique_by=lambda wish: (wish["address"], wish["protocol_port"]),
)
TIMES = {"delay": NUMBER, "timeout": NUMBER, "max_retries": st.integers(1, 10)}
MONITOR = some({"type": st.just("TCP")} | TIMES, max_retries_down=st.integers(1, 10), admin_state_up=MAYBE) | some(
    {"type": st.just("HTTP"), "http_version": st.just(1.1)} | TIMES,
    http_method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH"]),
    url_path=PATH,
    expected_codes=CODES,
    domain_name=st.sampled_from(["www.example.com", "x.", "A-b.c"]),
)
SOURCE = some({"type": st.just("SOURCE_IP")})
COOKIES = some({"type": st.just("HTTP_COOKIE")}) | some({"type": st.just("APP_COOKIE"), "cookie_name": COOKIE})
PROTOCOLS = {
    "HTTP": ["HTTP", "PROXY", "PROXYV2"],
    "TCP": ["HTTP", "HTTPS", "PROXY", "PROXYV2", "TCP"],
    "HTTPS": ["HTTPS", "PROXY", "PROXYV2", "TCP"],
}


def pools(protocol: str) -> st.SearchStrategy[Body]:
    """Pools for a listener of this protocol."""
    return some(
        {
            "name": st.uuids().map(str),
            "protocol": st.sampled_from(PROTOCOLS[protocol]),
            "lb_algorithm": st.sampled_from(["ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP", "SOURCE_IP_PORT"]),
            "members": MEMBERS,
        },
        healthmonitor=MONITOR,
        admin_state_up=MAYBE,
        session_persistence=SOURCE | COOKIES if protocol == "HTTP" else SOURCE,
    )


def listeners(protocol: str) -> st.SearchStrategy[Body]:
    headers = st.dictionaries(
        st.sampled_from(["X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"]), st.sampled_from(["true", "no"])
    )
    return some(
        {"protocol": st.just(protocol), "protocol_port": st.integers(1, 65535)},
        default_pool=pools(protocol),
        connection_limit=NUMBER | st.just(-1),
        admin_state_up=MAYBE,
        timeout_client_data=TIMEOUT,
        timeout_member_connect=TIMEOUT,
        timeout_member_data=TIMEOUT,
        timeout_tcp_inspect=TIMEOUT,
        **({"insert_headers": headers} if protocol == "HTTP" else {}),
    )


BODIES: st.SearchStrategy[Body] = st.fixed_dictionaries(
    {
        "vip_address": ADDRESS,
        "listeners": st.lists(
            st.sampled_from(list(PROTOCOLS)).flatmap(listeners),
            max_size=4,
            unique_by=lambda wish: int(wish["protocol_port"]),
        ),
    }
)


def legal(body: Body) -> Graph:
    made = graph(body)
    assume(not faults(made))
    return made


@haproxy.needed
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=BODIES, nofile=st.integers(64, 1 << 20), user=st.sampled_from([None, "nobody"]))
def test_haproxy_takes_every_legal_graph(
    body: Body, nofile: int, user: str | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = legal(body)
    assert unrendered(made) == []
    document = render(made, nofile=nofile, user=user)
    assert haproxy.complaints(document.config, tmp_path_factory.mktemp("random")) == ""


@given(body=BODIES)
def test_the_document_says_what_the_text_says(body: Body) -> None:
    made = legal(body)
    document = render(made)
    assert document == render(made)
    text = document.config.splitlines()
    servers = [row.removeprefix("    server ") for row in text if row.startswith("    server ")]
    assert [row for row in servers if row != "amphora"] == [line(server) for server in document.servers]
    assert sum(row.startswith("    bind ") and "abns@" not in row for row in text) == len(document.binds)
    assert {server.backend for server in document.servers} <= {
        row.removeprefix("backend ") for row in text if row.startswith("backend ")
    }


@given(body=BODIES, port=st.integers(1, 65535))
def test_a_change_of_members_needs_no_reload_and_any_other_one_does(body: Body, port: int) -> None:
    made = legal(body)
    before = render(made)
    for row in made.pools:
        more = builders.member(row, server_id=100, address="203.0.113.9", protocol_port=port)
        changed = replace(more, weight=0, backup=True, admin_state_up=False)
        assert render(put(made, more)).reload_key == before.reload_key
        assert render(put(made, changed)).reload_key == before.reload_key
    other = render(made, nofile=100)
    assert (other.reload_key == before.reload_key) == (other.config == before.config)


@given(body=BODIES, random=st.randoms(use_true_random=False))
def test_the_order_of_rows_means_nothing(body: Body, random: Random) -> None:
    made = legal(body)
    shuffled = {name: tuple(random.sample(getattr(made, name), len(getattr(made, name)))) for name in CHILDREN.values()}
    assert render(replace(made, **shuffled)) == render(made)


def test_another_rhythm_of_checks_is_a_reload() -> None:
    made = graph(alone("TCP", pool("TCP", member(), healthmonitor=monitor("TCP"))))
    watch = made.health_monitors[0]
    keys = {render(made).reload_key, render(delete(made, watch)).reload_key}
    for change in ({"delay": 9}, {"max_retries": 9}, {"max_retries_down": 9}, {"timeout": 9}):
        keys.add(render(put(made, replace(watch, **change))).reload_key)
    assert len(keys) == 6
