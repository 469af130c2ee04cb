"""Values in the form in which they are kept: one text per address, defaults that depend on other fields filled in."""

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec.structs import replace

from octavia.domain.addresses import canonical, canonical_network
from octavia.domain.declare import Noun
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.l7policy import TARGETS, WITH_CODE, L7Policy
from octavia.domain.l7rule import L7Rule
from octavia.domain.listener import DEFAULT_ALPN, DEFAULT_TLS_VERSIONS, OWASP_B, Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool

N = TypeVar("N", bound=Noun)

HTTP_CHECKS = frozenset({"HTTP", "HTTPS"})


def settled(row: N) -> N:
    """The row as it is kept. Settling it again changes nothing; what is wrong in it stays, for the laws to find."""
    changes = STEPS[type(row)](row)
    return replace(row, **changes) if changes else row


def load_balancer(row: LoadBalancer) -> dict[str, Any]:
    return {
        "vip_address": row.vip_address and canonical(row.vip_address),
        "vip_sg_ids": tuple(dict.fromkeys(row.vip_sg_ids)),
        "additional_vips": tuple(
            replace(vip, ip_address=vip.ip_address and canonical(vip.ip_address)) for vip in row.additional_vips
        ),
    }


def listener(row: Listener) -> dict[str, Any]:
    """Host bits of networks are masked off, duplicates are one, and TLS has its defaults where it ends here."""
    cidrs = tuple(dict.fromkeys(canonical_network(cidr) for cidr in row.allowed_cidrs or ()))
    plain = {"allowed_cidrs": cidrs or None, "sni_container_refs": tuple(sorted(set(row.sni_container_refs)))}
    return plain | (tls(row) if row.protocol == "TERMINATED_HTTPS" else {})


def tls(row: Listener | Pool) -> dict[str, Any]:
    defaults = {"tls_ciphers": OWASP_B, "tls_versions": DEFAULT_TLS_VERSIONS, "alpn_protocols": DEFAULT_ALPN}
    return {name: value for name, value in defaults.items() if getattr(row, name) is None}


def pool(row: Pool) -> dict[str, Any]:
    return tls(row) if row.tls_enabled else {}


def member(row: Member) -> dict[str, Any]:
    return {
        "address": canonical(row.address),
        "monitor_address": row.monitor_address and canonical(row.monitor_address),
        "vnic_type": "direct" if row.request_sriov else "normal",
    }


def health_monitor(row: HealthMonitor) -> dict[str, Any]:
    if row.type not in HTTP_CHECKS:
        return {}
    defaults = {"http_method": "GET", "url_path": "/", "expected_codes": "200"}
    return {name: value for name, value in defaults.items() if getattr(row, name) is None}


def l7policy(row: L7Policy) -> dict[str, Any]:
    """Of the targets only the action's own stays: a client changes the action alone, and says nothing of the others."""
    others = {name: None for name in TARGETS.values() if name is not None and name != TARGETS[row.action]}
    code = (row.redirect_http_code or 302) if row.action in WITH_CODE else None
    return others | {"redirect_http_code": code}


WITHOUT_KEY = frozenset({"HOST_NAME", "PATH", "FILE_TYPE"})


def l7rule(row: L7Rule) -> dict[str, Any]:
    return {"key": None if row.type in WITHOUT_KEY else row.key}


STEPS: dict[type[Noun], Callable[[Any], dict[str, Any]]] = {
    LoadBalancer: load_balancer,
    Listener: listener,
    Pool: pool,
    Member: member,
    HealthMonitor: health_monitor,
    L7Policy: l7policy,
    L7Rule: l7rule,
}
