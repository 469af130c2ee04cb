"""The page about the suite is up to date, and every rule is told apart."""

from collections import Counter

from tests.conformance.listing import PAGE, SECTIONS, page
from tests.conformance.suite import all_tables

FEWEST = 600


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "python -m tests.conformance"


def test_there_are_rules_for_every_section() -> None:
    tables = list(all_tables())
    assert {table.section for table in tables} == set(SECTIONS)
    assert sum(len(table.rows) for table in tables) >= FEWEST


def test_no_table_has_a_rule_twice() -> None:
    for table in all_tables():
        twice = [rule for rule, times in Counter(row.rule for row in table.rows).items() if times > 1]
        assert not twice, table.title
