"""One page of one noun, in one statement however long the page (two where it has a marker)."""

from collections.abc import Collection
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from octavia.domain.amphora import Amphora
from octavia.domain.declare import Declared
from octavia.domain.pool import Pool
from octavia.domain.refusal import Invalid
from octavia.domain.shape import Status, shape
from octavia.store import documents, tagged
from octavia.store.query import Found, Query, Sort
from octavia.store.tables import listener, load_balancer, table_of

ORDER = ("created_at", "id")
TOP = load_balancer.alias(documents.TOP)


def page(connection: sa.Connection, noun: type[Declared], query: Query, keys: Collection[str] | None) -> list[Found]:
    """The rows of this page, in order. Raises Invalid for a marker that is not there."""
    statement = selected(connection, noun, keys).where(*conditions(connection, noun, query))
    if query.marker is not None:
        statement = statement.where(after_marker(connection, noun, query))
    directed = [(column(connection, noun, sort.key), sort.descending != query.reverse) for sort in order(noun, query)]
    statement = statement.order_by(*(key.desc() if down else key.asc() for key, down in directed)).limit(query.limit)
    found = [Found(*row) for row in connection.execute(statement)]
    return found[::-1] if query.reverse else found


def one(
    connection: sa.Connection, noun: type[Declared], fields: dict[str, Any], keys: Collection[str] | None
) -> Found | None:
    """The row with these values, if there is one."""
    table = table_of(noun)
    statement = selected(connection, noun, keys).where(*(table.c[name] == value for name, value in fields.items()))
    row = connection.execute(statement).one_or_none()
    return Found(*row) if row is not None else None


def order(noun: type[Declared], query: Query) -> tuple[Sort, ...]:
    given = {sort.key for sort in query.sort}
    last = (*(name for name in ORDER if name in table_of(noun).c), noun.named_by)
    return (*query.sort, *(Sort(name) for name in dict.fromkeys(last) if name not in given))


@lru_cache(512)
def whole(noun: type[Declared], dialect: str, keys: frozenset[str] | None) -> sa.Select[Any]:
    """Key, project and document of every row, with the load balancer at its side where that has a say in it."""
    table = table_of(noun)
    document = sa.literal_column(documents.answer(noun, dialect, keys), sa.Text).label("document")
    project = TOP.c.project_id if noun is Amphora else table.c.project_id if "project_id" in table.c else sa.null()
    statement = sa.select(table.c[noun.named_by], project, document)
    if table is load_balancer or "load_balancer_id" not in table.c:
        return statement.select_from(table)
    return statement.select_from(table.join(TOP, TOP.c.id == table.c.load_balancer_id, isouter=noun is Amphora))


def selected(connection: sa.Connection, noun: type[Declared], keys: Collection[str] | None) -> sa.Select[Any]:
    return whole(noun, connection.dialect.name, None if keys is None else frozenset(keys))


def column(connection: sa.Connection, noun: type[Declared], name: str) -> sa.ColumnElement[Any]:
    if isinstance(shape(noun).get(name), Status):
        text = documents.status_text(noun, documents.spelling(connection.dialect.name))
        return sa.literal_column(f"({text})", sa.String)
    return table_of(noun).c[name]


def conditions(connection: sa.Connection, noun: type[Declared], query: Query) -> list[sa.ColumnElement[bool]]:
    own = [filtered(connection, noun, name, value) for name, value in query.filters.items()]
    return [*own, *tagged.conditions(table_of(noun), query.tags)]


def filtered(connection: sa.Connection, noun: type[Declared], name: str, value: Any) -> sa.ColumnElement[bool]:
    if noun is Pool and name == "listener_id":
        used = sa.select(listener.c.default_pool_id).where(listener.c.id == value)
        return table_of(Pool).c.id.in_(used)
    of_top = noun is Amphora and name == "project_id"
    same: sa.ColumnElement[bool] = (TOP.c.project_id if of_top else column(connection, noun, name)) == value
    return same


def after_marker(connection: sa.Connection, noun: type[Declared], query: Query) -> sa.ColumnElement[bool]:
    """Rows behind the marker in the page's order: (a, b, id) compared key by key, each in its own direction."""
    keys = order(noun, query)
    values = marker_values(connection, noun, query, keys)
    either: list[sa.ColumnElement[bool]] = []
    for depth, key in enumerate(keys):
        same = [equal(column(connection, noun, keys[at].key), values[at]) for at in range(depth)]
        behind = beyond(column(connection, noun, key.key), values[depth], key.descending != query.reverse)
        either.append(sa.and_(*same, behind))
    return sa.or_(*either)


def marker_values(connection: sa.Connection, noun: type[Declared], query: Query, keys: tuple[Sort, ...]) -> Any:
    """Of the row that the marker names. It must be one that the project may see, whatever else is filtered by."""
    visible = {name: value for name, value in query.filters.items() if name == "project_id"}
    row = connection.execute(
        selected(connection, noun, None)
        .with_only_columns(*(column(connection, noun, key.key).label(f"k{at}") for at, key in enumerate(keys)))
        .where(
            table_of(noun).c[noun.named_by] == query.marker,
            *(filtered(connection, noun, name, value) for name, value in visible.items()),
        )
    ).one_or_none()
    if row is None:
        raise Invalid(f"Invalid marker: {query.marker} is no {noun.title} that you can see.")
    return row


def equal(key: sa.ColumnElement[Any], value: Any) -> sa.ColumnElement[bool]:
    return key.is_(None) if value is None else key == value


def beyond(key: sa.ColumnElement[Any], value: Any, descending: bool) -> sa.ColumnElement[bool]:
    """Strictly after the value. NULL sorts first, as SQLite and MariaDB have it."""
    if value is None:
        return sa.false() if descending else key.is_not(None)
    if isinstance(value, bool):
        key, value = sa.type_coerce(key, sa.Integer), int(value)
    return sa.or_(key < value, key.is_(None)) if descending else key > value
