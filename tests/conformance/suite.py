"""Tables of rules as tests: one for each row."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.conformance.bench import Bench
from tests.conformance.checking import Conversation
from tests.conformance.language import Row, Table


def each(tables: Sequence[Table]) -> Callable[[Callable[..., None]], Any]:
    """The test runs once for every row, called by its rule."""
    rows = [pytest.param(row, id=row.rule) for table in tables for row in table.rows]
    return pytest.mark.parametrize("row", rows)


def check(bench: Bench, row: Row) -> None:
    Conversation(bench).check(row)
