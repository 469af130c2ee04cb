"""L7 policies and rules: their places, their targets, and what goes with them."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from octavia.domain import declare
from octavia.domain.graph import Graph, delete, get, live, policies_of, put, rules_of, users
from octavia.domain.l7laws import LAWS, has_host
from octavia.domain.l7policy import LAST, TARGETS, L7Policy
from octavia.domain.l7rule import L7Rule
from octavia.domain.listener import Listener
from octavia.domain.refusal import Invalid
from octavia.domain.settle import WITHOUT_KEY, settled
from tests import builders

TOP = builders.load_balancer()
LISTENER = builders.listener(TOP)
OTHER = builders.listener(TOP, protocol_port=81)
RULES = [{"type": "PATH"}, {"type": "HEADER", "key": "X-A"}, {"type": "SSL_DN_FIELD", "key": "CN"}]


def names(graph: Graph, listener: Listener = LISTENER) -> list[str]:
    return [policy.name for policy in policies_of(graph, listener.id)]


def dense(graph: Graph, listener: Listener = LISTENER) -> bool:
    positions = [policy.position for policy in policies_of(graph, listener.id)]
    return positions == list(range(1, len(positions) + 1))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "move", "keep", "delete"]),
        st.integers(0, 9),
        st.integers(1, 9) | st.sampled_from([LAST, LAST - 1, 1]),
    ),
    max_size=25,
)


@given(STEPS)
def test_positions_are_those_of_a_list(steps: list[tuple[str, int, int]]) -> None:
    """Dense from 1; an insertion shifts the others, whose order stays; beyond the end is last; a deletion closes up."""
    graph = put(put(Graph(load_balancer=TOP), LISTENER), OTHER)
    graph = put(graph, builders.l7policy(OTHER, name="untouched"))
    model: list[str] = []
    for number, (verb, which, position) in enumerate(steps):
        name = model[which % len(model)] if model else ""
        if verb == "add":
            graph = put(graph, builders.l7policy(LISTENER, name=f"p{number}", position=position))
            model.insert(position - 1, f"p{number}")
        elif name:
            row = next(policy for policy in policies_of(graph, LISTENER.id) if policy.name == name)
            if verb == "delete":
                graph = delete(graph, row)
                model.remove(name)
            elif verb == "move":
                graph = put(graph, declare.amend(row, {"position": position}))
                model.remove(name)
                model.insert(position - 1, name)
            else:
                graph = put(graph, declare.amend(row, {"position": None, "description": "said"}))
        assert names(graph) == model
        assert dense(graph)
        assert dense(graph, OTHER)
    assert names(graph, OTHER) == ["untouched"]


def test_those_that_only_move_up_are_not_pending() -> None:
    """They are what they were: only what was edited, and what is above it, is being changed."""
    graph = put(Graph(load_balancer=TOP), LISTENER)
    graph = put(graph, first := builders.l7policy(LISTENER, name="first"))
    raised = replace(graph, load_balancer=replace(TOP, generation=2))
    after = put(raised, builders.l7policy(LISTENER, name="new", position=1))
    assert names(after) == ["new", "first"]
    assert (get(after, L7Policy, first.id).touched, get(after, L7Policy, first.id).position) == (1, 2)
    assert get(after, Listener, LISTENER.id).touched == 2


def policed() -> tuple[Graph, L7Policy, L7Policy]:
    """One policy that sends to a pool of its own, and one with two rules."""
    pool = builders.pool(TOP)
    graph = put(put(Graph(load_balancer=TOP), LISTENER), pool)
    graph = put(
        graph, sender := builders.l7policy(LISTENER, action="REDIRECT_TO_POOL", redirect_pool_id=pool.id, name="a")
    )
    graph = put(graph, ruled := builders.l7policy(LISTENER, name="b"))
    for value in ("/a", "/b"):
        graph = put(graph, builders.l7rule(ruled, value=value))
    return graph, sender, ruled


def test_a_deleted_listener_takes_its_policies_and_keeps_its_pools() -> None:
    graph, sender, _ = policed()
    alive = live(delete(graph, LISTENER))
    assert (alive.listeners, alive.l7policies, alive.l7rules) == ((), (), ())
    assert [pool.id for pool in alive.pools] == [sender.redirect_pool_id]
    assert users(alive, alive.pools[0].id) == ()


def test_a_deleted_policy_takes_its_rules_and_lets_its_pool_go() -> None:
    graph, sender, ruled = policed()
    assert users(graph, str(sender.redirect_pool_id)) == (LISTENER,)
    alive = live(delete(graph, ruled))
    assert (names(alive), alive.l7rules) == (["a"], ())
    alive = live(delete(graph, sender))
    assert (names(alive), len(rules_of(alive, ruled.id))) == (["b"], 2)
    assert users(alive, str(sender.redirect_pool_id)) == ()
    assert dense(alive)


ACTIONS = st.sampled_from(sorted(TARGETS))
BODIES = st.fixed_dictionaries(
    {"action": ACTIONS},
    optional={
        "redirect_url": st.sampled_from(["http://a", "https://b/c", None]),
        "redirect_prefix": st.sampled_from(["http://d", None]),
        "redirect_pool_id": st.sampled_from(["pool", None]),
        "redirect_http_code": st.sampled_from([301, 302, 308, None]),
        "admin_state_up": st.booleans(),
    },
)


@given(BODIES, BODIES)
def test_only_the_target_of_the_action_stays(first: dict[str, Any], second: dict[str, Any]) -> None:
    made = builders.l7policy(LISTENER, **first)
    for row, body in ((made, first), (settled(declare.amend(made, second)), second)):
        own = TARGETS[row.action]
        for field in ("redirect_url", "redirect_prefix", "redirect_pool_id"):
            assert field == own or getattr(row, field) is None
        if own is not None and own in body:
            assert getattr(row, own) == body[own]
        assert (row.redirect_http_code is not None) == (row.action in ("REDIRECT_TO_URL", "REDIRECT_PREFIX"))
        assert asdict(settled(row)) == asdict(row)


@given(st.sampled_from([*sorted(WITHOUT_KEY), "HEADER", "COOKIE"]), st.none() | st.just("key"), st.booleans())
def test_only_rules_that_have_one_keep_a_key(type_: str, key: str | None, up: bool) -> None:
    policy = builders.l7policy(LISTENER)
    row = builders.l7rule(policy, type=type_, compare_type="EQUAL_TO", key=key, admin_state_up=up)
    assert row.key == (None if type_ in WITHOUT_KEY else key)
    changed = settled(declare.amend(builders.l7rule(policy, type="HEADER", key="k"), {"type": "PATH"}))
    assert changed.key is None


@given(st.text(max_size=30) | st.from_regex(r"https?://[^\s]{0,20}", fullmatch=True))
def test_any_url_is_judged(text: str) -> None:
    assert has_host(text) in (True, False)


@given(
    st.sampled_from([*RULES, {"type": "COOKIE", "key": "a"}, {"type": "SSL_VERIFY_RESULT"}, {"type": "FILE_TYPE"}]),
    st.sampled_from(["REGEX", "EQUAL_TO", "CONTAINS"]),
    st.text(st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=["Cs"]), min_size=1)
    | st.from_regex(r"[(\[{^$.*+?|)\]}\\a-z0-9]{1,40}", fullmatch=True),
)
def test_any_rule_is_judged_and_what_is_wrong_is_said(body: dict[str, str], compare_type: str, value: str) -> None:
    policy = builders.l7policy(LISTENER)
    try:
        rule: L7Rule = builders.l7rule(policy, **body, compare_type=compare_type, value=value)
    except Invalid as refusal:
        assert "value" in refusal.sentence  # noqa: PT017
        return
    graph = put(put(put(Graph(load_balancer=TOP), LISTENER), policy), rule)
    for fault in (fault for law in LAWS for fault in law(graph)):
        assert fault.status == 400
        assert fault.sentence.startswith("Error parsing L7Rule: ")
        assert fault.sentence.endswith(".")
