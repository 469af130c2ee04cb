"""Filters by tags, which are a JSON list in their column."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

from octavia.store.engine import as_json
from octavia.store.query import Tags


class HasTag(FunctionElement[bool]):
    """Whether the JSON list in a column holds a text, which is given as it is, and as the column spells it in JSON:
    MariaDB's own JSON_QUOTE spells control characters in another way, and does not find them."""

    type = sa.Boolean()
    inherit_cache = True


@compiles(HasTag, "sqlite")
def _sqlite(element: Any, compiler: Any, **more: Any) -> str:
    column, tag, _ = element.clauses
    texts = f"SELECT each.value FROM json_each({compiler.process(column, **more)}) AS each"
    return f"{compiler.process(tag, **more)} IN ({texts})"


@compiles(HasTag, "mysql")
@compiles(HasTag, "mariadb")
def _mariadb(element: Any, compiler: Any, **more: Any) -> str:
    column, _, spelled = element.clauses
    return f"JSON_CONTAINS({compiler.process(column, **more)}, {compiler.process(spelled, **more)})"


def conditions(table: sa.Table, tags: Tags) -> list[sa.ColumnElement[bool]]:
    names = (*tags.all, *tags.any, *tags.not_all, *tags.not_any)
    has: dict[str, sa.ColumnElement[bool]] = {
        tag: HasTag(table.c.tags, sa.literal(tag, sa.String), sa.literal(as_json(tag), sa.String)) for tag in names
    }
    found = [has[tag] for tag in tags.all]
    if tags.any:
        found.append(sa.or_(*(has[tag] for tag in tags.any)))
    if tags.not_all:
        found.append(sa.not_(sa.and_(*(has[tag] for tag in tags.not_all))))
    if tags.not_any:
        found.append(sa.not_(sa.or_(*(has[tag] for tag in tags.not_any))))
    return found
