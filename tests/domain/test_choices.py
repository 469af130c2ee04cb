"""What the operator allows, row by row: allowed by the terms that go where nothing is set, refused by others."""

from typing import Any

import pytest
from msgspec.structs import replace

from octavia.domain import choices
from octavia.domain.choices import Choices
from octavia.domain.graph import Graph, put
from tests import builders

DEFAULT = Choices()


def world(protocol: str = "HTTP", pool: str = "HTTP", **listener: Any) -> Graph:
    graph = builders.graph()
    graph = put(graph, builders.pool(graph.load_balancer, protocol=pool))
    return put(graph, builders.listener(graph.load_balancer, protocol=protocol, **listener))


def with_member(**fields: Any) -> Graph:
    graph = world()
    return put(graph, builders.member(graph.pools[0], **fields))


def with_monitor(**fields: Any) -> Graph:
    graph = world(pool="UDP")
    return put(graph, builders.health_monitor(graph.pools[0], **fields))


ROWS: list[tuple[Graph, Choices | None, str | None]] = [
    (world("TERMINATED_HTTPS"), None, None),
    (world("TERMINATED_HTTPS"), Choices(tls_listeners=False), "protocol TERMINATED_HTTPS are not allowed"),
    (world("PROMETHEUS"), Choices(prometheus_listeners=False), "protocol PROMETHEUS are not allowed"),
    (world("HTTP"), Choices(prometheus_listeners=False, tls_listeners=False), None),
    (with_monitor(type="PING"), None, None),
    (with_monitor(type="PING"), Choices(ping_monitors=False), "type PING are not allowed"),
    (with_monitor(type="UDP-CONNECT", delay=3), None, None),
    (with_monitor(type="UDP-CONNECT", delay=2), None, "delay 2 is too short"),
    (with_monitor(type="UDP-CONNECT", delay=2), Choices(udp_connect_min_delay=2), None),
    (with_monitor(type="TCP", delay=0), None, None),
    (with_member(address="169.254.169.254"), None, "is reserved"),
    (with_member(address="::ffff:169.254.169.254"), None, "is reserved"),
    (with_member(monitor_address="169.254.169.254"), None, "monitor_address 169.254.169.254 of a member is reserved"),
    (with_member(address="192.0.2.7"), Choices(reserved_ips=("192.0.2.7",)), "is reserved"),
    (with_member(address="169.254.169.254"), Choices(reserved_ips=()), None),
    (world(tls_ciphers="A:B"), Choices(prohibited_ciphers=("C",)), None),
    (world(tls_ciphers="A:B"), Choices(prohibited_ciphers=("B",)), "B cannot be used here"),
    (world(tls_versions=["TLSv1", "TLSv1.2"]), None, None),
    (world(tls_versions=["TLSv1", "TLSv1.2"]), Choices(minimum_tls_version="TLSv1.2"), "TLSv1 cannot be used here"),
    (world(tls_versions=["TLSv1.3"]), Choices(minimum_tls_version="TLSv1.2"), None),
]


@pytest.mark.parametrize(("graph", "terms", "sentence"), ROWS)
def test_terms(graph: Graph, terms: Choices | None, sentence: str | None) -> None:
    found = [refusal.sentence for refusal in choices.faults(terms or DEFAULT, graph)]
    assert found == [] if sentence is None else len(found) == 1 and sentence in found[0]


def test_a_pool_is_held_to_the_same_ciphers() -> None:
    graph = world()
    graph = put(graph, replace(graph.pools[0], tls_ciphers="X"))
    assert [str(fault) for fault in choices.faults(Choices(prohibited_ciphers=("X",)), graph)]
