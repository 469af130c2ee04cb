"""What the API has: where each noun lives, its root keys, and the least that a POST of it needs.

Words in braces stand for things of a row's own scene, which are made when they are first named: `{listener}`,
`{UDP pool}`, `{HEADER rule}`. The word before the noun is its variant.
"""

from typing import Any, NamedTuple

Fields = dict[str, Any]

LBAAS = "/v2/lbaas"
OCTAVIA = "/v2/octavia"
GONE = "b7a3e9d2-0000-4000-8000-000000000000"
NOBODY = "0" * 32
"""The project of what is made without authentication and without naming one."""
NIL = "00000000-0000-0000-0000-000000000000"
REF = "https://secrets.example.org/v1/containers/11111111-1111-4111-8111-111111111111"
CA = "https://secrets.example.org/v1/secrets/22222222-2222-4222-8222-222222222222"
CRL = "https://secrets.example.org/v1/secrets/33333333-3333-4333-8333-333333333333"
BAD_REF = "https://secrets.example.org/v1/secrets/unreadable"
"""The harness has no certificate there."""


class Noun(NamedTuple):
    path: str
    """Of the collection, under /v2/lbaas."""
    root: str
    fields: Fields
    plural: str = ""


NOUNS: dict[str, Noun] = {
    "loadbalancer": Noun("loadbalancers", "loadbalancer", {"vip_subnet_id": "{subnet}", "project_id": "{project}"}),
    "listener": Noun(
        "listeners",
        "listener",
        {"loadbalancer_id": "{loadbalancer}", "protocol": "HTTP", "protocol_port": 80},
    ),
    "pool": Noun(
        "pools", "pool", {"loadbalancer_id": "{loadbalancer}", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}
    ),
    "member": Noun("pools/{pool}/members", "member", {"address": "192.0.2.10", "protocol_port": 80}),
    "healthmonitor": Noun(
        "healthmonitors",
        "healthmonitor",
        {"pool_id": "{pool}", "type": "HTTP", "delay": 5, "timeout": 3, "max_retries": 2},
    ),
    "l7policy": Noun("l7policies", "l7policy", {"listener_id": "{listener}", "action": "REJECT"}),
    "rule": Noun(
        "l7policies/{l7policy}/rules", "rule", {"type": "PATH", "compare_type": "STARTS_WITH", "value": "/images"}
    ),
    "flavorprofile": Noun(
        "flavorprofiles",
        "flavorprofile",
        {
            "name": "profile",
            "provider_name": "amphora",
            "flavor_data": '{"loadbalancer_topology": "SINGLE"}',
        },
    ),
    "flavor": Noun("flavors", "flavor", {"name": "flavor of {project}", "flavor_profile_id": "{flavorprofile}"}),
    "availability_zone_profile": Noun(
        "availabilityzoneprofiles",
        "availability_zone_profile",
        {
            "name": "profile",
            "provider_name": "amphora",
            "availability_zone_data": '{"compute_zone": "nova"}',
        },
    ),
    "availability_zone": Noun(
        "availabilityzones",
        "availability_zone",
        {"name": "zone-of-{project}", "availability_zone_profile_id": "{availability_zone_profile}"},
    ),
    "quota": Noun("quotas", "quota", {}),
}
CHILDREN = ("listener", "pool", "member", "healthmonitor", "l7policy", "rule")
SERVED = ("loadbalancer", *CHILDREN)
"""The nouns that have statuses, a project and tags."""
TITLES = {
    "loadbalancer": "Load Balancer",
    "listener": "Listener",
    "pool": "Pool",
    "member": "Member",
    "healthmonitor": "Health Monitor",
    "l7policy": "L7 Policy",
    "rule": "L7 Rule",
    "flavor": "Flavor",
    "flavorprofile": "Flavor Profile",
    "availability_zone": "Availability Zone",
    "availability_zone_profile": "Availability Zone Profile",
}
PLURALS = {
    "l7policy": "l7policies",
    "availability_zone": "availability_zones",
    "availability_zone_profile": "availability_zone_profiles",
}
PORTS = {"HTTP": 80, "TERMINATED_HTTPS": 443, "HTTPS": 444, "TCP": 81, "PROMETHEUS": 9100, "UDP": 53, "SCTP": 54}

VARIANTS: dict[str, dict[str, Fields]] = {
    "loadbalancer": {
        "six": {"vip_subnet_id": "{six}"},
        "grouped": {"vip_sg_ids": ["{group}"]},
        "other": {"name": "another of this project"},
    },
    "listener": {
        protocol: {"protocol": protocol, "protocol_port": port}
        | ({"default_tls_container_ref": REF} if protocol == "TERMINATED_HTTPS" else {})
        for protocol, port in PORTS.items()
    }
    | {"other": {"protocol_port": 8080}, "foreign": {"loadbalancer_id": "{other loadbalancer}"}},
    "pool": {
        protocol: {"protocol": protocol} for protocol in ("HTTP", "HTTPS", "TCP", "PROXY", "PROXYV2", "UDP", "SCTP")
    }
    | {
        "TLS": {"tls_enabled": True},
        "other": {"name": "another"},
        "served": {"loadbalancer_id": None, "listener_id": "{listener}"},
        "foreign": {"loadbalancer_id": "{other loadbalancer}"},
        "sticky": {"session_persistence": {"type": "SOURCE_IP"}},
    },
    "member": {"other": {"address": "192.0.2.11"}},
    "healthmonitor": {kind: {"type": kind} for kind in ("HTTP", "HTTPS", "PING", "TCP", "TLS-HELLO")}
    | {
        "UDP-CONNECT": {"type": "UDP-CONNECT", "pool_id": "{UDP pool}"},
        "SCTP": {"type": "SCTP", "pool_id": "{SCTP pool}"},
    },
    "l7policy": {
        "REJECT": {},
        "other": {"name": "another"},
        "REDIRECT_TO_URL": {"action": "REDIRECT_TO_URL", "redirect_url": "https://www.example.org/"},
        "REDIRECT_PREFIX": {"action": "REDIRECT_PREFIX", "redirect_prefix": "https://www.example.org"},
        "REDIRECT_TO_POOL": {"action": "REDIRECT_TO_POOL", "redirect_pool_id": "{pool}"},
        "TERMINATED_HTTPS": {"listener_id": "{TERMINATED_HTTPS listener}"},
    },
    "rule": {
        "PATH": {},
        "other": {"value": "/other"},
        "HOST_NAME": {"type": "HOST_NAME", "compare_type": "EQUAL_TO", "value": "www.example.org"},
        "FILE_TYPE": {"type": "FILE_TYPE", "compare_type": "EQUAL_TO", "value": "png"},
        "HEADER": {"type": "HEADER", "compare_type": "CONTAINS", "key": "X-Custom", "value": "blue"},
        "COOKIE": {"type": "COOKIE", "compare_type": "EQUAL_TO", "key": "session", "value": "old"},
        "SSL_CONN_HAS_CERT": {"type": "SSL_CONN_HAS_CERT", "compare_type": "EQUAL_TO", "value": "true"},
        "SSL_VERIFY_RESULT": {"type": "SSL_VERIFY_RESULT", "compare_type": "EQUAL_TO", "value": "0"},
        "SSL_DN_FIELD": {"type": "SSL_DN_FIELD", "compare_type": "EQUAL_TO", "key": "CN", "value": "me"},
    },
    "flavor": {"other": {"name": "other flavor of {project}"}},
    "flavorprofile": {"other": {"name": "other"}},
    "availability_zone": {"other": {"name": "other-zone-of-{project}"}},
    "availability_zone_profile": {"other": {"name": "other"}},
}


def parted(words: str) -> tuple[str, str]:
    """`TCP listener` is the variant TCP of a listener; the variant may be empty."""
    variant, _, noun = words.rpartition(" ")
    return variant, noun


def least(words: str) -> Fields:
    """The fields of the smallest POST body that is accepted."""
    variant, noun = parted(words)
    return NOUNS[noun].fields | (VARIANTS[noun][variant] if variant else {})


def collection(words: str) -> str:
    """The path of the collection; that of members and rules names their parent."""
    return f"{LBAAS}/{NOUNS[parted(words)[1]].path}"


def root(words: str) -> str:
    return NOUNS[parted(words)[1]].root


def plural(words: str) -> str:
    noun = parted(words)[1]
    return PLURALS.get(noun, f"{noun}s")
