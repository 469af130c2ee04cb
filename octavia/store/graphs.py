"""Reading a graph in one statement, and writing the difference between two."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa

from octavia.domain.amphora import Amphora
from octavia.domain.declare import Declared, Noun
from octavia.domain.graph import CHILDREN, NOUNS, Graph, everything, rows
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.refusal import not_found
from octavia.store import documents
from octavia.store.rows import difference, values_of
from octavia.store.tables import TABLES, amphora, load_balancer, table_of

STORED: tuple[type[Declared], ...] = (*NOUNS, Amphora)
Decoders = Mapping[str, msgspec.json.Decoder[Any]]
"""By the name of a table, what makes a row of the JSON that a statement finds there."""
DECODERS: Decoders = {table_of(noun).name: msgspec.json.Decoder(noun, strict=False) for noun in STORED}
HOME = "SELECT id FROM load_balancer WHERE cluster_id = :cluster_id"


def whole(dialect: str, of: str) -> str:
    """SQL for every row of one load balancer: the name of its table, and itself as JSON. `of` is SQL for its id."""
    return " UNION ALL ".join(rows_of(noun, dialect, "load_balancer_id", of) for noun in TABLES)


def rows_of(noun: type[Declared], dialect: str, column: str, value: str, fields: tuple[str, ...] | None = None) -> str:
    name = table_of(noun).name
    here = f"{documents.spelling(dialect).quote(name)}.{column}"
    return f"SELECT '{name}', {documents.stored(noun, dialect, fields)} FROM {name} WHERE {here} = {value}"


@cache
def one_graph(dialect: str) -> sa.TextClause:
    return sa.text(whole(dialect, ":load_balancer_id"))


@cache
def one_cluster(dialect: str) -> sa.TextClause:
    amphorae = rows_of(Amphora, dialect, "cluster_id", ":cluster_id")
    since = "SELECT 'since', failing_since FROM cluster WHERE id = :cluster_id"
    return sa.text(f"{whole(dialect, f'({HOME})')} UNION ALL {amphorae} UNION ALL {since}")


def load(connection: sa.Connection, load_balancer_id: str) -> Graph:
    """The graph as it is now, in one statement. Raises Missing."""
    return read(connection, one_graph(connection.dialect.name), load_balancer_id, DECODERS)


def read(connection: sa.Connection, statement: sa.TextClause, load_balancer_id: str, decoders: Decoders) -> Graph:
    """The graph that this statement finds. Raises Missing."""
    graph = built(decoded(connection.execute(statement, {"load_balancer_id": load_balancer_id}), decoders))
    if graph is None:
        raise not_found(LoadBalancer.title, load_balancer_id)
    return graph


def load_cluster(connection: sa.Connection, cluster_id: str) -> tuple[Graph | None, tuple[Amphora, ...], str | None]:
    """The graph of a cluster, its amphorae, and the text of the moment since which it fails, in one statement."""
    rows = list(connection.execute(one_cluster(connection.dialect.name), {"cluster_id": cluster_id}))
    since = next((value for name, value in rows if name == "since"), None)
    found = decoded(((name, value) for name, value in rows if name != "since"), DECODERS)
    return built(found), in_order(found[amphora.name]), since


def decoded(rows: Iterable[Any], decoders: Decoders) -> dict[str, list[Any]]:
    """The rows by the names of their tables."""
    found: dict[str, list[Any]] = defaultdict(list)
    for table, document in rows:
        found[table].append(decoders[table].decode(document))
    return found


def built(found: dict[str, list[Any]]) -> Graph | None:
    tops = found[load_balancer.name]
    children: dict[str, Any] = {name: in_order(found[TABLES[noun].name]) for noun, name in CHILDREN.items()}
    return Graph(load_balancer=tops[0], **children) if tops else None


def in_order(found: list[Any]) -> tuple[Any, ...]:
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
    changed: dict[tuple[type[Noun], frozenset[str]], dict[str, dict[str, Any]]] = {}
    for row in everything(after):
        old = known.get(row.id)
        if old is None:
            new.setdefault(type(row), []).append(values_of(row))
        elif old is not row and (columns := difference(old, row)):
            changed.setdefault((type(row), frozenset(columns)), {})[row.id] = columns
    for (noun, names), values in changed.items():
        change(connection, TABLES[noun], names, values)
    for noun, added in new.items():
        connection.execute(TABLES[noun].insert(), added)


def change(connection: sa.Connection, table: sa.Table, names: Collection[str], rows: dict[str, dict[str, Any]]) -> None:
    """One statement, however many rows get other values in these columns."""
    values = {name: value_by_id(table.c[name], {key: row[name] for key, row in rows.items()}) for name in names}
    connection.execute(table.update().where(table.c.id.in_(list(rows))).values(values))


def value_by_id(column: sa.Column[Any], values: dict[str, Any]) -> Any:
    first, *others = values.values()
    if all(other == first for other in others):
        return first
    own = ((column.table.c.id == key, sa.literal(value, column.type)) for key, value in values.items())
    return sa.case(*own)


def remove_deleted(connection: sa.Connection, graph: Graph) -> None:
    """The rows that this graph has in deletion are gone; a load balancer takes all its children along."""
    for noun in CHILDREN:
        table = TABLES[noun]
        if gone := [row.id for row in rows(graph, noun) if row.deleted is not None]:
            connection.execute(table.delete().where(table.c.id.in_(gone)))


def remove_all(connection: sa.Connection, load_balancer_id: str) -> None:
    for table in TABLES.values():
        connection.execute(table.delete().where(table.c.load_balancer_id == load_balancer_id))
