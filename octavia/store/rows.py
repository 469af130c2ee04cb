"""Rows to structs and back, with as little in between as can be."""

from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from msgspec import Struct

S = TypeVar("S", bound=Struct)


def struct_of(kind: type[S], row: sa.Row[Any] | sa.RowMapping) -> S:
    """The struct that this row holds. What the database holds was checked when it was written."""
    mapping = row if isinstance(row, sa.RowMapping) else row._mapping
    return msgspec.convert({name: mapping[name] for name in kind.__struct_fields__}, kind, strict=False)


def values_of(struct: Struct) -> dict[str, Any]:
    """The column values of a struct; nested structs and tuples become JSON."""
    return {name: plain(value) for name, value in msgspec.structs.asdict(struct).items()}


def plain(value: Any) -> Any:
    return msgspec.to_builtins(value) if isinstance(value, (Struct, tuple, dict)) else value


def difference(before: S, after: S) -> dict[str, Any]:
    """The columns in which the two differ, with the values of the second."""
    return {
        name: plain(getattr(after, name))
        for name in after.__struct_fields__
        if getattr(before, name) != getattr(after, name)
    }
