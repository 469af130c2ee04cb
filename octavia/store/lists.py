"""One page of one noun, in a constant number of statements however long the page."""

from collections import defaultdict
from typing import Any

import sqlalchemy as sa

from octavia.domain.declare import Noun
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.pool import Pool
from octavia.domain.refusal import Invalid
from octavia.domain.status import ACTIVE, ERROR, PENDING_CREATE, PENDING_DELETE, PENDING_UPDATE, provisioning_status
from octavia.domain.view import View
from octavia.store.query import Query, Sort, Tags
from octavia.store.rows import struct_of
from octavia.store.tables import TABLES, health_monitor, listener, load_balancer, member, pool

ORDER = (Sort("created_at"), Sort("id"))


def page(connection: sa.Connection, noun: type[Noun], query: Query) -> list[View]:
    """The views of this page, in order. Raises Invalid for a marker that is not there."""
    statement = selected(noun).where(*conditions(noun, query))
    if query.marker is not None:
        statement = statement.where(after_marker(connection, noun, query))
    directed = [(column(noun, sort.key), sort.descending != query.reverse) for sort in order(query)]
    statement = statement.order_by(*(key.desc() if down else key.asc() for key, down in directed)).limit(query.limit)
    rows = connection.execute(statement).mappings().all()
    return views(connection, noun, list(reversed(rows)) if query.reverse else list(rows))


def order(query: Query) -> tuple[Sort, ...]:
    given = {sort.key for sort in query.sort}
    return (*query.sort, *(sort for sort in ORDER if sort.key not in given))


def selected(noun: type[Noun]) -> sa.Select[Any]:
    """Rows of the noun, with the columns of their load balancer that a status is computed from."""
    table = TABLES[noun]
    if noun is LoadBalancer:
        return sa.select(table)
    above = [load_balancer.c[name].label(f"above_{name}") for name in ABOVE]
    return sa.select(table, *above).join(load_balancer, load_balancer.c.id == table.c.load_balancer_id)


ABOVE = ("observed", "fault", "fault_generation", "touched", "generation")


def status(noun: type[Noun]) -> sa.ColumnElement[str]:
    """domain.status.provisioning_status as one SQL expression, for filters and sorting."""
    table, top = TABLES[noun], load_balancer
    pending = table.c.touched > top.c.observed
    return sa.case(
        (has_fault(table), ERROR),
        (sa.and_(pending, has_fault(top)), ERROR),
        (table.c.deleted.is_not(None), PENDING_DELETE),
        (table.c.created > top.c.observed, PENDING_CREATE),
        (pending, PENDING_UPDATE),
        else_=ACTIVE,
    )


def has_fault(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.fault.is_not(None), sa.func.coalesce(table.c.fault_generation, 0) >= table.c.touched)


def column(noun: type[Noun], name: str) -> sa.ColumnElement[Any]:
    return status(noun) if name == "provisioning_status" else TABLES[noun].c[name]


def conditions(noun: type[Noun], query: Query) -> list[sa.ColumnElement[bool]]:
    table = TABLES[noun]
    return [*(filtered(noun, name, value) for name, value in query.filters.items()), *tagged(table, query.tags)]


def filtered(noun: type[Noun], name: str, value: Any) -> sa.ColumnElement[bool]:
    if noun is Pool and name == "listener_id":
        return pool.c.id.in_(sa.select(listener.c.default_pool_id).where(listener.c.id == value))
    same: sa.ColumnElement[bool] = column(noun, name) == value
    return same


def tagged(table: sa.Table, tags: Tags) -> list[sa.ColumnElement[bool]]:
    has = {tag: has_tag(table, tag) for group in (tags.all, tags.any, tags.not_all, tags.not_any) for tag in group}
    found: list[sa.ColumnElement[bool]] = [has[tag] for tag in tags.all]
    if tags.any:
        found.append(sa.or_(*(has[tag] for tag in tags.any)))
    if tags.not_all:
        found.append(sa.not_(sa.and_(*(has[tag] for tag in tags.not_all))))
    if tags.not_any:
        found.append(sa.not_(sa.or_(*(has[tag] for tag in tags.not_any))))
    return found


def has_tag(table: sa.Table, tag: str) -> sa.ColumnElement[bool]:
    """Whether the JSON list in `tags` holds this text."""
    each = sa.func.json_each(table.c.tags).table_valued("value")
    return sa.exists(sa.select(each.c.value).where(each.c.value == tag))


def after_marker(connection: sa.Connection, noun: type[Noun], query: Query) -> sa.ColumnElement[bool]:
    """Rows behind the marker in the page's order: (a, b, id) compared key by key, each in its own direction."""
    keys = order(query)
    values = connection.execute(
        selected(noun)
        .with_only_columns(*(column(noun, key.key).label(f"k{at}") for at, key in enumerate(keys)))
        .where(TABLES[noun].c.id == query.marker)
    ).one_or_none()
    if values is None:
        raise Invalid(f"Invalid marker: {query.marker} is no {noun.title} id that you can see.")
    either: list[sa.ColumnElement[bool]] = []
    for depth, key in enumerate(keys):
        same = [equal(column(noun, keys[at].key), values[at]) for at in range(depth)]
        either.append(sa.and_(*same, beyond(column(noun, key.key), values[depth], key.descending != query.reverse)))
    return sa.or_(*either)


def equal(key: sa.ColumnElement[Any], value: Any) -> sa.ColumnElement[bool]:
    return key.is_(None) if value is None else key == value


def beyond(key: sa.ColumnElement[Any], value: Any, descending: bool) -> sa.ColumnElement[bool]:
    """Strictly after the value. NULL sorts first, as SQLite and MariaDB have it."""
    if value is None:
        return sa.false() if descending else key.is_not(None)
    return sa.or_(key < value, key.is_(None)) if descending else key > value


def views(connection: sa.Connection, noun: type[Noun], rows: list[sa.RowMapping]) -> list[View]:
    nouns = [struct_of(noun, row) for row in rows]
    ties = ties_of(connection, noun, [row.id for row in nouns])
    return [
        View(row=row, provisioning_status=provisioning_status(row, above(row, mapping)), **ties.get(row.id, {}))
        for row, mapping in zip(nouns, rows, strict=True)
    ]


def above(row: Noun, mapping: sa.RowMapping) -> LoadBalancer:
    """The load balancer over this row, as far as a status needs it."""
    if isinstance(row, LoadBalancer):
        return row
    known = {name: mapping[f"above_{name}"] for name in ABOVE}
    return LoadBalancer(
        id=row.load_balancer_id,
        load_balancer_id=row.load_balancer_id,
        cluster_id="",
        created_at=row.created_at,
        **known,
    )


def ties_of(connection: sa.Connection, noun: type[Noun], ids: list[str]) -> dict[str, dict[str, Any]]:
    """For each id the further fields of its view."""
    ties: dict[str, dict[str, Any]] = defaultdict(dict)
    if not ids or noun not in (LoadBalancer, Pool):
        return ties
    if noun is LoadBalancer:
        gather(connection, ties, "listeners", listener, listener.c.load_balancer_id, ids)
        gather(connection, ties, "pools", pool, pool.c.load_balancer_id, ids)
        return ties
    gather(connection, ties, "listeners", listener, listener.c.default_pool_id, ids)
    gather(connection, ties, "members", member, member.c.pool_id, ids)
    gather(connection, ties, "monitors", health_monitor, health_monitor.c.pool_id, ids)
    for tie in ties.values():
        tie["health_monitor"] = next(iter(tie.pop("monitors", ())), None)
    return ties


def gather(
    connection: sa.Connection,
    ties: dict[str, dict[str, Any]],
    name: str,
    table: sa.Table,
    owner: sa.Column[Any],
    ids: list[str],
) -> None:
    found: dict[str, list[str]] = defaultdict(list)
    wanted = sa.select(owner, table.c.id).where(owner.in_(ids), table.c.deleted.is_(None))
    for owner_id, row_id in connection.execute(wanted.order_by(table.c.created_at, table.c.id)):
        found[owner_id].append(row_id)
    for owner_id, row_ids in found.items():
        ties[owner_id][name] = tuple(row_ids)
