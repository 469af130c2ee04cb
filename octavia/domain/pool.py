"""The pool: members that serve the same thing, and how one is chosen."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from octavia.domain.declare import CREATE_ONLY, END, KEEPS_TYPE, Noun, Text
from octavia.domain.listener import AlpnProtocol, Ciphers, TlsVersion


class SessionPersistence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a client stays with its member."""

    type: Annotated[
        Literal["SOURCE_IP", "HTTP_COOKIE", "APP_COOKIE"],
        Meta(description="What the client is known by; a PUT may leave it out when there is one."),
    ]
    cookie_name: Annotated[
        Annotated[str, Meta(max_length=255, pattern=r"^[^\s,;\\\x00-\x1f\x7f]+" + END)] | None,
        Meta(description="The application's own cookie; APP_COOKIE needs it."),
    ] = None
    persistence_timeout: Annotated[
        Annotated[int, Meta(ge=0, le=2**31 - 1)] | None,
        Meta(description="Seconds that a client is remembered; of SOURCE_IP for UDP and SCTP."),
    ] = None
    persistence_granularity: Annotated[
        Annotated[str, Meta(max_length=64)] | None,
        Meta(description="The mask of networks that count as one client; of SOURCE_IP for UDP and SCTP."),
    ] = None


class Pool(Noun, frozen=True, kw_only=True):
    singular: ClassVar[str] = "pool"
    plural: ClassVar[str] = "pools"
    title: ClassVar[str] = "Pool"

    description: Annotated[Text, Meta(description="For people.")] = ""
    protocol: Annotated[
        Literal["TCP", "HTTP", "HTTPS", "PROXY", "PROXYV2", "UDP", "SCTP"],
        CREATE_ONLY,
        Meta(description="What is spoken to the members."),
    ]
    lb_algorithm: Annotated[
        Literal["ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP", "SOURCE_IP_PORT"],
        Meta(description="How a member is chosen."),
    ]
    session_persistence: Annotated[
        SessionPersistence | None, KEEPS_TYPE, Meta(description="How a client stays with its member.")
    ] = None
    tls_enabled: Annotated[bool, Meta(description="Whether TLS is spoken to the members.")] = False
    tls_container_ref: Annotated[Text | None, Meta(description="The certificate shown to members.")] = None
    ca_tls_container_ref: Annotated[
        Text | None, Meta(description="The CA that members' certificates must come from.")
    ] = None
    crl_container_ref: Annotated[Text | None, Meta(description="Member certificates that are revoked.")] = None
    tls_ciphers: Annotated[Ciphers | None, Meta(description="The ciphers, in OpenSSL's format.")] = None
    tls_versions: Annotated[tuple[TlsVersion, ...] | None, Meta(description="The TLS versions offered.")] = None
    alpn_protocols: Annotated[tuple[AlpnProtocol, ...] | None, Meta(description="The ALPN protocols offered.")] = None
