"""What is not rendered is refused with a sentence; what is rendered is not."""

from typing import Any

import pytest
from msgspec.structs import replace

from octavia.domain.document import Document
from octavia.domain.graph import Graph, rows, with_row
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import AdditionalVip, LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool, SessionPersistence
from octavia.render import unrendered
from octavia.render.offered import GAPS, Gap
from tests.render.wishes import CASES, alone, graph, listener, member, monitor, pool, render

VALUES: dict[tuple[type, str], list[Any]] = {
    (LoadBalancer, "vip_qos_policy_id"): ["policy"],
    (LoadBalancer, "vip_sg_ids"): [("group",)],
    (LoadBalancer, "additional_vips"): [(AdditionalVip(subnet_id="subnet"),)],
    (LoadBalancer, "vip_vnic_type"): ["direct"],
    (LoadBalancer, "flavor_id"): ["flavor"],
    (LoadBalancer, "availability_zone"): ["zone"],
    (Listener, "protocol"): ["TERMINATED_HTTPS", "UDP", "SCTP", "PROMETHEUS"],
    (Listener, "insert_headers"): [{"X-Client-IP": "true"}, {"X-Forwarded-For": "true", "X-Real-IP": "TRUE"}],
    (Listener, "default_tls_container_ref"): ["ref"],
    (Listener, "sni_container_refs"): [("ref",)],
    (Listener, "client_ca_tls_container_ref"): ["ref"],
    (Listener, "client_crl_container_ref"): ["ref"],
    (Listener, "client_authentication"): ["OPTIONAL", "MANDATORY"],
    (Listener, "allowed_cidrs"): [("192.0.2.0/24",)],
    (Listener, "tls_ciphers"): ["AES"],
    (Listener, "tls_versions"): [("TLSv1.3",)],
    (Listener, "alpn_protocols"): [("h2",)],
    (Listener, "hsts_max_age"): [0, 1],
    (Listener, "hsts_include_subdomains"): [True],
    (Listener, "hsts_preload"): [True],
    (Pool, "protocol"): ["UDP", "SCTP"],
    (Pool, "tls_enabled"): [True],
    (Pool, "tls_container_ref"): ["ref"],
    (Pool, "ca_tls_container_ref"): ["ref"],
    (Pool, "crl_container_ref"): ["ref"],
    (Pool, "tls_ciphers"): ["AES"],
    (Pool, "tls_versions"): [("TLSv1.3",)],
    (Pool, "alpn_protocols"): [("h2",)],
    (Member, "request_sriov"): [True],
    (HealthMonitor, "type"): ["PING", "HTTPS", "TLS-HELLO", "UDP-CONNECT", "SCTP"],
}
WHOLE = graph(alone("HTTP", pool("HTTP", member(), healthmonitor=monitor()), insert_headers={"X-Client-IP": "no"}))


def changed(gap_noun: type[Any], field: str, value: Any) -> Graph:
    (row,) = rows(WHOLE, gap_noun)
    return with_row(WHOLE, replace(row, **{field: value}))


def test_every_row_of_the_table_is_tried() -> None:
    assert {(gap.noun, gap.field) for gap in GAPS} == set(VALUES)


@pytest.mark.parametrize("gap", GAPS, ids=lambda gap: f"{gap.noun.__name__}.{gap.field}")
def test_each_gap_says_which_field_and_what_to_do(gap: Gap) -> None:
    for value in VALUES[gap.noun, gap.field]:
        (said,) = unrendered(changed(gap.noun, gap.field, value))
        assert said.status == 501
        assert gap.field in said.sentence
        assert "not offered by this data plane yet" in said.sentence
        assert said.sentence.endswith(gap.instead)


@pytest.mark.parametrize("name", CASES)
def test_what_has_a_golden_file_is_offered(name: str) -> None:
    case = CASES[name]
    assert unrendered(case.edit(graph(case.body))) == []


def test_what_is_being_deleted_is_not_asked() -> None:
    wish = {"default_tls_container_ref": "ref"}
    made = graph(alone("HTTP", None, **wish))
    assert len(unrendered(made)) == 1
    assert unrendered(replace(made, listeners=(replace(made.listeners[0], deleted=2),))) == []


POOL = {"name": "pool"}
COOKIE = {"type": "HTTP_COOKIE"}
APPLICATION = {"type": "APP_COOKIE", "cookie_name": "c"}


@pytest.mark.parametrize("wish", [COOKIE, APPLICATION])
@pytest.mark.parametrize(
    "body",
    [
        {"pools": [pool("TCP")]},
        {"pools": [pool("HTTPS")]},
        alone("TCP", pool("HTTP")),
        {
            "pools": [pool("HTTP")],
            "listeners": [listener("HTTP", 80, {"name": "pool"}), listener("TCP", 81, {"name": "pool"})],
        },
    ],
)
def test_cookies_need_http(body: dict[str, Any], wish: dict[str, Any]) -> None:
    made = graph(body)
    persistent = replace(made.pools[0], session_persistence=SessionPersistence(**wish))
    (said,) = unrendered(with_row(made, persistent))
    assert "SOURCE_IP" in said.sentence


def test_a_cookie_that_begins_with_a_dollar_is_never_seen() -> None:
    body = alone("HTTP", pool("HTTP", session_persistence=APPLICATION | {"cookie_name": "$x"}))
    (said,) = unrendered(graph(body))
    assert "cookie_name" in said.sentence


@pytest.mark.parametrize("field", [{"http_version": 1.1}, {"http_version": 1.1, "domain_name": "a"}])
def test_a_tcp_check_sends_no_request(field: dict[str, Any]) -> None:
    body = {"pools": [pool("TCP", healthmonitor=monitor("TCP", **field))]}
    assert [said.status for said in unrendered(graph(body))] == [501] * len(field)


def test_what_is_not_offered_still_renders_to_something_that_is_legal() -> None:
    """A graph from a time with another data plane must not stop the rest of it from being served."""
    for (noun, field), values in VALUES.items():
        for value in values:
            assert isinstance(render(changed(noun, field, value)), Document)
