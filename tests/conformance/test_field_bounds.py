"""Which values each field takes: bounds, types, lax readings, defaults and nulls, on POST and on PUT."""

from tests.conformance.bench import Bench
from tests.conformance.fields import KEEPS, REFUSES, Field, Reads, Refused, rows
from tests.conformance.language import Fact, Row, Table
from tests.conformance.nouns import CA, CRL, GONE, NOBODY, REF, SERVED
from tests.conformance.suite import check, each

LONG = "x" * 255
TOO_LONG = "x" * 256
DAYS = 24 * 24 * 3600 * 1000
BOOLEANS = [
    False,
    True,
    *(Reads(text, True) for text in ("true", "Yes", "on", "t", "1", 1)),
    *(Reads(text, False) for text in ("false", "no", "OFF", "f", "0", 0)),
]
SOME_BOOLEANS = [Reads("yes", True), True, Reads("0", False)]
TEXTS = [7, ["x"], {}, TOO_LONG]


def common(noun: str) -> list[Field]:
    """What nearly all nouns have."""
    named = [Field(noun, "name", ["web", "", LONG, "snowman \u2603"], TEXTS, default="", null="")]
    described = [Field(noun, "description", ["for people", LONG], TEXTS, default="", null="")]
    return [
        *(named if noun != "rule" else []),
        *(described if noun not in ("member", "healthmonitor", "rule") else []),
        Field(
            noun,
            "admin_state_up",
            BOOLEANS if noun == "listener" else [False, *SOME_BOOLEANS],
            ["perhaps", "", 2, [], 1.5],
            default=True,
            null=False,
        ),
        Field(
            noun,
            "tags",
            [["a"], [LONG], [], Reads(["b", "a", "b"], ["a", "b"])],
            ["a", [1], [None], [TOO_LONG], {}],
            default=[],
            null=KEEPS,
        ),
    ]


SECONDS = [0, 1, Reads("5", 5)]
NO_NUMBERS = ["many", "", 1.5, [], {}, True]
NO_UUIDS = ["no-uuid", 7, []]
SOMETHING = Fact("something", lambda value: value is not None)

LOAD_BALANCER = [
    Field("loadbalancer", "project_id", ["x" * 36], ["x" * 37, 7, []], fixed=True, default=NOBODY),
    Field("loadbalancer", "vip_address", ["10.200.0.9"], ["10.0.0", "web", "10.0.0.0/24", 7], SOMETHING, fixed=True),
    Field("loadbalancer", "provider", ["amphora"], ["x" * 65, 7, []], "amphora", fixed=True),
    Field("loadbalancer", "availability_zone", [], [TOO_LONG, 7, []], None, fixed=True),
    Field("loadbalancer", "flavor_id", [], [Refused("no-uuid", "flavor"), 7, []], None, fixed=True),
    Field("loadbalancer", "vip_qos_policy_id", ["{qos}"], [Refused("no-uuid", "qos"), 7], None, null=None),
    Field(
        "loadbalancer",
        "vip_sg_ids",
        [["{group}"], []],
        ["{group}", Refused(["no-uuid"], "no-uuid"), [7], {}],
        [],
        null=[],
    ),
    Field("loadbalancer", "additional_vips", [[]], [{}, ["x"], [{}], [{"subnet_id": 7}]], [], fixed=True),
    Field("loadbalancer", "listeners", [[]], [{}, [7], "x"], [], fixed=True),
    Field("loadbalancer", "pools", [[]], [{}, [7], "x"], [], fixed=True),
    Field(
        "six loadbalancer",
        "vip_address",
        [Reads("2001:DB8:0::77", "2001:db8::77")],
        ["2001:::1"],
        SOMETHING,
        fixed=True,
    ),
]
LISTENER = [
    Field("listener", "loadbalancer_id", ["{loadbalancer}"], [7, [], {}], fixed=True, shown=False),
    Field(
        "listener",
        "protocol",
        ["HTTP", "TCP", "HTTPS", "UDP", "SCTP", "PROMETHEUS"],
        ["http", "GOPHER", "", 7, "PROXY"],
        fixed=True,
    ),
    Field(
        "listener",
        "protocol_port",
        [
            1,
            65535,
            Reads("80", 80),
        ],
        [0, -1, 65536, 10**40, "http", "", 80.5, [], True],
        fixed=True,
    ),
    Field("listener", "connection_limit", [1000, -1, 0, Reads("80", 80)], [-2, *NO_NUMBERS], -1, null=-1),
    *(
        Field("listener", name, [1000, 0, DAYS, Reads("80", 80)], [-1, DAYS + 1, *NO_NUMBERS], default, null=default)
        for name, default in (
            ("timeout_client_data", 50000),
            ("timeout_member_connect", 5000),
            ("timeout_member_data", 50000),
            ("timeout_tcp_inspect", 0),
        )
    ),
    Field("listener", "default_pool_id", ["{pool}"], [7, [], {}], None, null=None),
]
POOL = [
    Field(
        "pool",
        "protocol",
        ["HTTP", "TCP", "HTTPS", "PROXY", "PROXYV2", "UDP", "SCTP"],
        ["TERMINATED_HTTPS", "PROMETHEUS", "http", 7],
        fixed=True,
    ),
    Field(
        "pool",
        "lb_algorithm",
        ["LEAST_CONNECTIONS", "ROUND_ROBIN", "SOURCE_IP", "SOURCE_IP_PORT"],
        ["RANDOM", "round_robin", 7],
        null=REFUSES,
    ),
    Field("pool", "tls_enabled", [True, Reads("yes", True), False], ["perhaps", 2], False, null=False),
    *(
        Field("TLS pool", name, [REF], ["x" * 256, 7, []], None, null=None)
        for name in ("tls_container_ref", "ca_tls_container_ref")
    ),
    Field("TLS pool", "crl_container_ref", [CRL], ["x" * 256, 7], None, null=None, beside={"ca_tls_container_ref": CA}),
]
MEMBER = [
    Field("member", "address", ["192.0.2.99", "2001:db8::9"], ["web", "192.0.2.0/24", "", 7], fixed=True),
    Field("member", "protocol_port", [1, 65535, Reads("80", 80)], [0, 65536, "http", 1.5], fixed=True),
    Field("member", "weight", [2, 0, 256, Reads("8", 8)], [-1, 257, *NO_NUMBERS], 1, null=1),
    Field("member", "backup", SOME_BOOLEANS, ["perhaps", 2], False, null=False),
    Field(
        "member",
        "subnet_id",
        ["{subnet}"],
        [Refused("no-uuid", "subnet"), 7, Refused(GONE, "Subnet {gone} not found")],
        None,
        fixed=True,
    ),
    Field("member", "monitor_address", ["192.0.2.98", "2001:db8::8"], ["web", 7, "192.0.2.0/24"], None, null=None),
    Field("member", "monitor_port", [8080, 1, 65535, Reads("80", 80)], [0, 65536, "http", 1.5], None, null=None),
    Field("member", "request_sriov", [False], ["perhaps", 2], False, fixed=True, shown=False),
]
HEALTH_MONITOR = [
    Field("healthmonitor", "pool_id", ["{pool}"], [7, [], {}], fixed=True, shown=False),
    Field("healthmonitor", "type", ["HTTP", "HTTPS"], ["GUESS", "http", 7], fixed=True),
    Field("healthmonitor", "delay", SECONDS, [-1, *NO_NUMBERS], null=REFUSES),
    Field("healthmonitor", "timeout", [*SECONDS, 3600], [-1, *NO_NUMBERS], null=REFUSES),
    Field("healthmonitor", "max_retries", [1, 10, Reads("3", 3)], [0, 11, *NO_NUMBERS], null=REFUSES),
    Field("healthmonitor", "max_retries_down", [1, 10, Reads("5", 5)], [0, 11, *NO_NUMBERS], 3, null=3),
    Field(
        "healthmonitor",
        "http_method",
        ["HEAD", "GET", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH"],
        ["get", "BREW", 7],
        "GET",
        null="GET",
    ),
    Field("healthmonitor", "url_path", ["/health?a=b", "/"], ["health", "/a b", "", 7], "/", null="/"),
    Field(
        "healthmonitor",
        "expected_codes",
        ["200,202", "200", "200-204", "200, 201"],
        ["20", "2000", "200-", "200-204,300", "ok", "200;201", 7],
        "200",
        null="200",
    ),
    Field("healthmonitor", "http_version", [1.1, 1.0, Reads("1.1", 1.1)], [2.0, 1.2, "new", []], None, null=None),
    Field(
        "healthmonitor",
        "domain_name",
        ["www.example.org", "a"],
        ["", "a b", "-a.org", "x" * 256, 7],
        None,
        null=None,
        beside={"http_version": 1.1},
    ),
]

TABLES = [
    *(Table("4", f"Name, description, state, tags: {noun}", rows(common(noun))) for noun in SERVED),
    Table("5", "Fields of a load balancer", rows(LOAD_BALANCER)),
    Table("6", "Fields of a listener", rows(LISTENER)),
    Table("7", "Fields of a pool", rows(POOL)),
    Table("8", "Fields of a member", rows(MEMBER)),
    Table("9", "Fields of a health monitor", rows(HEALTH_MONITOR)),
]


@each(TABLES)
def test_field(bench: Bench, row: Row) -> None:
    check(bench, row)
