"""The listener: one port of a load balancer, and how it is served."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from octavia.domain.declare import CREATE_ONLY, END, Identifier, Milliseconds, Noun, Port, Text

Ciphers = Annotated[str, Meta(max_length=2048, pattern=r"^[A-Za-z0-9\-+!:@=_.]+" + END)]
TlsVersion = Literal["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
AlpnProtocol = Literal["h2", "http/1.1", "http/1.0"]

OWASP_B = (
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305"
)
DEFAULT_TLS_VERSIONS: tuple[TlsVersion, ...] = ("TLSv1.2", "TLSv1.3")
DEFAULT_ALPN: tuple[AlpnProtocol, ...] = ("h2", "http/1.1", "http/1.0")


class Listener(Noun, frozen=True, kw_only=True):
    singular: ClassVar[str] = "listener"
    plural: ClassVar[str] = "listeners"
    title: ClassVar[str] = "Listener"

    description: Annotated[Text, Meta(description="For people.")] = ""
    protocol: Annotated[
        Literal["TCP", "HTTP", "HTTPS", "TERMINATED_HTTPS", "UDP", "SCTP", "PROMETHEUS"],
        CREATE_ONLY,
        Meta(description="What is spoken on the port; HTTPS passes TLS through, TERMINATED_HTTPS ends it here."),
    ]
    protocol_port: Annotated[Port, CREATE_ONLY, Meta(description="The port that clients connect to.")]
    connection_limit: Annotated[
        int,
        Meta(
            ge=-1, le=2**31 - 1, description="The most connections at one time; -1 is as many as the amphora can hold."
        ),
    ] = -1
    default_pool_id: Annotated[
        Identifier | None, Meta(description="The pool that serves what no policy sends elsewhere.")
    ] = None
    insert_headers: Annotated[
        dict[str, Text], Meta(description="Headers added to each request, where the value is 'true'.")
    ] = {}
    default_tls_container_ref: Annotated[Text | None, Meta(description="The certificate and key.")] = None
    sni_container_refs: Annotated[
        tuple[Text, ...], Meta(description="Further certificates, chosen by server name.")
    ] = ()
    client_ca_tls_container_ref: Annotated[
        Text | None, Meta(description="The CA that client certificates must come from.")
    ] = None
    client_crl_container_ref: Annotated[Text | None, Meta(description="Client certificates that are revoked.")] = None
    client_authentication: Annotated[
        Literal["NONE", "OPTIONAL", "MANDATORY"], Meta(description="Whether clients show a certificate.")
    ] = "NONE"
    timeout_client_data: Annotated[Milliseconds, Meta(description="Client inactivity, in milliseconds.")] = 50_000
    timeout_member_connect: Annotated[Milliseconds, Meta(description="Connecting to a member, in milliseconds.")] = (
        5_000
    )
    timeout_member_data: Annotated[Milliseconds, Meta(description="Member inactivity, in milliseconds.")] = 50_000
    timeout_tcp_inspect: Annotated[
        Milliseconds, Meta(description="Waiting for content to inspect, in milliseconds.")
    ] = 0
    allowed_cidrs: Annotated[
        tuple[Annotated[str, Meta(max_length=64)], ...] | None,
        Meta(description="The networks that clients may come from."),
    ] = None
    tls_ciphers: Annotated[Ciphers | None, Meta(description="The ciphers, in OpenSSL's format.")] = None
    tls_versions: Annotated[tuple[TlsVersion, ...] | None, Meta(description="The TLS versions offered.")] = None
    alpn_protocols: Annotated[tuple[AlpnProtocol, ...] | None, Meta(description="The ALPN protocols offered.")] = None
    hsts_max_age: Annotated[
        Annotated[int, Meta(ge=0, le=2**31 - 1)] | None, Meta(description="HSTS age, in seconds.")
    ] = None
    hsts_include_subdomains: Annotated[bool, Meta(description="HSTS for subdomains too.")] = False
    hsts_preload: Annotated[bool, Meta(description="HSTS preload.")] = False
