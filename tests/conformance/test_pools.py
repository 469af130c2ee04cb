"""Pools: where they belong, session persistence, TLS to members, when they may go."""

from typing import Any

from tests.conformance.bench import Bench
from tests.conformance.language import ABSENT, LEFT_OUT, Row, Table, asking, change, delete, new, show
from tests.conformance.nouns import BAD_REF, CA, CRL, GONE
from tests.conformance.suite import check, each

PARENTS = [
    Row("a pool needs a load balancer or a listener", new("pool", loadbalancer_id=LEFT_OUT), 400, "loadbalancer_id"),
    Row("null is no load balancer", new("pool", loadbalancer_id=None), 400, "loadbalancer_id"),
    Row("a load balancer that is not there", new("pool", loadbalancer_id=GONE), 404, f"Load Balancer {GONE} not found"),
    Row("a listener that is not there", new("pool", loadbalancer_id=LEFT_OUT, listener_id=GONE), 404,
        f"Listener {GONE} not found"),
    Row("a load balancer's id that is no uuid", new("pool", loadbalancer_id="web"), 404, "not found"),
    Row("a pool of a listener becomes its default pool",
        new("pool", loadbalancer_id=LEFT_OUT, listener_id="{listener}"), 201,
        {"listeners": [{"id": "{listener}"}], "loadbalancers": [{"id": "{loadbalancer}"}]}),
    Row("the listener shows it", show("listener"), 200, {"default_pool_id": "{served pool}"}, [show("served pool")]),
    Row("a listener has one default pool", new("pool", loadbalancer_id=LEFT_OUT, listener_id="{listener}"), 409,
        "default pool", [show("served pool")]),
    Row("both parents, which belong together", new("pool", listener_id="{listener}"), 201,
        {"listeners": [{"id": "{listener}"}]}),
    Row("both parents of different load balancers", new("pool", listener_id="{foreign listener}"), 400, "belong"),
    Row("both parents, whose protocols do not fit", new("UDP pool", listener_id="{listener}"), 400, "UDP"),
    Row("both parents, and the listener has a pool", new("other pool", listener_id="{listener}"), 409, "default pool",
        [show("served pool")]),
    Row("a new pool has no listeners and no members", new("pool"), 201, {"listeners": [], "members": []}),
    Row("without a monitor there is no healthmonitor_id", new("pool"), 201, {"healthmonitor_id": ABSENT}),
    Row("with a monitor there is", show("pool"), 200, {"healthmonitor_id": "{healthmonitor}"}, [show("healthmonitor")]),
    Row("members are listed by id", show("pool"), 200, {"members": [{"id": "{member}"}]}, [show("member")]),
    Row("no nested members", new("pool", members=[{"address": "192.0.2.1", "protocol_port": 80}]), 400, "members"),
    Row("no nested health monitor", new("pool", healthmonitor={"type": "PING"}), 400, "healthmonitor"),
    Row("PUT cannot move a pool", change("pool", listener_id="{listener}"), 400, "Unknown attribute"),
    Row("PUT cannot move a pool to another load balancer", change("pool", loadbalancer_id=GONE), 400,
        "Unknown attribute"),
    Row("a pool's listeners include those of policies", show("pool"), 200, {"listeners": [{"id": "{listener}"}]},
        [show("REDIRECT_TO_POOL l7policy")]),
    Row("a pool that a policy uses stays", delete("pool"), 409, "{pool}", [show("REDIRECT_TO_POOL l7policy")]),
    Row("it says why it stays", delete("pool"), 409, "is in use by L7 policy", [show("REDIRECT_TO_POOL l7policy")]),
    Row("a pool that a listener uses may go", delete("served pool"), 204, None, [show("served pool")],
        [(show("listener"), {"default_pool_id": None})]),
]  # fmt: skip


def sticky(of: str, wish: Any, shown: Any) -> list[Row]:
    """This persistence on POST and on PUT; shown is the answer, or a fragment of the refusal."""
    good = not isinstance(shown, str)
    says = {"session_persistence": shown} if good else shown
    return [
        Row(f"{verb} {of}: persistence {wish}", ask, (status if good else 400), says)
        for verb, ask, status in (
            ("POST", new(of, session_persistence=wish), 201),
            ("PUT", change(of, session_persistence=wish), 200),
        )
    ]


def whole(kind: str, **given: Any) -> dict[str, Any]:
    """All four subkeys."""
    none = dict.fromkeys(("cookie_name", "persistence_timeout", "persistence_granularity"))
    return {"type": kind, **none, **given}


PERSISTENCE = [
    *sticky("pool", {"type": "SOURCE_IP"}, whole("SOURCE_IP")),
    *sticky("pool", {"type": "HTTP_COOKIE"}, whole("HTTP_COOKIE")),
    *sticky("pool", {"type": "APP_COOKIE", "cookie_name": "sid"}, whole("APP_COOKIE", cookie_name="sid")),
    *sticky("pool", {"type": "APP_COOKIE", "cookie_name": "x" * 255}, whole("APP_COOKIE", cookie_name="x" * 255)),
    *sticky("pool", {"type": "APP_COOKIE"}, "cookie_name"),
    *sticky("pool", {"type": "APP_COOKIE", "cookie_name": ""}, "cookie_name"),
    *sticky("pool", {"type": "APP_COOKIE", "cookie_name": "x" * 256}, "cookie_name"),
    *sticky("pool", {"type": "APP_COOKIE", "cookie_name": "a b"}, "cookie_name"),
    *sticky("pool", {"type": "APP_COOKIE", "cookie_name": "a,b"}, "cookie_name"),
    *sticky("pool", {"type": "APP_COOKIE", "cookie_name": "a;b"}, "cookie_name"),
    *sticky("pool", {"type": "APP_COOKIE", "cookie_name": "a\\b"}, "cookie_name"),
    *sticky("pool", {"type": "SOURCE_IP", "cookie_name": "sid"}, "cookie_name"),
    *sticky("pool", {"type": "HTTP_COOKIE", "cookie_name": "sid"}, "cookie_name"),
    *sticky("pool", {"type": "GUESS"}, "session_persistence"),
    *sticky("pool", {"cookie_name": "sid"}, "type"),
    *sticky("pool", {}, "type"),
    *sticky("pool", "SOURCE_IP", "session_persistence"),
    *sticky("pool", [], "session_persistence"),
    *sticky("pool", {"type": "SOURCE_IP", "more": 1}, "more"),
    *sticky("pool", {"type": "SOURCE_IP", "persistence_timeout": 5}, "persistence_timeout"),
    *sticky("pool", {"type": "SOURCE_IP", "persistence_granularity": "255.255.0.0"}, "persistence_granularity"),
    *sticky("UDP pool", {"type": "SOURCE_IP"}, whole("SOURCE_IP")),
    *sticky("SCTP pool", {"type": "SOURCE_IP"}, whole("SOURCE_IP")),
    *sticky("UDP pool", {"type": "SOURCE_IP", "persistence_timeout": 5}, whole("SOURCE_IP", persistence_timeout=5)),
    *sticky("UDP pool", {"type": "SOURCE_IP", "persistence_timeout": "5"}, whole("SOURCE_IP", persistence_timeout=5)),
    *sticky(
        "SCTP pool",
        {"type": "SOURCE_IP", "persistence_timeout": 5, "persistence_granularity": "255.255.0.0"},
        whole("SOURCE_IP", persistence_timeout=5, persistence_granularity="255.255.0.0"),
    ),
    *sticky("UDP pool", {"type": "SOURCE_IP", "persistence_granularity": "no mask"}, "persistence_granularity"),
    *sticky("UDP pool", {"type": "SOURCE_IP", "persistence_granularity": "255.0.255.0"}, "persistence_granularity"),
    *sticky("UDP pool", {"type": "SOURCE_IP", "persistence_timeout": "long"}, "persistence_timeout"),
    *sticky("UDP pool", {"type": "HTTP_COOKIE"}, "SOURCE_IP"),
    *sticky("UDP pool", {"type": "APP_COOKIE", "cookie_name": "sid"}, "SOURCE_IP"),
    *sticky("SCTP pool", {"type": "HTTP_COOKIE"}, "SOURCE_IP"),
    Row("no persistence is null", new("pool"), 201, {"session_persistence": None}),
    Row("PUT null clears persistence", change("sticky pool", session_persistence=None), 200,
        {"session_persistence": None}),
    Row("PUT may leave the type out when there is one",
        change("UDP pool", session_persistence={"persistence_timeout": 9}), 200,
        {"session_persistence": whole("SOURCE_IP", persistence_timeout=9)},
        [change("UDP pool", session_persistence={"type": "SOURCE_IP"})]),
    Row("PUT makes what it does not give null", change("UDP pool", session_persistence={"type": "SOURCE_IP"}), 200,
        {"session_persistence": whole("SOURCE_IP")},
        [change("UDP pool", session_persistence={"type": "SOURCE_IP", "persistence_timeout": 9})]),
    Row("PUT changes the type", change("sticky pool", session_persistence={"type": "HTTP_COOKIE"}), 200,
        {"session_persistence": whole("HTTP_COOKIE")}),
    Row("a PUT of something else keeps persistence", change("sticky pool", name="x"), 200,
        {"session_persistence": whole("SOURCE_IP")}),
]  # fmt: skip

TLS = [
    Row("without TLS there are no TLS defaults", new("pool"), 201,
        {"tls_ciphers": None, "tls_versions": None, "alpn_protocols": None}),
    Row("with TLS there are versions", new("TLS pool"), 201, {"tls_versions": ["TLSv1.2", "TLSv1.3"]}),
    Row("with TLS there is ALPN", new("TLS pool"), 201, {"alpn_protocols": ["h2", "http/1.1", "http/1.0"]}),
    Row("a CRL needs a CA", new("TLS pool", crl_container_ref=CRL), 400, "ca_tls_container_ref"),
    Row("PUT: a CRL needs a CA", change("TLS pool", crl_container_ref=CRL), 400, "ca_tls_container_ref"),
    Row("the CA stays while there is a CRL", change("TLS pool", ca_tls_container_ref=None), 400, "ca_tls_container_ref",
        [change("TLS pool", ca_tls_container_ref=CA, crl_container_ref=CRL)]),
    Row("CA and CRL go together", change("TLS pool", ca_tls_container_ref=None, crl_container_ref=None), 200,
        {"ca_tls_container_ref": None, "crl_container_ref": None},
        [change("TLS pool", ca_tls_container_ref=CA, crl_container_ref=CRL)]),
    *(Row(f"{name} that cannot be read is refused", new("TLS pool", **{name: BAD_REF}), 400,
          "Could not retrieve certificate") for name in ("tls_container_ref", "ca_tls_container_ref")),
    *(Row(f"POST TLS versions {value} are refused", new("TLS pool", tls_versions=value), 400, "tls_versions")
      for value in ([], ["TLSv9"], "TLSv1.3")),
    *(Row(f"PUT TLS versions {value} are refused", change("TLS pool", tls_versions=value), 400, "tls_versions")
      for value in ([], ["TLSv9"])),
    *(Row(f"ALPN {value} is refused", new("TLS pool", alpn_protocols=value), 400, "alpn_protocols")
      for value in ([], ["h3"], "h2")),
    *(Row(f"ciphers {value!r} are refused", new("TLS pool", tls_ciphers=value), 400, "tls_ciphers")
      for value in ("A B", "A;B", "", ["A"])),
    Row("versions below the operator's minimum", asking("new TLS", new("TLS pool", tls_versions=["TLSv1.1"])), 400,
        "tls_versions"),
    Row("ciphers that the operator prohibits",
        asking("no weak cipher", new("TLS pool", tls_ciphers="DES-CBC3-SHA")), 400, "tls_ciphers"),
    Row("ciphers of one's own", new("TLS pool", tls_ciphers="ECDHE-RSA-AES128-GCM-SHA256"), 201,
        {"tls_ciphers": "ECDHE-RSA-AES128-GCM-SHA256"}),
    Row("PUT null puts TLS versions back", change("TLS pool", tls_versions=None), 200,
        {"tls_versions": ["TLSv1.2", "TLSv1.3"]}, [change("TLS pool", tls_versions=["TLSv1.3"])]),
    Row("PUT null puts ALPN back", change("TLS pool", alpn_protocols=None), 200,
        {"alpn_protocols": ["h2", "http/1.1", "http/1.0"]}, [change("TLS pool", alpn_protocols=["h2"])]),
]  # fmt: skip

TABLES = [
    Table("7", "What a pool belongs to, and when it may go", PARENTS),
    Table("7", "Session persistence", PERSISTENCE),
    Table("7", "TLS to members", TLS),
]


@each(TABLES)
def test_pool(bench: Bench, row: Row) -> None:
    check(bench, row)
