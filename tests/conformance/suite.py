"""Tables of rules as tests: one for each row."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
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


def all_tables() -> Iterator[Table]:
    """Those of every module beside this one."""
    for found in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if found.name.startswith("test_"):
            module = importlib.import_module(f"tests.conformance.{found.name}")
            yield from getattr(module, "TABLES", ())
