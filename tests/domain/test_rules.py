"""Each law, with a wish that breaks it and one that only just does not."""

from typing import Any

import pytest
from msgspec.structs import replace

from octavia.domain import declare
from octavia.domain.graph import Graph, delete, put, with_row
from octavia.domain.load_balancer import AdditionalVip
from octavia.domain.protocols import POOL_PROTOCOLS
from octavia.domain.rules import LAWS, faults, fresh
from tests.render.wishes import Body, alone, graph, listener, member, monitor, pool

TLS = {"default_tls_container_ref": "ref"}
CLIENT_CA = TLS | {"client_ca_tls_container_ref": "ca"}
COOKIE = {"type": "APP_COOKIE", "cookie_name": "c"}


def two(first: Body, second: Body) -> Body:
    return {"listeners": [first, second]}


def persistent(protocol: str, **wish: Any) -> Body:
    return {"pools": [pool(protocol, session_persistence=wish)]}


def watched(protocol: str, **wish: Any) -> Body:
    return {"pools": [pool(protocol, healthmonitor=wish)]}


def with_members(*members: Body, protocol: str = "HTTP") -> Body:
    return {"pools": [pool(protocol, *members)]}


RULE = {"type": "PATH", "compare_type": "STARTS_WITH", "value": "/a"}
CERTIFIED = {"type": "SSL_CONN_HAS_CERT", "compare_type": "EQUAL_TO", "value": "true"}
VERIFIED = {"type": "SSL_VERIFY_RESULT", "compare_type": "EQUAL_TO", "value": "0"}


def policed(policy: Body, protocol: str = "HTTP") -> Body:
    return alone(protocol, None, l7policies=[policy])


def ruled(*rules: Body) -> Body:
    return policed({"action": "REJECT", "rules": list(rules)})


BROKEN: list[tuple[int, str, Body]] = [
    (400, "not an IP address", {"vip_address": "demo"}),
    (400, "not an IP address", {"vip_address": "fe80::1%eth0"}),
    (400, "more than one VIP", {"vip_subnet_id": "a", "additional_vips": [{"subnet_id": "a"}]}),
    (400, "more than one VIP", {"additional_vips": [{"subnet_id": "b"}, {"subnet_id": "b"}]}),
    (
        400,
        "exclude each other",
        {"vip_sg_ids": ["a7b3e9d2-0000-4000-8000-00000000000a"]} | alone("HTTP", None, allowed_cidrs=["192.0.2.0/24"]),
    ),
    (409, "protocol_port 80", two(listener("HTTP"), listener("HTTPS"))),
    (409, "protocol_port 80", two(listener("TCP"), listener("PROMETHEUS"))),
    (409, "UDP protocol_port 80", two(listener("UDP"), listener("UDP"))),
    (409, "SCTP protocol_port 80", two(listener("SCTP"), listener("SCTP"))),
    (404, "Pool gone not found", alone("HTTP", None, default_pool_id="gone")),
    (400, "child objects", alone("PROMETHEUS", pool("HTTP"))),
    (400, "needs an HTTP", alone("TCP", None, insert_headers={"X-Forwarded-For": "true"})),
    (400, "needs an HTTP", alone("UDP", None, insert_headers={"X-Forwarded-For": "true"})),
    (400, "'X-Nonsense'", alone("HTTP", None, insert_headers={"X-Nonsense": "true"})),
    (400, "'x-forwarded-for'", alone("HTTP", None, insert_headers={"x-forwarded-for": "true"})),
    (400, "'X-SSL-Issuer'", alone("HTTP", None, insert_headers={"X-SSL-Issuer": "true"})),
    (400, "certificate is needed", alone("TERMINATED_HTTPS", None)),
    (400, "need a TERMINATED_HTTPS", alone("HTTP", None, **TLS)),
    (400, "need a TERMINATED_HTTPS", alone("UDP", None, sni_container_refs=["ref"])),
    (400, "needs a certificate of its own", alone("HTTP", None, client_ca_tls_container_ref="ca")),
    (400, "needs client_ca", alone("TERMINATED_HTTPS", None, **TLS, client_crl_container_ref="crl")),
    (400, "client_authentication MANDATORY", alone("TERMINATED_HTTPS", None, **TLS, client_authentication="MANDATORY")),
    (400, "tls_versions", alone("TERMINATED_HTTPS", None, **TLS, tls_versions=[])),
    (400, "alpn_protocols", alone("HTTP", None, alpn_protocols=[])),
    (400, "tls_versions", {"pools": [pool(tls_versions=[])]}),
    (400, "needs a TERMINATED_HTTPS", alone("HTTP", None, hsts_max_age=0)),
    (400, "need hsts_max_age", alone("TERMINATED_HTTPS", None, **TLS, hsts_preload=True)),
    (400, "need hsts_max_age", alone("HTTP", None, hsts_include_subdomains=True)),
    (400, "is not a network", alone("HTTP", None, allowed_cidrs=["everywhere"])),
    (400, "is not a network", alone("HTTP", None, allowed_cidrs=["fe80::1%eth0/64"])),
    (400, "is IPv6, but no VIP is", alone("HTTP", None, allowed_cidrs=["192.0.2.0/24", "2001:db8::/32"])),
    (400, "needs a cookie_name", persistent("HTTP", type="APP_COOKIE")),
    (400, "takes no cookie_name", persistent("HTTP", type="HTTP_COOKIE", cookie_name="c")),
    (400, "takes no cookie_name", persistent("UDP", type="SOURCE_IP", cookie_name="c")),
    (400, "can only be SOURCE_IP", persistent("UDP", type="HTTP_COOKIE")),
    (400, "can only be SOURCE_IP", persistent("SCTP", **COOKIE)),
    (400, "persistence_timeout of", persistent("TCP", type="SOURCE_IP", persistence_timeout=1)),
    (400, "persistence_granularity of", persistent("HTTP", type="SOURCE_IP", persistence_granularity="255.0.0.0")),
    (400, "is not a mask", persistent("UDP", type="SOURCE_IP", persistence_granularity="255.0.255.0")),
    (400, "is not a mask", persistent("UDP", type="SOURCE_IP", persistence_granularity="24")),
    (400, "needs ca_tls_container_ref", {"pools": [pool(crl_container_ref="crl")]}),
    (409, "already", with_members(member(1), member(1, name="other"))),
    (409, "already", with_members({"address": "::1", "protocol_port": 1}, {"address": "0::1", "protocol_port": 1})),
    (400, "Expected an IP address", with_members({"address": "www.example.com", "protocol_port": 1})),
    (400, "Expected an IP address", with_members({"address": "192.0.2.1/32", "protocol_port": 1})),
    (400, "Expected an IP address", with_members({"address": "fe80::1%a b", "protocol_port": 1})),
    (400, "field/attribute monitor_address", with_members(member(1, monitor_address="x"))),
    (400, "not the address of one server", with_members({"address": "0.0.0.0", "protocol_port": 1})),
    (400, "not the address of one server", with_members({"address": "ff02::1", "protocol_port": 1})),
    (501, "another IP version", with_members({"address": "2001:db8::1", "protocol_port": 1}, protocol="UDP")),
    (400, "request_sriov", with_members(member(1, request_sriov=True))),
    (400, "cannot have a health monitor of type PING", watched("UDP", **monitor("PING"))),
    (400, "cannot have a health monitor of type HTTPS", watched("SCTP", **monitor("HTTPS"))),
    (400, "needs a UDP or SCTP pool", watched("HTTP", **monitor("UDP-CONNECT"))),
    (400, "needs a UDP or SCTP pool", watched("TCP", **monitor("SCTP"))),
    (400, "http_method needs", watched("TCP", **monitor("TCP", http_method="GET"))),
    (400, "url_path needs", watched("TCP", **monitor("PING", url_path="/"))),
    (400, "expected_codes needs", watched("TCP", **monitor("TLS-HELLO", expected_codes="200"))),
    (400, "http_version 2.0", watched("HTTP", **monitor(http_version=2.0))),
    (400, "http_version nan", watched("HTTP", **monitor(http_version="nan"))),
    (400, "domain_name needs", watched("HTTP", **monitor(domain_name="a"))),
    (400, "domain_name needs", watched("HTTP", **monitor(domain_name="a", http_version=1.0))),
    (400, "child objects", policed({"action": "REJECT"}, "PROMETHEUS")),
    (501, "cannot look into requests", policed({"action": "REJECT"}, "TCP")),
    (501, "cannot look into requests", policed({"action": "REJECT"}, "HTTPS")),
    (400, "needs redirect_url", policed({"action": "REDIRECT_TO_URL"})),
    (400, "needs redirect_prefix", policed({"action": "REDIRECT_PREFIX", "redirect_url": "http://a"})),
    (400, "needs redirect_pool_id", policed({"action": "REDIRECT_TO_POOL", "redirect_url": "http://a"})),
    (400, "is not an http", policed({"action": "REDIRECT_TO_URL", "redirect_url": "http://:80"})),
    (400, "is not an http", policed({"action": "REDIRECT_PREFIX", "redirect_prefix": "http://a:99999/"})),
    (400, "is not an http", policed({"action": "REDIRECT_TO_URL", "redirect_url": "https://[::1"})),
    (400, "which speaks TCP", policed({"action": "REDIRECT_TO_POOL", "redirect_pool": pool("TCP")})),
    (409, "51 rules", ruled(*[RULE] * 51)),
    (400, "needs a key", ruled(RULE | {"type": "HEADER"})),
    (400, "needs a key", ruled(RULE | {"type": "COOKIE"})),
    (400, "needs a key", ruled(RULE | {"type": "SSL_DN_FIELD"})),
    (400, "no such name", ruled(RULE | {"type": "HEADER", "key": "a b"})),
    (400, "no such name", ruled(RULE | {"type": "COOKIE", "key": "a;b"})),
    (400, "no such name", ruled(RULE | {"type": "SSL_DN_FIELD", "key": "1"})),
    (400, "takes no key", ruled(CERTIFIED | {"key": "a"})),
    (400, "takes no key", ruled(VERIFIED | {"key": "a"})),
    (400, "compares by EQUAL_TO", ruled(CERTIFIED | {"compare_type": "REGEX"})),
    (400, "compares by EQUAL_TO", ruled(VERIFIED | {"compare_type": "CONTAINS"})),
    (400, "compares by REGEX or EQUAL_TO", ruled(RULE | {"type": "FILE_TYPE", "compare_type": "CONTAINS"})),
    (400, "is 'true'", ruled(CERTIFIED | {"value": "false"})),
    (400, "whole number", ruled(VERIFIED | {"value": "-1"})),
    (400, "whole number", ruled(VERIFIED | {"value": "\u0663"})),
    (400, "no regular expression", ruled(RULE | {"compare_type": "REGEX", "value": "("})),
    (400, "no regular expression", ruled(RULE | {"compare_type": "REGEX", "value": "a{65536}{99999999999999}"})),
    (400, "has spaces", ruled(RULE | {"value": "a b"})),
    (400, "has spaces", ruled(RULE | {"value": '"a" b'})),
    (400, "has spaces", ruled(RULE | {"value": "a\u2003b"})),
]


@pytest.mark.parametrize(("status", "words", "body"), BROKEN)
def test_broken(status: int, words: str, body: Body) -> None:
    found = faults(graph(body))
    assert [(status, True)] == [(fault.status, words in fault.sentence) for fault in found][:1], found
    assert found[0].sentence.endswith(".")


KEPT: list[Body] = [
    {},
    {"vip_address": "2001:db8::1"} | alone("HTTP", None, allowed_cidrs=["2001:db8::/32"]),
    {"vip_subnet_id": "a", "additional_vips": [{"subnet_id": "b"}, {"subnet_id": "c"}]},
    {"additional_vips": [{"subnet_id": "b", "ip_address": "::1"}]} | alone("HTTP", None, allowed_cidrs=["::/0"]),
    {"vip_sg_ids": ["a7b3e9d2-0000-4000-8000-00000000000a"]} | alone("HTTP", None),
    {"listeners": [listener("UDP"), listener("SCTP"), listener("TCP"), listener("HTTP", 81)]},
    alone("TERMINATED_HTTPS", pool("HTTP"), **TLS, insert_headers={"X-SSL-Issuer": "true", "X-Real-IP": "true"}),
    alone("TERMINATED_HTTPS", None, sni_container_refs=["a"]),
    alone("TERMINATED_HTTPS", None, **CLIENT_CA, client_crl_container_ref="crl", client_authentication="OPTIONAL"),
    alone("TERMINATED_HTTPS", None, **TLS, hsts_max_age=0, hsts_preload=True, hsts_include_subdomains=True),
    alone("PROMETHEUS", None, **TLS),
    alone("HTTP", None, insert_headers={"X-Forwarded-For": "false"}, connection_limit=-1),
    persistent("HTTP", type="HTTP_COOKIE"),
    persistent("HTTP", **COOKIE),
    persistent("UDP", type="SOURCE_IP", persistence_timeout=0, persistence_granularity="255.255.255.0"),
    persistent("SCTP", type="SOURCE_IP", persistence_granularity="ffff:ffff::"),
    {"pools": [pool(tls_enabled=True, ca_tls_container_ref="ca", crl_container_ref="crl")]},
    with_members(member(1), member(1, protocol_port=81), member(2, monitor_address="::1")),
    {"pools": [pool("HTTP", member(1)), pool("HTTP", member(1), name="other")]},
    with_members(member(1), protocol="UDP"),
    watched("UDP", **monitor("UDP-CONNECT", delay=3)),
    watched("UDP", **monitor("HTTP")),
    watched("SCTP", **monitor("SCTP")),
    watched("HTTP", **monitor("HTTP", http_version="1.1", domain_name="a.b")),
    watched("HTTPS", **monitor("HTTPS", url_path="/x", timeout=10, delay=1)),
    watched("TCP", **monitor("PING", http_version=1.0)),
    policed({"action": "REDIRECT_TO_URL", "redirect_url": "https://[2001:db8::1]:65535/a?b#c"}),
    policed({"action": "REDIRECT_PREFIX", "redirect_prefix": "http://a"}),
    policed({"action": "REDIRECT_TO_POOL", "redirect_pool": pool("PROXY")}),
    policed({"action": "REJECT", "redirect_url": "http://:80"}),
    alone("TERMINATED_HTTPS", None, **TLS, l7policies=[{"action": "REJECT"}]),
    ruled(*[RULE] * 50),
    ruled(RULE | {"type": "HEADER", "key": "X-_!#$%&'*+.^`|~"}, RULE | {"type": "SSL_DN_FIELD", "key": "C-1"}),
    ruled(CERTIFIED, CERTIFIED | {"value": "True"}, VERIFIED | {"value": "999999999"}),
    ruled(RULE | {"type": "HOST_NAME", "key": "is dropped"}, RULE | {"type": "FILE_TYPE", "compare_type": "EQUAL_TO"}),
    ruled(RULE | {"value": '"a b"'}, RULE | {"value": '""'}),
    ruled(RULE | {"compare_type": "REGEX", "value": "a b|[[c] "}, RULE | {"compare_type": "REGEX", "value": "^$"}),
]


@pytest.mark.parametrize("body", KEPT)
def test_kept(body: Body) -> None:
    assert faults(graph(body)) == []


@pytest.mark.parametrize("above", POOL_PROTOCOLS)
@pytest.mark.parametrize("below", ["TCP", "HTTP", "HTTPS", "PROXY", "PROXYV2", "UDP", "SCTP"])
def test_a_listener_takes_the_pools_of_its_protocol(above: str, below: str) -> None:
    body = alone(above, pool(below), **(TLS if above == "TERMINATED_HTTPS" else {}))
    found = faults(graph(body))
    assert (found == []) == (below in POOL_PROTOCOLS[above])
    assert all(fault.status == 400 for fault in found)


def test_one_health_monitor() -> None:
    made = graph(watched("HTTP", **monitor()))
    (fault,) = faults(put(made, replace(made.health_monitors[0], id="another")))
    assert (fault.status, made.health_monitors[0].id in fault.sentence) == (409, True)


def test_a_monitor_of_no_pool() -> None:
    made = graph(watched("HTTP", **monitor()))
    (fault,) = faults(replace(made, pools=()))
    assert fault.status == 404


def test_what_is_gone_is_missing() -> None:
    made = graph(policed({"action": "REDIRECT_TO_POOL", "redirect_pool": pool()}))
    assert [fault.status for fault in faults(replace(made, pools=()))] == [404]
    assert [fault.status for fault in faults(replace(made, listeners=()))] == [404]


def test_rules_are_counted_without_those_in_deletion() -> None:
    made = graph(ruled(*[RULE] * 51))
    assert faults(delete(made, made.l7rules[0])) == []


def test_sr_iov() -> None:
    made = graph({"vip_sg_ids": ["a7b3e9d2-0000-4000-8000-00000000000a"]})
    (fault,) = faults(with_row(made, replace(made.load_balancer, vip_vnic_type="direct")))
    assert fault.status == 400


def test_an_additional_vip_is_an_address_too() -> None:
    made = graph({})
    vips = (AdditionalVip(subnet_id="b", ip_address="x"),)
    assert faults(with_row(made, replace(made.load_balancer, additional_vips=vips)))[0].status == 400


def test_rows_in_deletion_break_no_law() -> None:
    made = graph(two(listener("HTTP"), listener("HTTP")))
    assert faults(made)
    assert faults(delete(made, made.listeners[0])) == []
    gone = graph(alone("HTTP", pool("HTTP", member(1), member(1))))
    assert faults(delete(gone, gone.members[0])) == []


def test_an_edit_is_refused_only_for_what_it_causes() -> None:
    old = graph(two(listener("HTTP"), listener("HTTP")))
    assert fresh(old, old) == []
    assert fresh(None, old) == faults(old)
    third = replace(old.listeners[0], id="third")
    assert len(fresh(old, put(old, third))) == 1
    assert fresh(old, delete(old, old.listeners[0])) == []


def test_the_same_fault_twice_is_seen_twice() -> None:
    """Two rows may deserve the very same sentence."""
    first = graph(watched("TCP", **monitor("PING", url_path="/")))
    second = replace(first.health_monitors[0], id="second", pool_id="other")
    other = replace(first.pools[0], id="other")
    assert len(fresh(first, put(put(first, other), second))) == 1


def test_the_last_certificate_cannot_be_taken_away() -> None:
    made = graph(alone("TERMINATED_HTTPS", None, **TLS))
    after = put(made, declare.amend(made.listeners[0], {"default_tls_container_ref": None}))
    assert fresh(made, after)[0].status == 400


def test_the_ca_stays_while_there_is_a_revocation_list() -> None:
    made = graph({"pools": [pool(ca_tls_container_ref="ca", crl_container_ref="crl")]})
    after = put(made, declare.amend(made.pools[0], {"ca_tls_container_ref": None}))
    assert fresh(made, after)[0].status == 400


def broken_by(made: Graph) -> set[str]:
    return {law.__name__ for law in LAWS if list(law(made))}


def test_every_law_is_broken_here() -> None:
    seen = set().union(*(broken_by(graph(body)) for _, _, body in BROKEN))
    assert seen | {"one_monitor"} == {law.__name__ for law in LAWS}
