"""Counters over workers that come and go."""

from hypothesis import given
from hypothesis import strategies as st

from octavia.amphora.counters import Counters, pools
from octavia.amphora.haproxy import Row
from octavia.domain.heartbeat import PoolReport

NAMES = ("bin", "bout", "stot", "ereq")


def frontend(total: int, name: str = "listener", scur: int = 0, slim: int = 100) -> Row:
    return {
        "pxname": name,
        "svname": "FRONTEND",
        "status": "OPEN",
        "scur": str(scur),
        "slim": str(slim),
        **dict.fromkeys(NAMES, str(total)),
    }


def other(pool: str, server: str, status: str) -> Row:
    return {**frontend(0, pool), "svname": server, "status": status}


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=30))
def test_they_grow_by_what_was_counted(events: list[tuple[int, bool]]) -> None:
    """Workers grow by so much each time; a reload brings a new one, and the old one finishes beside it, or is gone."""
    counters, totals, truth = Counters(), {1: 0}, 0
    for number, (growth, reload) in enumerate(events, start=2):
        if reload:
            finishing = {worker: total for worker, total in totals.items() if growth % 2}
            totals = {number: 0, **finishing}
        totals = {worker: total + growth for worker, total in totals.items()}
        truth += growth * len(totals)
        report = counters.take_in({worker: [frontend(total)] for worker, total in totals.items()})["listener"]
        assert {report.bytes_in, report.bytes_out, report.total_connections, report.request_errors} == {truth}


def test_what_was_before_us_does_not_count() -> None:
    counters = Counters()
    counters.baseline({7: [frontend(1000)], 6: [frontend(50)]})
    assert counters.take_in({7: [frontend(1003)], 6: [frontend(51)]})["listener"].total_connections == 4


def test_counters_that_were_set_back_begin_anew() -> None:
    counters = Counters()
    counters.take_in({7: [frontend(100)]})
    assert counters.take_in({7: [frontend(5)]})["listener"].bytes_in == 105


def test_connections_of_all_workers_are_open() -> None:
    report = Counters().take_in({8: [frontend(0, scur=3)], 7: [frontend(0, scur=4)]})["listener"]
    assert report.active_connections == 7
    assert report.status == "OPEN"


def test_a_listener_is_full_at_its_limit() -> None:
    shown = {8: [frontend(0, scur=10, slim=10), frontend(0, "other", scur=9, slim=10), frontend(0, "none", slim=0)]}
    assert {name: report.status for name, report in Counters().take_in(shown).items()} == {
        "listener": "FULL",
        "other": "OPEN",
        "none": "OPEN",
    }


def test_only_listeners_of_the_new_worker_are_reported() -> None:
    assert list(Counters().take_in({8: [frontend(0, "new")], 7: [frontend(0, "old")]})) == ["new"]
    assert Counters().take_in({}) == {}


def test_pools_as_their_listeners_see_them() -> None:
    rows = [
        frontend(0),
        other("p:listener", "one", "UP"),
        other("p:listener", "two", "DOWN 1/2"),
        other("p:listener", "BACKEND", "UP"),
        other("q:listener", "BACKEND", "DOWN"),
        other("internal", "BACKEND", "UP"),
    ]
    assert pools(rows) == {
        "p:listener": PoolReport(status="UP", members={"one": "UP", "two": "DOWN 1/2"}),
        "q:listener": PoolReport(status="DOWN", members={}),
    }
