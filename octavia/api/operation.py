"""What the API's document says of one verb at one address. It stands in the route table, beside the handler."""

from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]
"""A JSON Schema (2020-12)."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    id: str
    """Unique, for programs that are generated from the document."""
    tag: str
    """The group that it is shown in."""
    summary: str
    answer: Schema | None = None
    """None: an empty answer."""
    body: Schema | None = None
    """None: no body is read."""
    query: tuple[Schema, ...] = ()
    """Parameter objects."""
    refusals: frozenset[int] = frozenset()
    """Statuses of refusals beyond those that every request, every body, and every address with an id, can meet."""
    open: bool = False
    """Whether everybody may ask, without saying who they are."""
