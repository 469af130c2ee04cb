"""What this data plane does not offer yet: wishes whose effect would not be rendered are refused, never ignored."""

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from octavia.domain.declare import Noun, shortened
from octavia.domain.graph import Graph, live, rows
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.domain.refusal import NotOffered
from octavia.render.haproxy import INSERTED, MODES, MONITORS

Ask = Callable[[Any], Any]


class Gap(Struct, frozen=True):
    """A field of a noun whose effect is not rendered, or not for every value."""

    noun: type[Noun]
    field: str
    instead: str
    missing: Ask = lambda value: value
    """From the field's value to what of it is not rendered; empty or false if nothing."""


def one_of(offered: frozenset[str]) -> Ask:
    return lambda value: None if value in offered else value


def strange_headers(headers: dict[str, str]) -> str:
    return ", ".join(name for name, value in headers.items() if value.lower() == "true" and name not in INSERTED)


THROUGH = "Leave it out, and let the members end TLS behind a listener of protocol HTTPS."
PLAIN_MEMBERS = "Leave it out: members are spoken to without TLS, or through TLS that a listener of HTTPS passes on."
LEAVE = "Leave it out."

GAPS: tuple[Gap, ...] = (
    Gap(LoadBalancer, "vip_qos_policy_id", LEAVE),
    Gap(LoadBalancer, "vip_sg_ids", LEAVE),
    Gap(LoadBalancer, "additional_vips", "Leave it out, or create one load balancer for each address."),
    Gap(LoadBalancer, "vip_vnic_type", LEAVE, one_of(frozenset({"normal"}))),
    Gap(LoadBalancer, "flavor_id", LEAVE),
    Gap(LoadBalancer, "availability_zone", LEAVE),
    Gap(Listener, "protocol", "Use " + ", ".join(MODES) + ".", one_of(frozenset(MODES))),
    Gap(Listener, "insert_headers", "There are " + ", ".join(sorted(INSERTED)) + ".", strange_headers),
    Gap(Listener, "default_tls_container_ref", THROUGH),
    Gap(Listener, "sni_container_refs", THROUGH),
    Gap(Listener, "client_ca_tls_container_ref", THROUGH),
    Gap(Listener, "client_crl_container_ref", THROUGH),
    Gap(Listener, "client_authentication", THROUGH, one_of(frozenset({"NONE"}))),
    Gap(Listener, "allowed_cidrs", "Leave it out, and filter in front of the VIP or in the members."),
    Gap(Listener, "tls_ciphers", THROUGH),
    Gap(Listener, "tls_versions", THROUGH),
    Gap(Listener, "alpn_protocols", THROUGH),
    Gap(Listener, "hsts_max_age", THROUGH, lambda value: value is not None),
    Gap(Listener, "hsts_include_subdomains", THROUGH),
    Gap(Listener, "hsts_preload", THROUGH),
    Gap(Pool, "protocol", "Use HTTP, HTTPS, TCP, PROXY or PROXYV2.", one_of(frozenset(MODES) | {"PROXY", "PROXYV2"})),
    Gap(Pool, "tls_enabled", PLAIN_MEMBERS),
    Gap(Pool, "tls_container_ref", PLAIN_MEMBERS),
    Gap(Pool, "ca_tls_container_ref", PLAIN_MEMBERS),
    Gap(Pool, "crl_container_ref", PLAIN_MEMBERS),
    Gap(Pool, "tls_ciphers", PLAIN_MEMBERS),
    Gap(Pool, "tls_versions", PLAIN_MEMBERS),
    Gap(Pool, "alpn_protocols", PLAIN_MEMBERS),
    Gap(Member, "request_sriov", LEAVE),
    Gap(HealthMonitor, "type", "Use HTTP or TCP.", one_of(MONITORS)),
)


def unrendered(graph: Graph) -> list[NotOffered]:
    """A sentence for each wish that would have no effect; empty if everything in the graph is rendered."""
    alive = live(graph)
    return [
        *gaps(alive),
        *cookies_without_http(alive),
        *cookies_unseen(alive),
        *requests_without_http(alive),
        *policies(alive),
    ]


def gaps(graph: Graph) -> Iterator[NotOffered]:
    for gap in GAPS:
        for row in rows(graph, gap.noun):
            value = getattr(row, gap.field)
            if missing := gap.missing(value):
                yield refusal(row, gap.field, value if missing is True else missing, gap.instead)


def refusal(row: Noun, field: str, value: Any, instead: str) -> NotOffered:
    return NotOffered(f"{called(row)}: {field} {said(value)} is not offered by this data plane yet. {instead}")


def said(value: Any) -> str:
    texts = [str(item) for item in value] if isinstance(value, tuple) else [str(value)]
    return shortened(", ".join(texts))


def called(row: Noun) -> str:
    """The row as its owner knows it: the id of a new one was never heard of."""
    if isinstance(row, Listener):
        return f"{row.title} on port {row.protocol_port}"
    if isinstance(row, Member):
        return f"{row.title} {row.address} port {row.protocol_port}"
    return f"{row.title} {row.name or row.id}"


def cookies_without_http(graph: Graph) -> Iterator[NotOffered]:
    """In a listener that does not look into HTTP, and for a pool that can only be in such a one."""
    users: dict[str, set[str]] = {}
    for listener in graph.listeners:
        users.setdefault(listener.default_pool_id or "", set()).add(MODES.get(listener.protocol, "http"))
    for pool in graph.pools:
        wish = pool.session_persistence
        blind = pool.protocol in ("TCP", "HTTPS") or "tcp" in users.get(pool.id, ())
        if wish is not None and blind and wish.type in ("HTTP_COOKIE", "APP_COOKIE"):
            instead = "Use SOURCE_IP, or an HTTP listener with an HTTP pool: cookies are seen only in HTTP."
            yield refusal(pool, "session_persistence", f"{wish.type} for TCP traffic", instead)


def cookies_unseen(graph: Graph) -> Iterator[NotOffered]:
    """HAProxy takes a cookie whose name begins with $ for an attribute of another one (RFC 2965, section 3.3.4)."""
    for pool in graph.pools:
        name = pool.session_persistence and pool.session_persistence.cookie_name
        if name and name.startswith("$"):
            yield refusal(pool, "cookie_name", name, "Choose a name that does not begin with $.")


def requests_without_http(graph: Graph) -> Iterator[NotOffered]:
    for monitor in graph.health_monitors:
        for field in ("http_version", "domain_name"):
            value = getattr(monitor, field)
            if value is not None and monitor.type == "TCP":
                yield refusal(monitor, field, value, "Leave it out, or use type HTTP: a TCP check sends no request.")


def policies(graph: Graph) -> Iterator[NotOffered]:
    for policy in graph.l7policies:
        yield NotOffered(
            f"L7 Policy {policy.name or policy.id} is not offered by this data plane yet. Leave it out, and give each "
            "kind of request a listener of its own."
        )
