"""Quotas: what counts, and when it is too much."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octavia.domain.declare import Noun
from octavia.domain.graph import NOUNS, Graph, delete, live, put, rows
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.domain.quota import FIELDS, UNLIMITED, check, growth
from octavia.domain.refusal import Forbidden
from tests import builders

TOP = builders.load_balancer()


def grown(members: int) -> Graph:
    graph = put(Graph(load_balancer=TOP), pool := builders.pool(TOP))
    for number in range(members):
        graph = put(graph, builders.member(pool, address=f"192.0.2.{number + 1}", server_id=number + 1))
    return graph


def test_a_new_load_balancer_grows_by_all_that_is_in_it() -> None:
    assert growth(None, grown(3)) == {LoadBalancer: 1, Pool: 1, Member: 3}


def test_an_edit_grows_by_what_it_adds_less_what_it_takes() -> None:
    before = grown(3)
    (pool,) = before.pools
    after = delete(delete(before, before.members[0]), before.members[1])
    assert growth(before, after) == {}
    assert growth(after, before) == {Member: 2}
    assert growth(before, put(after, builders.member(pool, address="192.0.2.99", server_id=9))) == {}
    assert growth(before, put(before, builders.listener(TOP))) == {Listener: 1}
    assert growth(before, delete(before, pool)) == {}


@given(st.integers(-1, 5), st.integers(0, 6), st.integers(1, 3))
def test_the_limit_is_what_may_be_there_at_most(limit: int, used: int, more: int) -> None:
    limits = dict.fromkeys(FIELDS.values(), UNLIMITED) | {"member": limit}
    counted: dict[type[Noun], int] = {Member: used, Pool: 1000}
    wished: dict[type[Noun], int] = {Member: more, Pool: 1}
    if limit == UNLIMITED or used + more <= limit:
        check(limits, counted, wished)
    else:
        with pytest.raises(Forbidden, match=r"Quota has been met for resources: member\."):
            check(limits, counted, wished)


def test_everything_that_is_over_is_named() -> None:
    limits = dict.fromkeys(FIELDS.values(), 0)
    with pytest.raises(Forbidden, match="loadbalancer, pool, member"):
        check(limits, dict.fromkeys(NOUNS, 0), growth(None, grown(1)))


@given(st.lists(st.booleans(), max_size=12))
def test_growth_is_the_difference_of_what_is_alive(script: list[bool]) -> None:
    before = graph = grown(2)
    for number, adds in enumerate(script):
        if adds:
            graph = put(graph, builders.member(graph.pools[0], address=f"198.51.100.{number}", server_id=number + 9))
        elif alive := live(graph).members:
            graph = delete(graph, alive[0])
    more = len(rows(live(graph), Member)) - len(rows(live(before), Member))
    assert growth(before, graph) == ({Member: more} if more > 0 else {})
