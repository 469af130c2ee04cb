"""Reading a graph, and writing the difference between two."""

from typing import Any

import sqlalchemy as sa
from msgspec import structs

from octavia.domain.declare import Noun
from octavia.domain.graph import CHILDREN, Graph, everything
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.refusal import not_found
from octavia.store.rows import difference, struct_of, values_of
from octavia.store.tables import TABLES, load_balancer


def load(connection: sa.Connection, load_balancer_id: str) -> Graph:
    """The graph as it is now. Raises Missing."""
    row = connection.execute(sa.select(load_balancer).where(load_balancer.c.id == load_balancer_id)).one_or_none()
    if row is None:
        raise not_found(LoadBalancer.title, load_balancer_id)
    children: dict[str, Any] = {
        name: children_of(connection, noun, load_balancer_id) for noun, name in CHILDREN.items()
    }
    return Graph(load_balancer=struct_of(LoadBalancer, row), **children)


def children_of(connection: sa.Connection, noun: type[Noun], load_balancer_id: str) -> tuple[Noun, ...]:
    table = TABLES[noun]
    wanted = table.c.load_balancer_id == load_balancer_id
    rows = connection.execute(sa.select(table).where(wanted).order_by(table.c.created_at, table.c.id))
    return tuple(struct_of(noun, row) for row in rows)


def insert(connection: sa.Connection, graph: Graph) -> None:
    """Every row of the graph is there."""
    for noun in TABLES:
        rows = [values_of(row) for row in everything(graph) if type(row) is noun]
        if rows:
            connection.execute(TABLES[noun].insert(), rows)


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
    for noun, rows in new.items():
        connection.execute(TABLES[noun].insert(), rows)


def change(connection: sa.Connection, before: Noun, after: Noun) -> None:
    table = TABLES[type(after)]
    if columns := difference(before, after):
        connection.execute(table.update().where(table.c.id == after.id).values(**columns))


def remove_all(connection: sa.Connection, load_balancer_id: str) -> None:
    for table in TABLES.values():
        connection.execute(table.delete().where(table.c.load_balancer_id == load_balancer_id))


def raised(graph: Graph, generation: int) -> Graph:
    """The graph at this generation, with nothing of it touched yet."""
    return structs.replace(graph, load_balancer=structs.replace(graph.load_balancer, generation=generation))
