"""Filters by tags, which are a JSON list in their column."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

from octavia.store.query import Tags


class HasTag(FunctionElement[bool]):
    """Whether the JSON list in a column holds a text."""

    type = sa.Boolean()
    inherit_cache = True


@compiles(HasTag, "sqlite")
def _sqlite(element: Any, compiler: Any, **more: Any) -> str:
    column, tag = (compiler.process(clause, **more) for clause in element.clauses)
    return f"EXISTS (SELECT 1 FROM json_each({column}) AS each WHERE each.value = {tag})"


@compiles(HasTag, "mysql")
@compiles(HasTag, "mariadb")
def _mariadb(element: Any, compiler: Any, **more: Any) -> str:
    column, tag = (compiler.process(clause, **more) for clause in element.clauses)
    return f"JSON_CONTAINS({column}, JSON_QUOTE({tag}))"


def conditions(table: sa.Table, tags: Tags) -> list[sa.ColumnElement[bool]]:
    names = (*tags.all, *tags.any, *tags.not_all, *tags.not_any)
    has: dict[str, sa.ColumnElement[bool]] = {tag: HasTag(table.c.tags, sa.literal(tag, sa.String)) for tag in names}
    found = [has[tag] for tag in tags.all]
    if tags.any:
        found.append(sa.or_(*(has[tag] for tag in tags.any)))
    if tags.not_all:
        found.append(sa.not_(sa.and_(*(has[tag] for tag in tags.not_all))))
    if tags.not_any:
        found.append(sa.not_(sa.or_(*(has[tag] for tag in tags.not_any))))
    return found
