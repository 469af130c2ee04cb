"""Reading a graph in one statement, and writing the difference between two."""

from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa

from octavia.domain.declare import Noun
from octavia.domain.graph import CHILDREN, NOUNS, Graph, everything, rows
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.refusal import not_found
from octavia.store import documents
from octavia.store.rows import difference, values_of
from octavia.store.tables import TABLES

DECODERS: dict[str, msgspec.json.Decoder[Noun]] = {
    TABLES[noun].name: msgspec.json.Decoder(noun, strict=False) for noun in NOUNS
}


@cache
def whole(dialect: str) -> sa.TextClause:
    """Every row of one load balancer: the name of its table, and itself as JSON."""
    quote = documents.spelling(dialect).quote
    parts = (
        f"SELECT '{table.name}', {documents.stored(noun, dialect)} FROM {quote(table.name)} "
        f"WHERE {quote(table.name)}.load_balancer_id = :load_balancer_id"
        for noun, table in TABLES.items()
    )
    return sa.text(" UNION ALL ".join(parts))


def load(connection: sa.Connection, load_balancer_id: str) -> Graph:
    """The graph as it is now, in one statement. Raises Missing."""
    statement = whole(connection.dialect.name)
    found: dict[type[Noun], list[Noun]] = {noun: [] for noun in NOUNS}
    for table, document in connection.execute(statement, {"load_balancer_id": load_balancer_id}):
        row = DECODERS[table].decode(document)
        found[type(row)].append(row)
    if not found[LoadBalancer]:
        raise not_found(LoadBalancer.title, load_balancer_id)
    children: dict[str, Any] = {name: in_order(found[noun]) for noun, name in CHILDREN.items()}
    top: Any = found[LoadBalancer][0]
    return Graph(load_balancer=top, **children)


def in_order(found: list[Noun]) -> tuple[Noun, ...]:
    return tuple(sorted(found, key=lambda row: (row.created_at, row.id)))


def insert(connection: sa.Connection, graph: Graph) -> None:
    """Every row of the graph is there."""
    for noun in TABLES:
        if new := [values_of(row) for row in rows(graph, noun)]:
            connection.execute(TABLES[noun].insert(), new)


def save(connection: sa.Connection, before: Graph, after: Graph) -> None:
    """The database holds what `after` holds, given that it held `before`. Rows are removed by no edit."""
    known = {row.id: row for row in everything(before)}
    new: dict[type[Noun], list[dict[str, Any]]] = {}
    for row in everything(after):
        old = known.get(row.id)
        if old is None:
            new.setdefault(type(row), []).append(values_of(row))
        elif old is not row:
            change(connection, old, row)
    for noun, added in new.items():
        connection.execute(TABLES[noun].insert(), added)


def change(connection: sa.Connection, before: Noun, after: Noun) -> None:
    table = TABLES[type(after)]
    if columns := difference(before, after):
        connection.execute(table.update().where(table.c.id == after.id).values(**columns))


def remove_deleted(connection: sa.Connection, graph: Graph) -> None:
    """The rows that this graph has in deletion are gone; a load balancer takes all its children along."""
    for noun in CHILDREN:
        table = TABLES[noun]
        if gone := [row.id for row in rows(graph, noun) if row.deleted is not None]:
            connection.execute(table.delete().where(table.c.id.in_(gone)))


def remove_all(connection: sa.Connection, load_balancer_id: str) -> None:
    for table in TABLES.values():
        connection.execute(table.delete().where(table.c.load_balancer_id == load_balancer_id))
