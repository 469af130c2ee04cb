"""The tables. Those of the nouns follow their declarations; only keys and indexes are spelled out here."""

from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from msgspec import inspect as mi
from sqlalchemy.dialects import mysql

from octavia.domain.amphora import Amphora
from octavia.domain.catalogue import AvailabilityZone, AvailabilityZoneProfile, Entry, Flavor, FlavorProfile
from octavia.domain.declare import Declared, Noun, bare, declared
from octavia.domain.graph import NOUNS
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.l7policy import L7Policy
from octavia.domain.l7rule import L7Rule
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.domain.quota import Quota

metadata = sa.MetaData()
Moment = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
"""UTC without a zone, to the microsecond, so that rows sort as they were made."""
IDENTIFIER = sa.String(36)
SENTENCE = sa.String(1024)


def sql_type(type_: mi.Type) -> sa.types.TypeEngine[Any]:
    """The column type of a declared field."""
    match bare(type_):
        case mi.IntType():
            return sa.BigInteger()
        case mi.StrType(max_length=length):
            return sa.String(length or 255)
        case mi.LiteralType(values=values):
            return (
                sa.BigInteger() if isinstance(values[0], int) else sa.String(max(len(str(value)) for value in values))
            )
        case mi.BoolType():
            return sa.Boolean()
        case mi.FloatType():
            return sa.Double()
        case mi.DateTimeType():
            return Moment
        case _:
            return sa.JSON(none_as_null=True)


def nullable(type_: mi.Type) -> bool:
    inner = type_.type if isinstance(type_, mi.Metadata) else type_
    return isinstance(inner, mi.UnionType) and inner.includes_none


def columns(struct: type[Struct], key: str = "id") -> list[sa.Column[Any]]:
    return [
        sa.Column(name, sql_type(field.type), nullable=nullable(field.type), primary_key=name == key)
        for name, field in declared(struct).items()
    ]


load_balancer = sa.Table(
    "load_balancer",
    metadata,
    *columns(LoadBalancer),
    sa.Index("ix_load_balancer_page", "project_id", "created_at", "id"),
    sa.Index("ix_load_balancer_cluster", "cluster_id"),
    sa.Index("ix_load_balancer_flavor", "flavor_id"),
    sa.Index("ix_load_balancer_zone", "availability_zone"),
)
listener = sa.Table(
    "listener",
    metadata,
    *columns(Listener),
    sa.Index("ix_listener_load_balancer", "load_balancer_id"),
    sa.Index("ix_listener_page", "project_id", "created_at", "id"),
    sa.Index("ix_listener_default_pool", "default_pool_id"),
)
pool = sa.Table(
    "pool",
    metadata,
    *columns(Pool),
    sa.Index("ix_pool_load_balancer", "load_balancer_id"),
    sa.Index("ix_pool_page", "project_id", "created_at", "id"),
)
member = sa.Table(
    "member",
    metadata,
    *columns(Member),
    sa.Index("ix_member_load_balancer", "load_balancer_id"),
    sa.Index("ix_member_pool_page", "pool_id", "created_at", "id"),
    sa.Index("ix_member_page", "project_id", "created_at", "id"),
)
health_monitor = sa.Table(
    "health_monitor",
    metadata,
    *columns(HealthMonitor),
    sa.Index("ix_health_monitor_load_balancer", "load_balancer_id"),
    sa.Index("ix_health_monitor_page", "project_id", "created_at", "id"),
    sa.Index("ix_health_monitor_pool", "pool_id"),
)
l7policy = sa.Table(
    "l7policy",
    metadata,
    *columns(L7Policy),
    sa.Index("ix_l7policy_load_balancer", "load_balancer_id"),
    sa.Index("ix_l7policy_page", "project_id", "created_at", "id"),
    sa.Index("ix_l7policy_listener", "listener_id"),
    sa.Index("ix_l7policy_redirect_pool", "redirect_pool_id"),
)
l7rule = sa.Table(
    "l7rule",
    metadata,
    *columns(L7Rule),
    sa.Index("ix_l7rule_load_balancer", "load_balancer_id"),
    sa.Index("ix_l7rule_page", "project_id", "created_at", "id"),
    sa.Index("ix_l7rule_policy_page", "l7policy_id", "created_at", "id"),
)
TABLES: dict[type[Noun], sa.Table] = {
    LoadBalancer: load_balancer,
    Listener: listener,
    Pool: pool,
    Member: member,
    HealthMonitor: health_monitor,
    L7Policy: l7policy,
    L7Rule: l7rule,
}
assert set(TABLES) == set(NOUNS)

flavor_profile = sa.Table("flavor_profile", metadata, *columns(FlavorProfile))
flavor = sa.Table(
    "flavor",
    metadata,
    *columns(Flavor),
    sa.UniqueConstraint("name", name="uq_flavor_name"),
    sa.Index("ix_flavor_profile", "flavor_profile_id"),
)
availability_zone_profile = sa.Table("availability_zone_profile", metadata, *columns(AvailabilityZoneProfile))
availability_zone = sa.Table(
    "availability_zone",
    metadata,
    *columns(AvailabilityZone, AvailabilityZone.named_by),
    sa.Index("ix_availability_zone_profile", "availability_zone_profile_id"),
)
CATALOGUE: dict[type[Entry], sa.Table] = {
    FlavorProfile: flavor_profile,
    Flavor: flavor,
    AvailabilityZoneProfile: availability_zone_profile,
    AvailabilityZone: availability_zone,
}
quota = sa.Table(
    "quota",
    metadata,
    *columns(Quota, "project_id"),
    comment="what was set for a project; its row is the lock that objects are counted under",
)


def table_of(noun: type[Declared]) -> sa.Table:
    if issubclass(noun, Noun):
        return TABLES[noun]
    if issubclass(noun, Entry):
        return CATALOGUE[noun]
    return {Quota: quota, Amphora: amphora}[noun]


amphora = sa.Table(
    "amphora",
    metadata,
    *columns(Amphora),
    sa.Index("ix_amphora_cluster", "cluster_id"),
    sa.Index("ix_amphora_load_balancer", "load_balancer_id"),
)

edit = sa.Table(
    "edit",
    metadata,
    sa.Column("load_balancer_id", IDENTIFIER, primary_key=True),
    sa.Column("generation", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("request_id", sa.String(64)),
    sa.Column("user_id", sa.String(64)),
    sa.Column("project_id", sa.String(64)),
    sa.Column("at", Moment, nullable=False),
    comment="who asked for each generation",
)

cluster = sa.Table(
    "cluster",
    metadata,
    sa.Column("id", IDENTIFIER, primary_key=True),
    sa.Column("holder", sa.String(128)),
    sa.Column("expires", sa.Double, nullable=False, default=0.0, comment="seconds since 1970, by the database's clock"),
    sa.Column("token", sa.BigInteger, nullable=False, default=0),
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("failing_since", Moment),
    sa.Column("sentence", SENTENCE),
    sa.Column("visited_at", Moment),
)

sentence = sa.Table(
    "sentence",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("cluster_id", IDENTIFIER, nullable=False, index=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("text", SENTENCE, nullable=False),
    comment="what the last visits said, a few for each cluster",
)

address = sa.Table(
    "address",
    metadata,
    sa.Column("subnet_id", IDENTIFIER, primary_key=True),
    sa.Column("ip_address", sa.String(64), primary_key=True),
    sa.Column("port_id", IDENTIFIER, nullable=False, index=True),
    sa.Column("network_id", IDENTIFIER, nullable=False),
    sa.Column("owner", IDENTIFIER, nullable=False, index=True),
    sa.Column("device_owner", sa.String(64), nullable=False),
    sa.Column("mac_address", sa.String(17), nullable=False),
    sa.Column("taken_at", Moment, nullable=False),
    comment="what the local network adapter has given out",
)

heard = sa.Table(
    "heard",
    metadata,
    sa.Column("amphora_id", IDENTIFIER, primary_key=True),
    sa.Column("boot_id", IDENTIFIER, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("at", Moment, nullable=False),
    comment="the last heartbeat taken in from each amphora",
)

statistics = sa.Table(
    "statistics",
    metadata,
    sa.Column("listener_id", IDENTIFIER, primary_key=True),
    # Found by it with each heartbeat; and what an UPDATE searches without an index is locked as a whole on MariaDB.
    sa.Column("amphora_id", IDENTIFIER, primary_key=True, index=True),
    sa.Column("load_balancer_id", IDENTIFIER, nullable=False, index=True),
    sa.Column("boot_id", IDENTIFIER, nullable=False),
    *(
        sa.Column(f"{part}_{counter}", sa.BigInteger, nullable=False, default=0)
        for counter in ("bytes_in", "bytes_out", "total_connections", "request_errors")
        for part in ("before", "now")
    ),
    sa.Column("active_connections", sa.BigInteger, nullable=False, default=0),
    comment="before: of the agent's earlier boots; now: of the present one",
)

deployment = sa.Table(
    "deployment",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    comment="one row: the epoch is raised when the database was restored from a backup",
)
