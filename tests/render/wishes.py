"""Graphs to render, each written as the body of a fully populated create."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from msgspec import Struct

from octavia.domain.document import Document, Fence, Limits
from octavia.domain.graph import Graph, delete
from octavia.domain.populate import populate
from octavia.render import document
from tests.builders import NOW

Body = dict[str, Any]


def numbered() -> Callable[[], str]:
    """The same ids in every run: 1 is the load balancer, 2 its cluster, then come the pools with what is in them."""
    numbers: Iterator[int] = count(1)
    return lambda: f"{next(numbers):08d}-0000-4000-8000-000000000000"


def graph(body: Body) -> Graph:
    return populate({"vip_address": "198.18.0.10"} | body, new_id=numbered(), now=NOW)


class Case(Struct, frozen=True, kw_only=True):
    """A wish, and the terms of the amphora that is to fulfil it."""

    body: Body
    nofile: int = 20_000
    user: str | None = None
    edit: Callable[[Graph], Graph] = lambda graph: graph

    def document(self) -> Document:
        return render(self.edit(graph(self.body)), nofile=self.nofile, user=self.user)


def render(of: Graph, *, nofile: int = 20_000, user: str | None = None) -> Document:
    return document(of, fence=Fence(1, 1), limits=Limits(nofile=nofile), haproxy_user=user)


def listener(protocol: str = "HTTP", port: int = 80, pool: Body | None = None, **more: Any) -> Body:
    return {"protocol": protocol, "protocol_port": port, "default_pool": pool} | more


def pool(protocol: str = "HTTP", *members: Body, algorithm: str = "ROUND_ROBIN", **more: Any) -> Body:
    return {"name": "pool", "protocol": protocol, "lb_algorithm": algorithm, "members": list(members)} | more


def member(host: int = 1, **more: Any) -> Body:
    return {"address": f"198.18.1.{host}", "protocol_port": 8080} | more


def monitor(type_: str = "HTTP", **more: Any) -> Body:
    return {"type": type_, "delay": 5, "timeout": 3, "max_retries": 2} | more


def alone(protocol: str, pool_: Body | None, **more: Any) -> Body:
    """A load balancer with one listener."""
    return {"listeners": [listener(protocol, 80, pool_, **more)]}


def without_first(*nouns: str) -> Callable[[Graph], Graph]:
    """The first row of each of these is being deleted."""

    def edit(graph: Graph) -> Graph:
        for noun in nouns:
            graph = delete(graph, getattr(graph, noun)[0])
        return graph

    return edit


ZERO = {"timeout_client_data": 0, "timeout_member_connect": 0, "timeout_member_data": 0}
LONGEST = dict.fromkeys((*ZERO, "timeout_tcp_inspect"), 24 * 24 * 3600 * 1000)
TRUE = {"X-Forwarded-For": "true", "X-Forwarded-Port": "True", "X-Forwarded-Proto": "true"}
TWO = (member(1), member(2))

CASES: dict[str, Case] = {
    "empty": Case(body={}),
    "disabled_load_balancer": Case(body={"admin_state_up": False} | alone("HTTP", pool("HTTP", *TWO))),
    "disabled_listener": Case(
        body={"listeners": [listener(port=80, admin_state_up=False), listener(port=81, pool=pool("HTTP", *TWO))]}
    ),
    "http": Case(body=alone("HTTP", pool("HTTP", *TWO))),
    "http_without_pool": Case(body=alone("HTTP", None)),
    "http_without_members": Case(body=alone("HTTP", pool())),
    "http_headers": Case(body=alone("HTTP", pool("HTTP", *TWO), insert_headers=TRUE)),
    "http_headers_off": Case(body=alone("HTTP", pool("HTTP", *TWO), insert_headers={"X-Forwarded-For": "false"})),
    "tcp": Case(body=alone("TCP", pool("TCP", *TWO, healthmonitor=monitor("TCP")))),
    "tcp_without_pool": Case(body=alone("TCP", None)),
    "tcp_http_pool": Case(body=alone("TCP", pool("HTTP", *TWO, healthmonitor=monitor("HTTP")))),
    "https": Case(body=alone("HTTPS", pool("HTTPS", *TWO, healthmonitor=monitor("HTTP", url_path="/up")))),
    "proxy": Case(body=alone("HTTP", pool("PROXY", *TWO, healthmonitor=monitor("TCP")))),
    "proxy_v2_tcp": Case(body=alone("TCP", pool("PROXYV2", *TWO))),
    "user": Case(body=alone("HTTP", pool("HTTP", *TWO, session_persistence={"type": "SOURCE_IP"})), user="nobody"),
    "least_connections": Case(body=alone("HTTP", pool("HTTP", *TWO, algorithm="LEAST_CONNECTIONS"))),
    "source_ip": Case(body=alone("HTTP", pool("HTTP", *TWO, algorithm="SOURCE_IP"))),
    "source_ip_port": Case(body=alone("HTTP", pool("HTTP", *TWO, algorithm="SOURCE_IP_PORT"))),
    "source_ip_port_tcp": Case(body=alone("TCP", pool("TCP", *TWO, algorithm="SOURCE_IP_PORT"))),
    "persistence_source_ip": Case(body=alone("TCP", pool("TCP", *TWO, session_persistence={"type": "SOURCE_IP"}))),
    "persistence_http_cookie": Case(
        body=alone("HTTP", pool("HTTP", *TWO, session_persistence={"type": "HTTP_COOKIE"}))
    ),
    "persistence_app_cookie": Case(
        body=alone("HTTP", pool("HTTP", *TWO, session_persistence={"type": "APP_COOKIE", "cookie_name": "JSESSIONID"}))
    ),
    "persistence_strange_cookie": Case(
        body=alone(
            "HTTP", pool("HTTP", *TWO, session_persistence={"type": "APP_COOKIE", "cookie_name": "a\"b'c)d#e$f{g}"})
        )
    ),
    "ipv6": Case(
        body={"vip_address": "2001:db8::10"}
        | alone(
            "HTTP",
            pool(
                "HTTP",
                {"address": "2001:db8::1", "protocol_port": 80},
                {"address": "2001:db8::2", "protocol_port": 80, "monitor_address": "2001:db8::3"},
                healthmonitor=monitor(http_version="1.1"),
            ),
        )
    ),
    "members": Case(
        body=alone(
            "HTTP",
            pool(
                "HTTP",
                member(1, weight=0),
                member(2, weight=256),
                member(3, backup=True),
                member(4, admin_state_up=False),
                member(5, monitor_port=9000),
                member(6, monitor_address="198.18.1.7", monitor_port=9001),
                healthmonitor=monitor(max_retries=3, max_retries_down=5),
            ),
        )
    ),
    "disabled_pool": Case(body=alone("HTTP", pool("HTTP", *TWO, admin_state_up=False, healthmonitor=monitor()))),
    "disabled_monitor": Case(body=alone("HTTP", pool("HTTP", *TWO, healthmonitor=monitor(admin_state_up=False)))),
    "monitor_request": Case(
        body=alone(
            "HTTP",
            pool(
                "HTTP",
                *TWO,
                healthmonitor=monitor(
                    http_method="HEAD",
                    url_path="/a'b\"c#d$e\\f?g=%20&h={i}",
                    expected_codes="200, 202,\t204",
                    http_version=1.1,
                    domain_name="www.example.com",
                ),
            ),
        )
    ),
    "monitor_version": Case(body=alone("HTTP", pool("HTTP", *TWO, healthmonitor=monitor(http_version=1.1)))),
    "monitor_range": Case(
        body=alone("HTTP", pool("HTTP", *TWO, healthmonitor=monitor(expected_codes="200-299", http_version="1.0")))
    ),
    "monitor_times": Case(body=alone("TCP", pool("TCP", *TWO, healthmonitor=monitor("TCP", delay=0, timeout=0)))),
    "monitor_longest": Case(
        body=alone("TCP", pool("TCP", *TWO, healthmonitor=monitor("TCP", delay=2**31 - 1, timeout=2**31 - 1)))
    ),
    "timeouts_zero": Case(body=alone("HTTP", pool("HTTP", *TWO), **ZERO)),
    "timeouts_longest": Case(body=alone("HTTP", pool("HTTP", *TWO), **LONGEST)),
    "timeouts_short": Case(
        body=alone("HTTP", pool("HTTP", *TWO), timeout_client_data=1, timeout_member_connect=2, timeout_member_data=3)
    ),
    "timeout_tcp_inspect": Case(body=alone("TCP", pool("TCP", *TWO), timeout_tcp_inspect=100)),
    "limits": Case(
        body={
            "listeners": [
                listener(port=80, connection_limit=100),
                listener(port=81, connection_limit=0),
                listener(port=82, connection_limit=7),
            ]
        }
    ),
    "limits_below_capacity": Case(
        body={"listeners": [listener(connection_limit=100), listener("TCP", 81, connection_limit=9)]}
    ),
    "limits_large_amphora": Case(body=alone("HTTP", None), nofile=1 << 20),
    "limits_small_amphora": Case(body=alone("HTTP", None, connection_limit=2**31 - 1), nofile=1024),
    "limits_tiny_amphora": Case(body=alone("HTTP", None), nofile=64),
    "shared_pool": Case(
        body={
            "pools": [pool("HTTP", *TWO, session_persistence={"type": "HTTP_COOKIE"})],
            "listeners": [listener(port=port, pool={"name": "pool"}) for port in (80, 81)],
        }
    ),
    "unused_pool": Case(body={"pools": [pool("HTTP", *TWO)]}),
    "names_never_appear": Case(
        body={"name": "a\nlisten x", "description": "#'\"\\"}
        | alone("HTTP", pool("HTTP", member(name="'\nx"), name="\nx"), name="\n", tags=["\n"])
    ),
    "deleted_member": Case(body=alone("HTTP", pool("HTTP", *TWO)), edit=without_first("members")),
    "deleted_monitor": Case(
        body=alone("HTTP", pool("HTTP", *TWO, healthmonitor=monitor())), edit=without_first("health_monitors")
    ),
    "deleted_pool": Case(body=alone("HTTP", pool("HTTP", *TWO)), edit=without_first("pools")),
    "deleted_listener": Case(body=alone("HTTP", pool("HTTP", *TWO)), edit=without_first("listeners")),
    "every_kind": Case(
        body={
            "listeners": [
                listener("HTTP", 80, pool("HTTP", *TWO, name="a", healthmonitor=monitor())),
                listener("HTTP", 81, pool("PROXY", *TWO, name="b", session_persistence={"type": "SOURCE_IP"})),
                listener("TCP", 82, pool("TCP", *TWO, name="c", session_persistence={"type": "SOURCE_IP"})),
                listener("HTTPS", 443, pool("HTTPS", *TWO, name="d", algorithm="SOURCE_IP")),
            ]
        }
    ),
}
