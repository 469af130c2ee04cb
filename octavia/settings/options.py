"""Every option: its group and name (upstream's, where we have the same concept), type, default and meaning."""

import ipaddress
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct, inspect

INERT: Final = {"inert": True}
"""Marks an option that is read and checked, and that nothing obeys yet. Setting it is answered with a warning."""

Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]


class SettingsError(Exception):
    """The settings cannot be used: one sentence for each fault, on a line of its own."""


class ApiSettings(Struct, frozen=True, kw_only=True):
    """[api_settings]"""

    bind_host: Annotated[str, Meta(description="The address that the API listens on.")] = "127.0.0.1"
    bind_port: Annotated[int, Meta(ge=0, le=65535, description="The API's port; 0 takes a free one.")] = 9876
    api_workers: Annotated[
        Count | None, Meta(description="Processes that `octavia api` forks. Unset: one for each CPU.")
    ] = None
    api_threads: Annotated[Count, Meta(description="Threads of each process that `octavia api` forks.")] = 4
    auth_strategy: Annotated[
        Literal["noauth", "keystone", "http_basic"],
        Meta(
            description="How callers are known. `keystone` where there is a `[keystone_authtoken]` and nothing else is "
            "said; `noauth` works on a loopback address only."
        ),
    ] = "noauth"
    api_base_uri: Annotated[
        str | None, Meta(description="The API's address as clients see it. Unset: as each request names it.")
    ] = None
    pagination_max_limit: Annotated[Count, Meta(description="The longest page of a list.")] = 1000
    healthcheck_enabled: Annotated[bool, Meta(description="Answer `GET /healthcheck`.")] = True
    healthcheck_refresh_interval: Annotated[
        Seconds, Meta(description="Seconds that an answer of the health check is kept.")
    ] = 5.0
    enabled_provider_drivers: Annotated[
        tuple[str, ...], Meta(description="The providers that users may choose: `NAME` or `NAME: DESCRIPTION`.")
    ] = ("amphora: HAProxy in amphorae.", "octavia: Another name of amphora.")
    default_provider_driver: Annotated[str, Meta(description="The provider of load balancers that name none.")] = (
        "amphora"
    )
    allow_pagination: Annotated[bool, Meta(description="Look at `limit`, `marker` and `page_reverse`.")] = True
    allow_sorting: Annotated[bool, Meta(description="Look at `sort`, `sort_key` and `sort_dir`.")] = True
    allow_filtering: Annotated[bool, Meta(description="Look at filters.")] = True
    allow_field_selection: Annotated[bool, Meta(description="Look at `fields`.")] = True
    allow_tls_terminated_listeners: Annotated[
        bool, Meta(description="Accept listeners of protocol `TERMINATED_HTTPS`.")
    ] = True
    allow_prometheus_listeners: Annotated[bool, Meta(description="Accept listeners of protocol `PROMETHEUS`.")] = True
    allow_ping_health_monitors: Annotated[bool, Meta(description="Accept health monitors of type `PING`.")] = True
    udp_connect_min_interval_health_monitor: Annotated[
        Count, Meta(description="The shortest delay of health monitors of type `UDP-CONNECT`, in seconds.")
    ] = 3
    tls_cipher_prohibit_list: Annotated[
        str, Meta(description="Ciphers that nobody may choose, separated by colons.")
    ] = ""
    minimum_tls_version: Annotated[
        Literal["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] | None,
        Meta(description="The oldest TLS version that listeners and pools may choose. Unset: any."),
    ] = None

    def __post_init__(self) -> None:
        # Here and not in load(): the command line may put another address in place of the file's.
        if self.auth_strategy == "noauth" and not is_loopback(self.bind_host):
            raise SettingsError(
                f"[api_settings] bind_host = {self.bind_host}: without authentication the API listens on a loopback "
                "address only (127.0.0.1 or ::1), because everybody who reaches it is an administrator."
            )


class Database(Struct, frozen=True, kw_only=True):
    """[database]"""

    connection: Annotated[
        str, Meta(description="The database, as SQLAlchemy writes it.", extra_json_schema={"secret": True})
    ] = "sqlite:///$state_path/octavia.db"


class HealthManager(Struct, frozen=True, kw_only=True):
    """[health_manager]"""

    bind_ip: Annotated[
        str | None, Meta(description="Where heartbeats are received. Unset: on the amphorae's management network.")
    ] = None
    bind_port: Annotated[Port, Meta(description="The UDP port for heartbeats.")] = 5555
    heartbeat_key: Annotated[
        str | None,
        Meta(
            description="The master key that heartbeats are signed under. Unset: made once, kept in the state folder.",
            extra_json_schema={"secret": True},
        ),
    ] = None
    heartbeat_interval: Annotated[Seconds, Meta(description="Seconds between two heartbeats of an amphora.")] = 1.0
    heartbeat_timeout: Annotated[
        Seconds,
        Meta(description="Seconds of silence after which an amphora counts as failed.", extra_json_schema=INERT),
    ] = 3.0
    failover_threshold: Annotated[
        Count | None,
        Meta(
            description="More failed amphorae than this at once are not replaced, but reported. "
            "Unset: the larger of 5 and a fifth of all.",
            extra_json_schema=INERT,
        ),
    ] = None

    def __post_init__(self) -> None:
        if self.heartbeat_timeout <= self.heartbeat_interval:
            raise SettingsError(
                f"[health_manager] heartbeat_timeout = {self.heartbeat_timeout:g}: it must be longer than "
                f"heartbeat_interval, {self.heartbeat_interval:g}."
            )
        if self.bind_ip is not None and not is_ipv4(self.bind_ip):
            raise SettingsError(f"[health_manager] bind_ip = {self.bind_ip}: an IPv4 address is expected.")


class ControllerWorker(Struct, frozen=True, kw_only=True):
    """[controller_worker]"""

    compute_driver: Annotated[
        Literal["auto", "netns", "process", "noop"],
        Meta(description="What amphorae are. `auto`: the first of `netns` and `process` that this machine allows."),
    ] = "auto"
    network_driver: Annotated[Literal["local", "noop"], Meta(description="Who hands out subnets and addresses.")] = (
        "local"
    )
    amphora_driver: Annotated[Literal["https", "noop"], Meta(description="How amphorae are spoken to.")] = "https"
    workers: Annotated[Count, Meta(description="Threads that visit load balancers.")] = 4
    error_after: Annotated[
        Seconds, Meta(description="Seconds that a passing fault may last before the load balancer shows ERROR.")
    ] = 30.0
    sweep_interval: Annotated[
        Seconds,
        Meta(
            description="Seconds between two looks for what has gone astray: amphorae that vanished or fell silent, "
            "and things that belong to nobody. Each load balancer that seems well is looked at in every sixth of them. "
            "What is asked for is found within about a second, whatever this is."
        ),
    ] = 10.0
    lease_seconds: Annotated[
        Seconds, Meta(description="Seconds that a controller may work on a load balancer without a sign of life.")
    ] = 15.0


class HaproxyAmphora(Struct, frozen=True, kw_only=True):
    """[haproxy_amphora]"""

    bind_port: Annotated[Port, Meta(description="The port of the amphora's agent.", extra_json_schema=INERT)] = 9443
    user: Annotated[str, Meta(description="Whom HAProxy becomes once it has started, where root starts it.")] = "nobody"
    haproxy_command: Annotated[str, Meta(description="The HAProxy program.")] = "haproxy"


class Networking(Struct, frozen=True, kw_only=True):
    """[networking]"""

    reserved_ips: Annotated[tuple[str, ...], Meta(description="Addresses that no member may have.")] = (
        "169.254.169.254",
    )
    allow_vip_port_id: Annotated[bool, Meta(description="Accept `vip_port_id`.")] = True
    allow_vip_network_id: Annotated[bool, Meta(description="Accept `vip_network_id`.")] = True
    allow_vip_subnet_id: Annotated[bool, Meta(description="Accept `vip_subnet_id`.")] = True
    valid_vip_networks: Annotated[
        tuple[str, ...], Meta(description="Ids of the only networks that VIPs may be in. Unset: any.")
    ] = ()
    denylist_vip_networks: Annotated[tuple[str, ...], Meta(description="Ids of networks that no VIP may be in.")] = ()


Limit = Annotated[int, Meta(ge=-1, le=2_000_000_000)]


class Quotas(Struct, frozen=True, kw_only=True):
    """[quotas]"""

    default_load_balancer_quota: Annotated[
        Limit, Meta(description="Load balancers that a project may have where nothing else is set; -1 is any number.")
    ] = -1
    default_listener_quota: Annotated[Limit, Meta(description="Listeners.")] = -1
    default_pool_quota: Annotated[Limit, Meta(description="Pools.")] = -1
    default_member_quota: Annotated[Limit, Meta(description="Members.")] = -1
    default_health_monitor_quota: Annotated[Limit, Meta(description="Health monitors.")] = -1
    default_l7policy_quota: Annotated[Limit, Meta(description="L7 policies.")] = -1
    default_l7rule_quota: Annotated[Limit, Meta(description="L7 rules.")] = -1


class LocalSubnet(Struct, frozen=True, kw_only=True):
    """One line `subnet` of [local_network]."""

    name: str
    cidr: str
    network: str
    gateway: str | None


class LocalNetwork(Struct, frozen=True, kw_only=True):
    """[local_network]"""

    subnets: Annotated[
        tuple[LocalSubnet, ...],
        Meta(
            description="`NAME CIDR [network=NAME] [gateway=ADDRESS or none]`; one line `subnet = ...` for each. "
            "The network is named like the subnet, and the gateway is the first address, where the line says nothing.",
            extra_json_schema={"option": "subnet"},
        ),
    ] = (
        LocalSubnet(name="demo", cidr="198.18.0.0/20", network="demo", gateway="198.18.0.1"),
        LocalSubnet(name="demo6", cidr="fd6f:6374:6176::/64", network="demo", gateway="fd6f:6374:6176::1"),
    )
    management_cidr: Annotated[
        str,
        Meta(
            description="The IPv4 network of the management links of `netns`. Another deployment on the same host "
            "needs another one; amphorae that are there keep the address that they have."
        ),
    ] = "198.19.0.0/16"

    def __post_init__(self) -> None:
        try:
            roomy = ipaddress.IPv4Network(self.management_cidr).num_addresses >= 8
        except ValueError:
            roomy = False
        if not roomy:
            raise SettingsError(
                f"[local_network] management_cidr = {self.management_cidr}: an IPv4 network with room for addresses "
                "is expected, such as 198.19.0.0/16."
            )


class OsloMiddleware(Struct, frozen=True, kw_only=True):
    """[oslo_middleware]"""

    max_request_body_size: Annotated[
        int, Meta(ge=1, le=8388608, description="The largest body of a request, in bytes.")
    ] = 114688
    http_basic_auth_user_file: Annotated[
        Path, Meta(description="`NAME:HASH` lines, hashes by bcrypt (`htpasswd -B`), for `auth_strategy = http_basic`.")
    ] = Path("/etc/htpasswd")


class Certificates(Struct, frozen=True, kw_only=True):
    """[certificates]"""

    local_path: Annotated[
        Path, Meta(description="The folder of certificates that listeners may name.", extra_json_schema=INERT)
    ] = Path("$state_path/certificates")


class Default(Struct, frozen=True, kw_only=True):
    """[DEFAULT]"""

    host: Annotated[
        str, Meta(description="The name of this machine in reports. Default: its host name.", extra_json_schema=INERT)
    ] = ""
    debug: Annotated[bool, Meta(description="Log more.")] = False
    state_path: Annotated[
        Path,
        Meta(
            description="Where everything is kept. Default: /var/lib/octavia for root, else ~/.local/state/octavia "
            "(or the same under XDG_STATE_HOME)."
        ),
    ] = Path()


class Settings(Struct, frozen=True, kw_only=True):
    """What the operator has settled. `warnings` are sentences about what was ignored."""

    host: str
    debug: bool
    state_path: Path
    api_settings: ApiSettings
    database: Database
    health_manager: HealthManager
    controller_worker: ControllerWorker
    haproxy_amphora: HaproxyAmphora
    networking: Networking
    quotas: Quotas
    local_network: LocalNetwork
    certificates: Certificates
    oslo_middleware: OsloMiddleware
    oslo: Any
    """What the libraries of oslo and Keystone's middleware read their own options from; opaque to everybody else."""
    mentioned: frozenset[str] = frozenset()
    """The groups of those libraries about which the operator has said something."""
    warnings: tuple[str, ...] = ()


GROUPS: Final[Mapping[str, type[Struct]]] = {
    "DEFAULT": Default,
    "api_settings": ApiSettings,
    "database": Database,
    "health_manager": HealthManager,
    "controller_worker": ControllerWorker,
    "haproxy_amphora": HaproxyAmphora,
    "networking": Networking,
    "quotas": Quotas,
    "local_network": LocalNetwork,
    "certificates": Certificates,
    "oslo_middleware": OsloMiddleware,
}


class Option(Struct, frozen=True, kw_only=True):
    """One option as it is declared: how it is written in a file, and what its text becomes."""

    group: str
    field: str
    name: str
    """In the file; the field's name, but for options that may be repeated."""
    default: Any
    description: str
    kind: Any
    inert: bool
    secret: bool

    @property
    def label(self) -> str:
        return f"[{self.group}] {self.name}"


def declared() -> Iterator[Option]:
    """Every option that there is."""
    for group, struct in GROUPS.items():
        for field in inspect.type_info(struct).fields:  # type: ignore[attr-defined]
            meta = field.type
            said = meta.extra_json_schema
            yield Option(
                group=group,
                field=field.name,
                name=said.get("option", field.name),
                default=field.default,
                description=said["description"],
                kind=meta.type,
                inert=said.get("inert", False),
                secret=said.get("secret", False),
            )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it. A name is none, but for localhost: it may mean another address tomorrow."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_ipv4(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 4
    except ValueError:
        return False
