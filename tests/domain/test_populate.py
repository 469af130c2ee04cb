"""One body makes a whole load balancer, or one sentence says what is wrong with it, and where."""

import uuid
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from octavia.domain.declare import Noun
from octavia.domain.graph import Graph, everything, policies_of, rules_of, users
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.l7policy import L7Policy
from octavia.domain.l7rule import L7Rule
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.domain.populate import populate
from octavia.domain.refusal import Invalid, Refusal
from octavia.domain.rules import faults
from tests.builders import NOW, PROJECT

LISTENER = {"protocol": "HTTP", "protocol_port": 80}
POOL = {"name": "p", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}
MEMBER = {"address": "192.0.2.1", "protocol_port": 80}
MONITOR = {"type": "HTTP", "delay": 1, "timeout": 1, "max_retries": 1}

REJECT = {"action": "REJECT"}
TO_POOL = {"action": "REDIRECT_TO_POOL"}
RULE = {"type": "PATH", "compare_type": "STARTS_WITH", "value": "/"}


def policed(policies: Any) -> Any:
    return {"listeners": [LISTENER | {"l7policies": policies}]}


def make(body: Any) -> Graph:
    return populate(body, new_id=lambda: str(uuid.uuid4()), now=NOW)


def test_a_plain_create() -> None:
    made = make({"name": "x", "project_id": PROJECT, "vip_subnet_id": "demo", "tags": ["b", "a"], "listeners": None})
    top = made.load_balancer
    assert list(everything(made)) == [top]
    assert (top.id, top.name, top.tags, top.created_at) == (top.load_balancer_id, "x", ("a", "b"), NOW)
    assert top.cluster_id not in (None, top.id)


def test_the_body_is_not_changed() -> None:
    body = {"listeners": [LISTENER | {"default_pool": POOL | {"members": [dict(MEMBER)]}}], "pools": []}
    before = repr(body)
    make(body)
    assert repr(body) == before


def test_a_pool_defined_in_a_listener() -> None:
    pool = POOL | {"members": [MEMBER, MEMBER | {"protocol_port": 81}], "healthmonitor": MONITOR}
    made = make({"project_id": PROJECT, "listeners": [LISTENER | {"default_pool": pool}]})
    assert made.listeners[0].default_pool_id == made.pools[0].id
    assert {member.pool_id for member in made.members} == {made.health_monitors[0].pool_id} == {made.pools[0].id}
    assert [member.server_id for member in made.members] == [1, 2]
    assert {member.operating_status for member in made.members} == {"OFFLINE"}
    assert {row.project_id for row in everything(made)} == {PROJECT}
    assert faults(made) == []


def test_policies_with_their_rules_and_pools() -> None:
    """Their order is that of their positions, as if they had been created one after the other."""
    wishes = [
        REJECT | {"name": "a", "rules": [RULE, RULE | {"value": "/b"}]},
        TO_POOL | {"name": "b", "redirect_pool": POOL | {"members": [MEMBER]}, "position": 1},
        TO_POOL | {"name": "c", "redirect_pool": {"name": "p"}, "position": 2},
        REJECT | {"name": "d", "position": 9},
    ]
    made = make({"project_id": PROJECT, **policed(wishes)})
    (listener,), (pool,) = made.listeners, made.pools
    assert [(row.name, row.position) for row in policies_of(made, listener.id)] == [
        ("b", 1),
        ("c", 2),
        ("a", 3),
        ("d", 4),
    ]
    assert {row.redirect_pool_id for row in made.l7policies} == {None, pool.id}
    assert [row.value for row in rules_of(made, made.l7policies[0].id)] == ["/", "/b"]
    assert {row.project_id for row in everything(made)} == {PROJECT}
    assert users(made, pool.id) == (listener,)
    assert faults(made) == []


def test_one_pool_that_two_listeners_name() -> None:
    by_name = {"default_pool": {"name": "p"}}
    body = {"pools": [POOL], "listeners": [LISTENER | by_name, LISTENER | by_name | {"protocol_port": 81}]}
    made = make(body)
    assert [listener.default_pool_id for listener in made.listeners] == [made.pools[0].id] * 2


def test_a_pool_of_one_listener_that_another_one_names() -> None:
    first = LISTENER | {"default_pool": {"name": "p"}}
    second = LISTENER | {"protocol_port": 81, "default_pool": POOL}
    made = make({"listeners": [first, second]})
    assert [listener.default_pool_id for listener in made.listeners] == [made.pools[0].id] * 2


def test_members_without_a_monitor_have_none() -> None:
    assert make({"pools": [POOL | {"members": [MEMBER]}]}).members[0].operating_status == "NO_MONITOR"


def test_children_are_of_the_load_balancer_whatever_they_say() -> None:
    strange = {"project_id": "x" * 99, "tenant_id": 7}
    made = make({"project_id": PROJECT, "pools": [POOL | strange], "listeners": [LISTENER | strange]})
    assert {row.project_id for row in everything(made)} == {PROJECT}


def test_values_are_settled() -> None:
    made = make({"pools": [POOL | {"healthmonitor": MONITOR, "members": [MEMBER | {"address": "0::1"}]}]})
    assert (made.members[0].address, made.health_monitors[0].url_path) == ("::1", "/")


WRONG: list[tuple[str, Any]] = [
    ("loadbalancer must be an object", []),
    ("listeners must be a list", {"listeners": {}}),
    ("listeners must be a list", {"listeners": "http"}),
    ("listeners[1] must be an object", {"listeners": [LISTENER, None]}),
    ("listeners[0].protocol_port. Value: '0'", {"listeners": [LISTENER | {"protocol_port": 0}]}),
    ("listeners[0].protocol_port. Value: 'None'", {"listeners": [{"protocol": "HTTP"}]}),
    ("listeners[0].colour", {"listeners": [LISTENER | {"colour": "red"}]}),
    ("listeners[0].id", {"listeners": [LISTENER | {"id": "x"}]}),
    ("listeners[0].loadbalancer_id", {"listeners": [LISTENER | {"loadbalancer_id": "x"}]}),
    ("listeners[0].default_pool must be an object", {"listeners": [LISTENER | {"default_pool": "p"}]}),
    ("listeners[0].default_pool needs a name", {"listeners": [LISTENER | {"default_pool": {}}]}),
    ("listeners[0].default_pool needs a name", {"listeners": [LISTENER | {"default_pool": POOL | {"name": ""}}]}),
    ("no pool with the name 'p'", {"listeners": [LISTENER | {"default_pool": {"name": "p"}}]}),
    (
        "exclude each other",
        {"pools": [POOL], "listeners": [LISTENER | {"default_pool": {"name": "p"}, "default_pool_id": "x"}]},
    ),
    (
        "listeners[0].default_pool.lb_algorithm",
        {"listeners": [LISTENER | {"default_pool": {"name": "p", "protocol": "HTTP"}}]},
    ),
    ("two pools with the name 'p'", {"pools": [POOL, POOL]}),
    ("two pools with the name 'p'", {"pools": [POOL], "listeners": [LISTENER | {"default_pool": POOL}]}),
    ("two pools without a name", {"pools": [POOL | {"name": None}, POOL | {"name": ""}]}),
    ("pools[0].protocol. Value: 'None'", {"pools": [{"lb_algorithm": "ROUND_ROBIN"}]}),
    ("pools[0].session_persistence", {"pools": [POOL | {"session_persistence": {}}]}),
    ("pools[0].members must be a list", {"pools": [POOL | {"members": {}}]}),
    ("pools[0].members[0] must be an object", {"pools": [POOL | {"members": [1]}]}),
    ("pools[0].members[1].weight", {"pools": [POOL | {"members": [MEMBER, MEMBER | {"weight": 257}]}]}),
    ("pools[0].members[0].pool_id", {"pools": [POOL | {"members": [MEMBER | {"pool_id": "x"}]}]}),
    ("pools[0].healthmonitor must be an object", {"pools": [POOL | {"healthmonitor": []}]}),
    ("pools[0].healthmonitor.delay", {"pools": [POOL | {"healthmonitor": MONITOR | {"delay": -1}}]}),
    ("pools[0].healthmonitor.pool_id", {"pools": [POOL | {"healthmonitor": MONITOR | {"pool_id": "x"}}]}),
    ("listeners[0].l7policies must be a list", policed({})),
    ("listeners[0].l7policies[0] must be an object", policed([1])),
    ("listeners[0].l7policies[0].action. Value: 'None'", policed([{}])),
    ("listeners[0].l7policies[0].redirect_pool_id", policed([REJECT | {"redirect_pool_id": "x"}])),
    ("listeners[0].l7policies[0].listener_id", policed([REJECT | {"listener_id": "x"}])),
    ("listeners[0].l7policies[0].position", policed([REJECT | {"position": 0}])),
    ("listeners[0].l7policies[0].redirect_pool needs a name", policed([TO_POOL | {"redirect_pool": {}}])),
    ("no pool with the name 'p'", policed([TO_POOL | {"redirect_pool": {"name": "p"}}])),
    ("two pools with the name 'p'", policed([TO_POOL | {"redirect_pool": POOL}] * 2)),
    ("listeners[0].l7policies[0].rules must be a list", policed([REJECT | {"rules": {}}])),
    ("listeners[0].l7policies[0].rules[0].value", policed([REJECT | {"rules": [RULE | {"value": "\n"}]}])),
    ("listeners[0].l7policies[0].rules[0].name", policed([REJECT | {"rules": [RULE | {"name": "x"}]}])),
    ("vip_subnet_id", {"vip_subnet_id": 7}),
    ("loadbalancer: colour", {"colour": "red"}),
]


@pytest.mark.parametrize(("words", "body"), WRONG)
def test_what_is_wrong_and_where(words: str, body: Any) -> None:
    with pytest.raises(Invalid) as caught:
        make(body)
    assert words in caught.value.sentence


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


def fields(*nouns: type[Noun], **children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects whose keys are mostly right and whose values are mostly not."""
    names = {name for noun in nouns for name in noun.__struct_fields__}
    plausible = JSON | st.sampled_from(["HTTP", "TCP", "ROUND_ROBIN", "80", 80, "192.0.2.1", "true"])
    return st.dictionaries(st.sampled_from(sorted(names)), plausible, max_size=6).flatmap(
        lambda given_: st.fixed_dictionaries({}, optional=children).map(lambda more: given_ | more)
    )


def bodies() -> st.SearchStrategy[Any]:
    def with_right(right: dict[str, Any], wrong: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return wrong.map(lambda given_: right | given_) | wrong | JSON

    members = st.lists(with_right(MEMBER, fields(Member)), max_size=3)
    pool = with_right(POOL, fields(Pool, members=members, healthmonitor=with_right(MONITOR, fields(HealthMonitor))))
    policies = st.lists(
        with_right(
            TO_POOL,
            fields(L7Policy, redirect_pool=pool, rules=st.lists(with_right(RULE, fields(L7Rule)), max_size=2) | JSON),
        ),
        max_size=2,
    )
    listener = with_right(LISTENER, fields(Listener, default_pool=pool, l7policies=policies | JSON))
    return fields(LoadBalancer, listeners=st.lists(listener, max_size=3), pools=st.lists(pool, max_size=3)) | JSON


@given(bodies())
@example({"tags": [[]]})
@example({"name": "\ud800"})
@example({"listeners": [LISTENER | {"protocol_port": float("inf")}]})
@example({"listeners": [LISTENER | {"protocol_port": float("nan")}]})
@example({"listeners": [LISTENER | {"protocol_port": 10**400}]})
@example({"pools": [POOL | {"healthmonitor": MONITOR | {"http_version": "nan"}}]})
def test_any_json_becomes_a_graph_or_a_refusal(body: Any) -> None:
    made = graph_or_refusal(body)
    if isinstance(made, Refusal):
        assert made.status in (400, 501)
        assert len(made.sentence) > 10
        return
    assert all(fault.status in (400, 404, 409, 501) for fault in faults(made))
    assert {row.load_balancer_id for row in everything(made)} == {made.load_balancer.id}
    assert {(row.created, row.touched, row.deleted) for row in everything(made)} == {(1, 1, None)}


def graph_or_refusal(body: Any) -> Graph | Refusal:
    try:
        return make(body)
    except Refusal as refusal:
        return refusal
