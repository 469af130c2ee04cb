"""Mutual TLS between controllers and agents. Who is who stands in the certificate's name."""

import ssl
from pathlib import Path
from typing import Any, Final

CONTROLLER: Final = "octavia-controller"
"""The name in a controller's certificate: an amphora's is its id, so no amphora can command another."""


def server_context(certificate: Path, key: Path, authority: str) -> ssl.SSLContext:
    """For an agent: it shows this certificate, and demands one that the authority has signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    # A resumed session would not be asked for its certificate again, which may have ended meanwhile.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    context.load_verify_locations(cadata=authority)
    context.load_cert_chain(certificate, key)
    return context


def client_context(certificate: Path, key: Path, authority: str) -> ssl.SSLContext:
    """For a controller: the agent's certificate must be the authority's, and bear the name that is asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    context.load_verify_locations(cadata=authority)
    context.load_cert_chain(certificate, key)
    return context


def introducing_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """For a controller that meets an agent before anybody has signed its certificate: whoever answers is heard."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(certificate, key)
    return context


def is_controller(peer: ssl.SSLSocket) -> bool:
    """Whether the certificate of the other side, which was verified in the handshake, is a controller's."""
    return named(peer) == {CONTROLLER}


def named(peer: ssl.SSLSocket) -> set[str]:
    shown: Any = peer.getpeercert() or {}
    return {value for kind, value in shown.get("subjectAltName", ()) if kind == "DNS"}
