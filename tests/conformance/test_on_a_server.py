"""Rules of every table on MariaDB: what they ask of a database must not depend on which it is."""

from typing import Any

import pytest

from tests.conformance.bench import Bench
from tests.conformance.language import Row
from tests.conformance.suite import all_tables, check

EVERY = 12


def chosen() -> list[Any]:
    """The first of every twelve rows of a table."""
    return [pytest.param(row, id=f"{table.title}: {row.rule}") for table in all_tables() for row in table.rows[::EVERY]]


@pytest.mark.parametrize("row", chosen())
def test_on_mariadb(server_bench: Bench, row: Row) -> None:
    check(server_bench, row)
