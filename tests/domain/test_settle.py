"""Values are kept in one form."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from octavia.domain.addresses import canonical, canonical_network, is_mask, network, parsed, unmapped
from octavia.domain.graph import everything
from octavia.domain.listener import DEFAULT_ALPN, DEFAULT_TLS_VERSIONS, OWASP_B
from octavia.domain.load_balancer import AdditionalVip
from octavia.domain.settle import settled
from tests import builders
from tests.render.test_random import BODIES
from tests.render.wishes import Body, graph

TOP = builders.load_balancer()
POOL = builders.pool(TOP)


def test_addresses() -> None:
    top = builders.load_balancer(
        vip_address="2001:DB8:0::1",
        vip_sg_ids=("b", "a", "b"),
        additional_vips=(AdditionalVip(subnet_id="s", ip_address="0::2"), AdditionalVip(subnet_id="t")),
    )
    kept = settled(top)
    assert (kept.vip_address, kept.vip_sg_ids) == ("2001:db8::1", ("b", "a"))
    assert [vip.ip_address for vip in kept.additional_vips] == ["::2", None]
    member = settled(builders.member(POOL, address="2001:DB8::1", monitor_address="::0", request_sriov=True))
    assert (member.address, member.monitor_address, member.vnic_type) == ("2001:db8::1", "::", "direct")


def test_allowed_cidrs() -> None:
    given_ = ["192.0.2.77/24", "192.0.2.0/24", "198.51.100.7", "nonsense", "2001:DB8::1/32"]
    kept = settled(builders.listener(TOP, allowed_cidrs=given_)).allowed_cidrs
    assert kept == ("192.0.2.0/24", "198.51.100.7/32", "nonsense", "2001:db8::/32")
    assert settled(builders.listener(TOP, allowed_cidrs=[])).allowed_cidrs is None


def test_certificates_are_sorted() -> None:
    assert settled(builders.listener(TOP, sni_container_refs=["b", "a", "b"])).sni_container_refs == ("a", "b")


def test_tls_defaults_only_where_there_is_tls() -> None:
    defaults = {"tls_ciphers": OWASP_B, "tls_versions": DEFAULT_TLS_VERSIONS, "alpn_protocols": DEFAULT_ALPN}

    def tls_of(row: Any) -> dict[str, Any]:
        return {name: getattr(settled(row), name) for name in defaults}

    assert tls_of(builders.listener(TOP, protocol="TERMINATED_HTTPS")) == defaults
    assert tls_of(builders.listener(TOP)) == dict.fromkeys(defaults)
    assert tls_of(builders.pool(TOP, tls_enabled=True)) == defaults
    assert tls_of(builders.pool(TOP)) == dict.fromkeys(defaults)
    assert tls_of(builders.pool(TOP, tls_enabled=True, tls_versions=["TLSv1.3"]))["tls_versions"] == ("TLSv1.3",)


@pytest.mark.parametrize(("type_", "filled"), [("HTTP", True), ("HTTPS", True), ("TCP", False), ("PING", False)])
def test_what_an_http_monitor_asks(type_: str, filled: bool) -> None:
    kept = settled(builders.health_monitor(POOL, type=type_))
    asked = (kept.http_method, kept.url_path, kept.expected_codes)
    assert asked == (("GET", "/", "200") if filled else (None, None, None))
    given_ = settled(builders.health_monitor(POOL, type="HTTP", http_method="PUT", url_path="/x", expected_codes="404"))
    assert (given_.http_method, given_.url_path, given_.expected_codes) == ("PUT", "/x", "404")


@given(BODIES)
def test_settling_twice_changes_nothing(body: Body) -> None:
    for row in everything(graph(body)):
        assert asdict(settled(row)) == asdict(settled(settled(row)))


@given(st.text() | st.ip_addresses().map(str))
def test_an_address_is_plain_or_left_alone(text: str) -> None:
    found = parsed(text)
    assert canonical(text) == (text if found is None else str(found))
    assert found is None or set(canonical(text)) <= set("0123456789abcdef:.")


@given(st.text() | st.ip_addresses(network="2001:db8::/32").map(lambda address: f"{address}/48"))
def test_a_network_has_no_host_bits_or_is_left_alone(text: str) -> None:
    found = network(text)
    assert canonical_network(text) == (text if found is None else str(found))
    assert canonical_network(canonical_network(text)) == canonical_network(text)


@pytest.mark.parametrize("length", range(33))
def test_masks(length: int) -> None:
    mask = network(f"0.0.0.0/{length}")
    assert mask is not None
    assert is_mask(str(mask.netmask))


@pytest.mark.parametrize("text", ["", "x", "0.0.0.1", "255.0.255.0", "1", "ffff::1", "255.255.255.0/24"])
def test_no_masks(text: str) -> None:
    assert not is_mask(text)


def test_unmapped() -> None:
    for text, meant in {"::ffff:192.0.2.1": "192.0.2.1", "192.0.2.1": "192.0.2.1", "::1": "::1"}.items():
        address = parsed(text)
        assert address is not None
        assert str(unmapped(address)) == meant
