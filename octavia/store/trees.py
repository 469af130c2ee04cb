"""Graphs with no more in them than a status tree shows: a third of the columns, and a third of the time."""

from functools import cache
from typing import Any, Final, get_type_hints

import msgspec
import sqlalchemy as sa

from octavia.domain.declare import Noun
from octavia.domain.graph import Graph
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.l7policy import L7Policy
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.store import graphs
from octavia.store.tables import TABLES

OF_ALL: Final = (
    "id",
    "name",
    "operating_status",
    "created_at",
    "created",
    "touched",
    "deleted",
    "fault",
    "fault_generation",
)
OWN: Final[dict[type[Noun], tuple[str, ...]]] = {
    LoadBalancer: ("project_id", "observed"),
    Listener: ("default_pool_id",),
    Pool: (),
    Member: ("pool_id", "address", "protocol_port"),
    HealthMonitor: ("pool_id", "type"),
    L7Policy: ("listener_id", "redirect_pool_id", "position"),
}


def decoder(noun: type[Noun]) -> "msgspec.json.Decoder[Any]":
    hints = get_type_hints(noun, include_extras=True)
    fields = [(name, hints[name]) for name in (*OF_ALL, *OWN[noun])]
    return msgspec.json.Decoder(msgspec.defstruct(f"{noun.__name__}InTree", fields, frozen=True), strict=False)


DECODERS: Final = {TABLES[noun].name: decoder(noun) for noun in OWN}


@cache
def statement(dialect: str) -> sa.TextClause:
    of = "load_balancer_id"
    parts = (graphs.rows_of(noun, dialect, of, f":{of}", (*OF_ALL, *own)) for noun, own in OWN.items())
    return sa.text(" UNION ALL ".join(parts))


def load(connection: sa.Connection, load_balancer_id: str) -> Graph:
    """The rows have the fields of OF_ALL and OWN, and no others. Raises Missing."""
    return graphs.read(connection, statement(connection.dialect.name), load_balancer_id, DECODERS)
