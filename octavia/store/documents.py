"""Rows as JSON that the database itself writes: one column to fetch for each row, and nothing to do for it in Python.

The texts are SQL, made once for each noun and kind of database; only names from the declarations are in them.
"""

from collections.abc import Callable, Collection
from functools import cache, lru_cache

import sqlalchemy as sa
from msgspec import Struct
from msgspec import inspect as mi

from octavia.domain import amphora as amphorae
from octavia.domain.amphora import Amphora
from octavia.domain.declare import Declared, Noun, bare, declared
from octavia.domain.l7policy import L7Policy
from octavia.domain.pool import Pool
from octavia.domain.shape import Above, Below, Constant, OneBelow, Own, Source, Status, Users, shape
from octavia.domain.status import ACTIVE, ERROR, PENDING_CREATE, PENDING_DELETE, PENDING_UPDATE
from octavia.store import mariadb
from octavia.store.tables import TABLES, l7policy, listener, load_balancer, table_of

TOP = "top"
"""The name of the load balancer's row in statements about its children."""


class Spelling(Struct, frozen=True):
    """How one kind of database writes JSON; each function takes and returns SQL."""

    flag: Callable[[str], str]
    """A boolean."""
    embedded: Callable[[str], str]
    """A column that holds JSON."""
    gathered: Callable[[str, str, str], str]
    """Values, what they come from, and their order, as a list, empty if there are none."""
    with_key: Callable[[str, str], str]
    """An object, and one with a further key that is left out where its value is null."""
    quote: Callable[[str], str]


SQLITE = Spelling(
    flag=lambda column: f"json(CASE WHEN {column} THEN 'true' ELSE 'false' END)",
    embedded=lambda column: f"json({column})",
    gathered=lambda value, source, order: (
        f"(SELECT json_group_array(json(each)) FROM (SELECT {value} AS each FROM {source} ORDER BY {order}))"
    ),
    with_key=lambda whole, more: f"json_patch({whole}, {more})",
    quote=lambda name: f'"{name}"',
)
MARIADB = Spelling(
    flag=lambda column: f"JSON_COMPACT(IF({column}, 'true', 'false'))",
    # Its type JSON has a collation of its own, which does not mix with that of all other columns.
    embedded=lambda column: f"JSON_COMPACT({column} COLLATE {mariadb.COLLATION})",
    gathered=lambda value, source, order: (
        f"COALESCE((SELECT JSON_ARRAYAGG({value} ORDER BY {order}) FROM {source}), JSON_ARRAY())"
    ),
    with_key=lambda whole, more: f"JSON_MERGE_PATCH({whole}, {more})",
    quote=lambda name: f"`{name}`",
)


def spelling(dialect: str) -> Spelling:
    """Raises KeyError for a kind of database that this code was not written for."""
    return {"sqlite": SQLITE, "mysql": MARIADB, "mariadb": MARIADB}[dialect]


@cache
def stored(noun: type[Declared], dialect: str, names: tuple[str, ...] | None = None) -> str:
    """The row, or these fields of it, as a struct decodes it (bools as 0 and 1, moments with a space)."""
    spell = spelling(dialect)
    pairs = [(name, whole_value(spell, noun, name)) for name in names or noun.__struct_fields__]
    return objected(pairs)


def whole_value(spell: Spelling, noun: type[Declared], name: str) -> str:
    column = column_of(spell, noun, name)
    return spell.embedded(column) if isinstance(table_of(noun).c[name].type, sa.JSON) else column


@lru_cache(512)
def answer(noun: type[Declared], dialect: str, keys: Collection[str] | None = None) -> str:
    """What the API shows of the row, or only these keys of it."""
    spell = spelling(dialect)
    wanted = {key: source for key, source in shape(noun).items() if keys is None or key in keys}
    pairs = [(key, value(spell, noun, source)) for key, source in wanted.items() if not isinstance(source, OneBelow)]
    whole = objected(pairs)
    for key, source in wanted.items():
        if isinstance(source, OneBelow):
            whole = spell.with_key(whole, objected([(key, one_below(spell, noun, source))]))
    return whole


def objected(pairs: list[tuple[str, str]]) -> str:
    return "json_object(" + ", ".join(f"'{key}', {text}" for key, text in pairs) + ")"


def column_of(spell: Spelling, noun: type[Declared], name: str) -> str:
    return f"{spell.quote(table_of(noun).name)}.{spell.quote(name)}"


def value(spell: Spelling, noun: type[Declared], source: Source) -> str:
    match source:
        case Own(name):
            return own(spell, noun, name)
        case Status():
            return status_text(noun, spell)
        case Constant(known):
            return spell.flag(str(int(known))) if isinstance(known, bool) else "NULL" if known is None else str(known)
        case Above(name):
            return f"json_array(json_object('id', {column_of(spell, noun, name)}))"
        case Below(child, name):
            return below(spell, noun, child, name)
        case Users():
            return users(spell)
        case _:
            raise TypeError(source)


def own(spell: Spelling, noun: type[Declared], name: str) -> str:
    column = column_of(spell, noun, name)
    match bare(declared(noun)[name].type):
        case mi.BoolType():
            return spell.flag(column)
        case mi.DateTimeType():
            return f"replace(substr({column}, 1, 19), ' ', 'T')"
        case _:
            return whole_value(spell, noun, name)


def below(spell: Spelling, noun: type[Declared], child: type[Noun], name: str) -> str:
    table = spell.quote(TABLES[child].name)
    mine = f"{table} AS child WHERE child.{name} = {column_of(spell, noun, 'id')} AND child.deleted IS NULL"
    order = "child.position" if child is L7Policy else "child.created_at, child.id"
    return spell.gathered("json_object('id', child.id)", mine, order)


def users(spell: Spelling) -> str:
    """domain.graph.users as SQL."""
    pool_id = column_of(spell, Pool, "id")
    sends = (
        f"SELECT 1 FROM {l7policy.name} AS policy WHERE policy.listener_id = child.id "
        f"AND policy.redirect_pool_id = {pool_id} AND policy.deleted IS NULL"
    )
    mine = (
        f"{listener.name} AS child WHERE child.load_balancer_id = {column_of(spell, Pool, 'load_balancer_id')} "
        f"AND child.deleted IS NULL AND (child.default_pool_id = {pool_id} OR EXISTS ({sends}))"
    )
    return spell.gathered("json_object('id', child.id)", mine, "child.created_at, child.id")


def one_below(spell: Spelling, noun: type[Declared], source: OneBelow) -> str:
    table = spell.quote(TABLES[source.noun].name)
    mine = f"child.{source.field} = {column_of(spell, noun, 'id')} AND child.deleted IS NULL"
    return f"(SELECT child.id FROM {table} AS child WHERE {mine} LIMIT 1)"


def status_text(noun: type[Declared], spell: Spelling) -> str:
    """domain.status.provisioning_status, or domain.amphora.status, as SQL. A child's load balancer is called TOP."""
    if noun is Amphora:
        return (
            f"CASE WHEN condemned IS NOT NULL THEN '{amphorae.PENDING_DELETE}' "
            f"WHEN allocated THEN '{amphorae.ALLOCATED}' ELSE '{amphorae.BOOTING}' END"
        )
    assert issubclass(noun, Noun)
    row = spell.quote(TABLES[noun].name)
    top = row if TABLES[noun] is load_balancer else TOP
    pending = f"{row}.touched > {top}.observed"
    return (
        f"CASE WHEN {has_fault(row)} THEN '{ERROR}' WHEN {pending} AND {has_fault(top)} THEN '{ERROR}' "
        f"WHEN {row}.deleted IS NOT NULL THEN '{PENDING_DELETE}' "
        f"WHEN {row}.created > {top}.observed THEN '{PENDING_CREATE}' "
        f"WHEN {pending} THEN '{PENDING_UPDATE}' ELSE '{ACTIVE}' END"
    )


def has_fault(row: str) -> str:
    return f"({row}.fault IS NOT NULL AND COALESCE({row}.fault_generation, 0) >= {row}.touched)"
