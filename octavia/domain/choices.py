"""What an operator allows users to ask for: laws of one deployment, beside those of the API."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from octavia.domain.addresses import parsed, unmapped
from octavia.domain.graph import Graph
from octavia.domain.listener import Listener
from octavia.domain.pool import Pool
from octavia.domain.refusal import Invalid, Refusal

TLS_VERSIONS: Final = ("SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
"""From the oldest on."""
PROVIDERS: Final = {"amphora": "HAProxy in amphorae.", "octavia": "Another name of amphora."}


class Choices(Struct, frozen=True, kw_only=True):
    """The deployment's terms."""

    providers: Mapping[str, str] = msgspec.field(default_factory=lambda: dict(PROVIDERS))
    """Name to description."""
    default_provider: str = "amphora"
    vip_ports: bool = True
    vip_networks: bool = True
    vip_subnets: bool = True
    valid_vip_networks: tuple[str, ...] = ()
    """The only networks that VIPs may be in; empty: all are."""
    denied_vip_networks: tuple[str, ...] = ()
    tls_listeners: bool = True
    prometheus_listeners: bool = True
    ping_monitors: bool = True
    reserved_ips: tuple[str, ...] = ("169.254.169.254",)
    """Addresses that no member may have: the metadata service of clouds, first of all."""
    udp_connect_min_delay: int = 3
    """Seconds."""
    prohibited_ciphers: tuple[str, ...] = ()
    minimum_tls_version: str | None = None


def faults(choices: Choices, graph: Graph) -> Iterator[Refusal]:
    """What these terms have against the live rows of a graph."""
    for law in (listeners, ciphers, members, monitors):
        yield from law(choices, graph)


def check_provider(choices: Choices, name: str) -> None:
    """Raises Invalid for a provider that users cannot choose."""
    if name not in choices.providers:
        raise Invalid(f"Provider '{name}' is not enabled. There are: {', '.join(sorted(choices.providers))}.")


def listeners(choices: Choices, graph: Graph) -> Iterator[Refusal]:
    forbidden = {
        protocol
        for protocol, allowed in (
            ("TERMINATED_HTTPS", choices.tls_listeners),
            ("PROMETHEUS", choices.prometheus_listeners),
        )
        if not allowed
    }
    for listener in graph.listeners:
        if listener.protocol in forbidden:
            yield Invalid(
                f"Listeners of protocol {listener.protocol} are not allowed here (port {listener.protocol_port})."
            )


def ciphers(choices: Choices, graph: Graph) -> Iterator[Refusal]:
    oldest = TLS_VERSIONS.index(choices.minimum_tls_version) if choices.minimum_tls_version else 0
    rows: tuple[Listener | Pool, ...] = (*graph.listeners, *graph.pools)
    for row in rows:
        bad = [name for name in (row.tls_ciphers or "").split(":") if name in choices.prohibited_ciphers]
        if bad:
            yield Invalid(f"tls_ciphers of {row.title} {row.name or row.id}: {', '.join(bad)} cannot be used here.")
        old = [version for version in row.tls_versions or () if TLS_VERSIONS.index(version) < oldest]
        if old:
            yield Invalid(
                f"tls_versions of {row.title} {row.name or row.id}: {', '.join(old)} cannot be used here. The oldest "
                f"allowed is {choices.minimum_tls_version}."
            )


def members(choices: Choices, graph: Graph) -> Iterator[Refusal]:
    for member in graph.members:
        for name in ("address", "monitor_address"):
            text = getattr(member, name)
            found = parsed(text) if text is not None else None
            if found is not None and str(unmapped(found)) in choices.reserved_ips:
                yield Invalid(f"The {name} {text} of a member is reserved and cannot be used.")


def monitors(choices: Choices, graph: Graph) -> Iterator[Refusal]:
    least = choices.udp_connect_min_delay
    for monitor in graph.health_monitors:
        if monitor.type == "PING" and not choices.ping_monitors:
            yield Invalid("Health monitors of type PING are not allowed here. Use TCP or HTTP.")
        if monitor.type == "UDP-CONNECT" and monitor.delay < least:
            yield Invalid(f"delay {monitor.delay} is too short for UDP-CONNECT: it needs {least} s.")
