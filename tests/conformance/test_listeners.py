"""Listeners: protocol pairs, ports, headers, certificates, TLS, allowed networks."""

from tests.conformance.bench import Bench
from tests.conformance.language import LEFT_OUT, Row, Table, asking, change, new, show
from tests.conformance.nouns import BAD_REF, CA, CRL, GONE, PORTS, REF
from tests.conformance.suite import check, each

POOLS = ("HTTP", "HTTPS", "TCP", "PROXY", "PROXYV2", "UDP", "SCTP")
FITTING = {
    "TCP": ("HTTP", "HTTPS", "PROXY", "PROXYV2", "TCP"),
    "HTTP": ("HTTP", "PROXY", "PROXYV2"),
    "HTTPS": ("HTTPS", "PROXY", "PROXYV2", "TCP"),
    "TERMINATED_HTTPS": ("HTTP", "PROXY", "PROXYV2"),
    "UDP": ("UDP",),
    "SCTP": ("SCTP",),
    "PROMETHEUS": (),
}


def pair(listener: str, pool: str) -> list[Row]:
    """A pool of this protocol behind a listener of that one, on POST, on PUT, and by the pool's own POST."""
    fits, of_pool = pool in FITTING[listener], f"{{{pool} pool}}"
    word = "takes" if fits else "refuses"
    says = {"default_pool_id": of_pool} if fits else "child objects" if listener == "PROMETHEUS" else pool
    status, posted = (200, 201) if fits else (400, 400)
    new_pool = new(f"{pool} pool", listener_id=f"{{{listener} listener}}", loadbalancer_id=LEFT_OUT)
    made = new(f"{listener} listener", default_pool_id=of_pool)
    changed = change(f"{listener} listener", default_pool_id=of_pool)
    return [
        Row(f"a new {listener} listener {word} a {pool} pool", made, posted, says),
        Row(f"an existing {listener} listener {word} a {pool} pool", changed, status, says),
        Row(f"a new {pool} pool of a {listener} listener: it {word} it", new_pool, posted, None if fits else says),
    ]


PAIRS = [row for listener in FITTING for pool in POOLS for row in pair(listener, pool)]


def family(protocol: str) -> str:
    return protocol if protocol in ("UDP", "SCTP") else "TCP"


def port_row(first: str, second: str) -> Row:
    clash = family(first) == family(second)
    says = "already" if clash else {"protocol_port": PORTS[first]}
    rule = f"{second} on the port of a {first} listener " + ("is a conflict" if clash else "is fine")
    given = [show(f"{first} listener")]
    return Row(rule, new(f"{second} listener", protocol_port=PORTS[first]), 409 if clash else 201, says, given)


PORT_CONFLICTS = [port_row(first, second) for first in PORTS for second in PORTS] + [
    Row("another load balancer has its own ports", new("foreign listener"), 201, None, [show("listener")]),
]

PLAIN_HEADERS = (
    "X-Forwarded-For",
    "X-Forwarded-Port",
    "X-Forwarded-Proto",
    "X-Forwarded-IP",
    "X-Client-IP",
    "X-Real-IP",
)
TLS_HEADERS = tuple(
    f"X-SSL-{name}"
    for name in (
        "Client-Verify",
        "Client-Has-Cert",
        "Client-DN",
        "Client-CN",
        "Issuer",
        "Client-SHA1",
        "Client-Not-Before",
        "Client-Not-After",
    )
)


def header_row(protocol: str, name: str, good: bool) -> Row:
    wish = {"insert_headers": {name: "true"}}
    rule = f"a {protocol} listener {'can' if good else 'cannot'} insert {name}"
    return Row(rule, new(f"{protocol} listener", **wish), 201 if good else 400, wish if good else "insert_headers")


HEADERS = [
    *(header_row("HTTP", name, True) for name in PLAIN_HEADERS),
    *(header_row("TERMINATED_HTTPS", name, True) for name in (*PLAIN_HEADERS, *TLS_HEADERS)),
    *(header_row("HTTP", name, False) for name in (*TLS_HEADERS, "X-Other", "x-forwarded-for", "")),
    header_row("TERMINATED_HTTPS", "X-Other", False),
    *(header_row(protocol, "X-Forwarded-For", False) for protocol in ("TCP", "HTTPS", "UDP", "SCTP", "PROMETHEUS")),
    Row("no headers are an empty object", new("listener"), 201, {"insert_headers": {}}),
    Row("null headers are none", new("listener", insert_headers=None), 201, {"insert_headers": {}}),
    Row("PUT replaces the headers", change("listener", insert_headers={"X-Forwarded-Port": "true"}), 200,
        {"insert_headers": {"X-Forwarded-Port": "true"}},
        [change("listener", insert_headers={"X-Forwarded-For": "true"})]),
    Row("PUT null takes the headers away", change("listener", insert_headers=None), 200, {"insert_headers": {}},
        [change("listener", insert_headers={"X-Forwarded-For": "true"})]),
    Row("a header's value may be false", new("listener", insert_headers={"X-Forwarded-For": "false"}), 201,
        {"insert_headers": {"X-Forwarded-For": "false"}}),
    Row("a header's value has at most 255 characters", new("listener", insert_headers={"X-Forwarded-For": "x" * 256}),
        400, "insert_headers"),
    Row("headers are an object", new("listener", insert_headers=["X-Forwarded-For"]), 400, "insert_headers"),
    Row("PUT refuses an unknown header", change("listener", insert_headers={"X-Other": "true"}), 400, "X-Other"),
    Row("PUT refuses headers on TCP", change("TCP listener", insert_headers={"X-Forwarded-For": "true"}), 400,
        "insert_headers"),
]  # fmt: skip

TLS = "TERMINATED_HTTPS listener"
OWASP_B = (
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:"
    "DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305"
)
VERSIONS = ["TLSv1.2", "TLSv1.3"]
ALPN = ["h2", "http/1.1", "http/1.0"]
NO_CERTIFICATE = {"default_tls_container_ref": LEFT_OUT}
CERTIFICATES = [
    Row("terminated HTTPS needs a certificate", new(TLS, **NO_CERTIFICATE), 400, "certificate"),
    Row("an SNI certificate is enough", new(TLS, **NO_CERTIFICATE, sni_container_refs=[REF]), 201,
        {"sni_container_refs": [REF], "default_tls_container_ref": None}),
    Row("SNI certificates are shown sorted", new(TLS, sni_container_refs=[f"{REF}2", f"{REF}1"]), 201,
        {"sni_container_refs": [f"{REF}1", f"{REF}2"]}),
    Row("without SNI certificates the list is empty", new("listener"), 201, {"sni_container_refs": []}),
    Row("PUT null clears SNI certificates", change(TLS, sni_container_refs=None), 200, {"sni_container_refs": []},
        [change(TLS, sni_container_refs=[REF])]),
    Row("PUT may not take the last certificate away", change(TLS, default_tls_container_ref=None), 400, "certificate"),
    Row("PUT may exchange the certificate for one of SNI",
        change(TLS, default_tls_container_ref=None, sni_container_refs=[REF]), 200,
        {"default_tls_container_ref": None}),
    Row("a Prometheus listener may have a certificate", new("PROMETHEUS listener", default_tls_container_ref=REF), 201,
        {"default_tls_container_ref": REF}),
    *(Row(f"a {protocol} listener has no certificate", new(f"{protocol} listener", default_tls_container_ref=REF), 400,
          "default_tls_container_ref") for protocol in ("HTTP", "HTTPS", "TCP", "UDP", "SCTP")),
    *(Row(f"a {protocol} listener has no SNI certificates", new(f"{protocol} listener", sni_container_refs=[REF]), 400,
          "sni_container_refs") for protocol in ("HTTP", "HTTPS", "TCP", "UDP", "SCTP")),
    Row("a reference has at most 255 characters", new(TLS, default_tls_container_ref="x" * 256), 400,
        "default_tls_container_ref"),
    Row("an SNI reference has at most 255 characters", new(TLS, sni_container_refs=["x" * 256]), 400,
        "sni_container_refs"),
    Row("SNI references are a list", new(TLS, sni_container_refs=REF), 400, "sni_container_refs"),
    Row("a certificate that cannot be read is refused", new(TLS, default_tls_container_ref=BAD_REF), 400,
        "Could not retrieve certificate"),
    Row("an SNI certificate that cannot be read is refused", new(TLS, sni_container_refs=[BAD_REF]), 400,
        "Could not retrieve certificate"),
    Row("PUT refuses a certificate that cannot be read", change(TLS, default_tls_container_ref=BAD_REF), 400,
        "Could not retrieve certificate"),
    Row("client authentication needs a CA", new(TLS, client_authentication="MANDATORY"), 400, "client_ca"),
    Row("optional client authentication needs a CA", new(TLS, client_authentication="OPTIONAL"), 400, "client_ca"),
    Row("NONE needs no CA", new(TLS, client_authentication="NONE"), 201, {"client_authentication": "NONE"}),
    *(Row(f"client authentication {mode} with a CA",
          new(TLS, client_authentication=mode, client_ca_tls_container_ref=CA), 201, {"client_authentication": mode})
      for mode in ("NONE", "OPTIONAL", "MANDATORY")),
    Row("client authentication is one of three", new(TLS, client_authentication="MAYBE"), 400, "client_authentication"),
    Row("client authentication is NONE by default", new("listener"), 201, {"client_authentication": "NONE"}),
    Row("PUT null puts client authentication back to NONE", change(TLS, client_authentication=None), 200,
        {"client_authentication": "NONE"},
        [change(TLS, client_authentication="OPTIONAL", client_ca_tls_container_ref=CA)]),
    Row("PUT cannot take the CA from under client authentication", change(TLS, client_ca_tls_container_ref=None), 400,
        "client_ca", [change(TLS, client_authentication="OPTIONAL", client_ca_tls_container_ref=CA)]),
    Row("a client CA needs a certificate", new("HTTP listener", client_ca_tls_container_ref=CA), 400, "certificate"),
    Row("a CRL needs a CA", new(TLS, client_crl_container_ref=CRL), 400, "client_crl"),
    Row("a CRL with its CA", new(TLS, client_ca_tls_container_ref=CA, client_crl_container_ref=CRL), 201,
        {"client_crl_container_ref": CRL}),
    Row("PUT cannot take the CA while the CRL stays", change(TLS, client_ca_tls_container_ref=None), 400, "client_crl",
        [change(TLS, client_ca_tls_container_ref=CA, client_crl_container_ref=CRL)]),
]  # fmt: skip
TLS_SETTINGS = [
    Row("the ciphers are OWASP's B by default", new(TLS), 201, {"tls_ciphers": OWASP_B}),
    Row("TLS 1.2 and 1.3 are the default", new(TLS), 201, {"tls_versions": VERSIONS}),
    Row("all three ALPN protocols are the default", new(TLS), 201, {"alpn_protocols": ALPN}),
    *(Row(f"a {protocol} listener has no TLS defaults", new(f"{protocol} listener"), 201,
          {"tls_ciphers": None, "tls_versions": None, "alpn_protocols": None})
      for protocol in ("HTTP", "HTTPS", "TCP", "UDP")),
    Row("ciphers of one's own", new(TLS, tls_ciphers="ECDHE-RSA-AES128-GCM-SHA256:!aNULL+x@=_."), 201,
        {"tls_ciphers": "ECDHE-RSA-AES128-GCM-SHA256:!aNULL+x@=_."}),
    Row("ciphers: 2048 characters", new(TLS, tls_ciphers="A" * 2048), 201, {"tls_ciphers": "A" * 2048}),
    *(Row(f"ciphers: {what} is refused", new(TLS, tls_ciphers=value), 400, "tls_ciphers")
      for what, value in (("2049 characters", "A" * 2049), ("a space", "A B"), ("a line break", "A\n"),
                          ("an empty text", ""), ("a list", ["A"]), ("a semicolon", "A;B"))),
    Row("PUT null puts the ciphers back", change(TLS, tls_ciphers=None), 200, {"tls_ciphers": OWASP_B},
        [change(TLS, tls_ciphers="ECDHE-RSA-AES128-GCM-SHA256")]),
    Row("one TLS version", new(TLS, tls_versions=["TLSv1.3"]), 201, {"tls_versions": ["TLSv1.3"]}),
    *(Row(f"TLS versions {value} are refused", new(TLS, tls_versions=value), 400, "tls_versions")
      for value in ([], ["TLSv9"], "TLSv1.3", [1.3])),
    Row("without a minimum any version will do", new(TLS, tls_versions=["SSLv3", "TLSv1", "TLSv1.1"]), 201,
        {"tls_versions": ["SSLv3", "TLSv1", "TLSv1.1"]}),
    Row("an empty list of TLS versions is refused on plain HTTP too", new("listener", tls_versions=[]), 400,
        "tls_versions"),
    Row("PUT refuses an empty list of TLS versions", change(TLS, tls_versions=[]), 400, "tls_versions"),
    Row("PUT null puts the TLS versions back", change(TLS, tls_versions=None), 200, {"tls_versions": VERSIONS},
        [change(TLS, tls_versions=["TLSv1.3"])]),
    *(Row(f"{verb}: versions below the operator's minimum are refused", asking("new TLS", ask), 400, "tls_versions")
      for verb, ask in (("POST", new(TLS, tls_versions=["TLSv1.1", "TLSv1.3"])),
                        ("PUT", change(TLS, tls_versions=["TLSv1"])))),
    Row("the operator's minimum itself", asking("new TLS", new(TLS, tls_versions=["TLSv1.2"])), 201,
        {"tls_versions": ["TLSv1.2"]}),
    *(Row(f"{verb}: ciphers that the operator prohibits", asking("no weak cipher", ask), 400, "tls_ciphers")
      for verb, ask in (("POST", new(TLS, tls_ciphers="AES128-SHA:DES-CBC3-SHA")),
                        ("PUT", change(TLS, tls_ciphers="DES-CBC3-SHA")))),
    Row("other ciphers", asking("no weak cipher", new(TLS, tls_ciphers="AES128-SHA")), 201,
        {"tls_ciphers": "AES128-SHA"}),
    Row("one ALPN protocol", new(TLS, alpn_protocols=["http/1.1"]), 201, {"alpn_protocols": ["http/1.1"]}),
    *(Row(f"ALPN {value} is refused", new(TLS, alpn_protocols=value), 400, "alpn_protocols")
      for value in ([], ["h3"], "h2", [2])),
    Row("PUT null puts ALPN back", change(TLS, alpn_protocols=None), 200, {"alpn_protocols": ALPN},
        [change(TLS, alpn_protocols=["h2"])]),
    Row("HSTS on terminated HTTPS", new(TLS, hsts_max_age=31536000, hsts_preload=True, hsts_include_subdomains=True),
        201, {"hsts_max_age": 31536000, "hsts_preload": True, "hsts_include_subdomains": True}),
    Row("HSTS age 0", new(TLS, hsts_max_age=0), 201, {"hsts_max_age": 0}),
    Row("HSTS is off by default", new(TLS), 201,
        {"hsts_max_age": None, "hsts_preload": False, "hsts_include_subdomains": False}),
    *(Row(f"HSTS age {value!r} is refused", new(TLS, hsts_max_age=value), 400, "hsts_max_age")
      for value in (-1, "long", 1.5)),
    *(Row(f"no HSTS on a {protocol} listener", new(f"{protocol} listener", hsts_max_age=1), 400, "hsts")
      for protocol in ("HTTP", "HTTPS", "TCP", "UDP", "PROMETHEUS")),
    *(Row(f"{flag} needs hsts_max_age", new(TLS, **{flag: True}), 400, "hsts_max_age")
      for flag in ("hsts_preload", "hsts_include_subdomains")),
    *(Row(f"PUT null puts {flag} back", change(TLS, **{flag: None}), 200, {flag: False},
          [change(TLS, **{"hsts_max_age": 5, flag: True})]) for flag in ("hsts_preload", "hsts_include_subdomains")),
    Row("PUT cannot take the age while a flag stays", change(TLS, hsts_max_age=None), 400, "hsts_max_age",
        [change(TLS, hsts_max_age=5, hsts_preload=True)]),
]  # fmt: skip

CIDRS = [
    Row("no allowed networks is null", new("listener"), 201, {"allowed_cidrs": None}),
    Row("an empty list of allowed networks is null", new("listener", allowed_cidrs=[]), 201, {"allowed_cidrs": None}),
    Row("host bits are masked off", new("listener", allowed_cidrs=["192.0.2.77/24"]), 201,
        {"allowed_cidrs": ["192.0.2.0/24"]}),
    Row("equal networks are merged", new("listener", allowed_cidrs=["192.0.2.0/24", "192.0.2.1/24"]), 201,
        {"allowed_cidrs": ["192.0.2.0/24"]}),
    Row("equal networks are merged on PUT", change("listener", allowed_cidrs=["192.0.2.0/24", "192.0.2.0/24"]), 200,
        {"allowed_cidrs": ["192.0.2.0/24"]}),
    *(Row(f"allowed networks {value} are refused", new("listener", allowed_cidrs=value), 400, "allowed_cidrs")
      for value in (["web"], ["192.0.2.0/33"], "192.0.2.0/24", [7], ["2001:db8::/129"])),
    Row("the networks have a VIP's version", new("listener", allowed_cidrs=["2001:db8::/64"]), 400, "2001:db8::/64"),
    Row("an IPv6 network for an IPv6 VIP",
        new("listener", loadbalancer_id="{six loadbalancer}", allowed_cidrs=["2001:db8::1/64"]), 201,
        {"allowed_cidrs": ["2001:db8::/64"]}),
    Row("PUT null allows everybody", change("listener", allowed_cidrs=None), 200, {"allowed_cidrs": None},
        [change("listener", allowed_cidrs=["192.0.2.0/24"])]),
    *(Row(f"allowed networks on {protocol}", new(f"{protocol} listener", allowed_cidrs=["192.0.2.0/24"]), 201,
          {"allowed_cidrs": ["192.0.2.0/24"]}) for protocol in PORTS),
    Row("not beside security groups of the VIP",
        new("listener", loadbalancer_id="{grouped loadbalancer}", allowed_cidrs=["192.0.2.0/24"]), 400, "vip_sg_ids"),
    Row("security groups of the VIP are not given beside allowed networks",
        change("loadbalancer", vip_sg_ids=["{group}"]), 400, "allowed_cidrs",
        [change("listener", allowed_cidrs=["192.0.2.0/24"])]),
]  # fmt: skip
REFERENCES = [
    Row("a default pool that is not there", new("listener", default_pool_id=GONE), 404, f"Pool {GONE} not found"),
    Row("PUT: a default pool that is not there", change("listener", default_pool_id=GONE), 404, "not found"),
    Row("a default pool of another load balancer", new("listener", default_pool_id="{foreign pool}"), 404, "not found"),
    Row("a load balancer that is not there", new("listener", loadbalancer_id=GONE), 404,
        f"Load Balancer {GONE} not found"),
    Row("a load balancer's id that is no uuid", new("listener", loadbalancer_id="web"), 404, "not found"),
    Row("terminated HTTPS may be switched off", asking("no terminated", new(TLS)), 400, "TERMINATED_HTTPS"),
    Row("Prometheus may be switched off", asking("no prometheus", new("PROMETHEUS listener")), 400, "PROMETHEUS"),
    Row("no nested default_pool", new("listener", default_pool={"name": "p"}), 400, "default_pool"),
    Row("no nested l7policies", new("listener", l7policies=[{"action": "REJECT"}]), 400, "l7policies"),
    Row("two listeners may share a pool", new("other listener", default_pool_id="{pool}"), 201,
        {"default_pool_id": "{pool}"}, [change("listener", default_pool_id="{pool}")]),
    Row("no policy on a Prometheus listener", new("l7policy", listener_id="{PROMETHEUS listener}"), 400,
        "child objects"),
    Row("the pool of a listener is known by it", change("listener", default_pool_id="{pool}"), 200, None, (),
        [(show("pool"), {"listeners": [{"id": "{listener}"}]})]),
    *(Row(f"a {protocol} listener takes no client CA", new(f"{protocol} listener", client_ca_tls_container_ref=CA), 400,
          "client_ca") for protocol in ("UDP", "SCTP", "TCP")),
]  # fmt: skip

TABLES = [
    Table("7", "Listener protocol and pool protocol", PAIRS),
    Table("6", "Ports of listeners", PORT_CONFLICTS),
    Table("6", "Headers that a listener inserts", HEADERS),
    Table("6", "Certificates of a listener", CERTIFICATES),
    Table("6", "TLS settings of a listener", TLS_SETTINGS),
    Table("6", "Networks that a listener allows", CIDRS),
    Table("6", "What a listener refers to", REFERENCES),
]


@each(TABLES)
def test_listener(bench: Bench, row: Row) -> None:
    check(bench, row)
