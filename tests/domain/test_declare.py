"""POST is defaults and body; PUT is what there is and body, where null means what the field says."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import asdict

from octavia.domain import declare
from octavia.domain.declare import FALSE, TRUE, Noun, declared, said_of, settable
from octavia.domain.graph import NOUNS
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.l7policy import L7Policy
from octavia.domain.l7rule import L7Rule
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool, SessionPersistence
from octavia.domain.refusal import Invalid
from tests import builders
from tests.builders import NOW

TOP = builders.load_balancer()
POOL = builders.pool(TOP)
LISTENER = builders.listener(TOP)
POLICY = builders.l7policy(LISTENER, position=3)
ROWS: dict[type[Noun], Noun] = {
    LoadBalancer: TOP,
    Listener: LISTENER,
    Pool: POOL,
    Member: builders.member(POOL),
    HealthMonitor: builders.health_monitor(POOL),
    L7Policy: POLICY,
    L7Rule: builders.l7rule(POLICY),
}
KIND = st.sampled_from(NOUNS)


def every_field(on_create: bool) -> list[tuple[type[Noun], str]]:
    return [(noun, name) for noun in NOUNS for name in sorted(settable(noun, on_create=on_create))]


@pytest.mark.parametrize("noun", NOUNS)
def test_an_empty_put_changes_nothing_but_what_the_service_sets(noun: type[Noun]) -> None:
    before = ROWS[noun]
    assert declare.amend(before, {}) == before
    assert declare.amend(before, {}, updated_at=NOW).updated_at == NOW


@pytest.mark.parametrize(("noun", "field"), every_field(on_create=False))
def test_a_put_of_what_is_there_changes_nothing(noun: type[Noun], field: str) -> None:
    before = ROWS[noun]
    value = getattr(before, field)
    assert declare.amend(before, {field: list(value) if isinstance(value, tuple) else value}) == before


@pytest.mark.parametrize(("noun", "field"), every_field(on_create=False))
def test_null_on_put_means_what_the_field_says(noun: type[Noun], field: str) -> None:
    said = declared(noun)[field]
    if said.required:
        with pytest.raises(Invalid, match=field):
            declare.amend(ROWS[noun], {field: None})
    elif field == "admin_state_up":
        assert declare.amend(ROWS[noun], {field: None}).admin_state_up is False
    elif field == "position":
        assert declare.amend(ROWS[noun], {field: None}) == ROWS[noun]
    elif field == "tags":
        tagged = declare.amend(ROWS[noun], {"tags": ["a"]})
        assert declare.amend(tagged, {"tags": None}).tags == ("a",)
    else:
        assert getattr(declare.amend(ROWS[noun], {field: None}), field) == declare.default_of(said)


@pytest.mark.parametrize("noun", NOUNS)
def test_only_what_may_be_set_can_be_set(noun: type[Noun]) -> None:
    for name in {*noun.__struct_fields__, "colour", "links"}:
        for on_create in (True, False):
            if name not in settable(noun, on_create=on_create):
                with pytest.raises(Invalid, match=f"Unknown attribute for argument {noun.singular}: {name}"):
                    declare.refuse_unknown(noun, {name: None}, on_create=on_create)


def test_an_attribute_of_creation_says_so() -> None:
    with pytest.raises(Invalid, match="only when the object is created"):
        declare.amend(ROWS[Listener], {"protocol_port": 81})


@pytest.mark.parametrize("noun", NOUNS)
def test_what_put_may_set_post_may_set_too(noun: type[Noun]) -> None:
    assert settable(noun, on_create=False) <= settable(noun, on_create=True)
    assert not any(said_of(declared(noun)[name]).get("system") for name in settable(noun, on_create=True))


@given(st.sampled_from(sorted(TRUE | FALSE)), st.booleans(), st.sampled_from(["", " "]))
def test_booleans_are_lax(word: str, upper: bool, space: str) -> None:
    body = {"admin_state_up": space + (word.upper() if upper else word) + space}
    assert builders.listener(TOP, **body).admin_state_up is (word in TRUE)


@pytest.mark.parametrize("value", ["perhaps", "", 2, [], {}, 0.5])
def test_but_not_too_lax(value: Any) -> None:
    with pytest.raises(Invalid, match="admin_state_up"):
        builders.listener(TOP, admin_state_up=value)


@given(st.integers(1, 65535))
def test_numbers_may_be_texts(port: int) -> None:
    assert builders.listener(TOP, protocol_port=str(port)).protocol_port == port


@pytest.mark.parametrize("value", ["eighty", "", "0", 0, 65536, -1, 80.5, True, [], {}, float("inf"), 10**400])
def test_ports_are_ports(value: Any) -> None:
    with pytest.raises(Invalid, match="protocol_port"):
        builders.listener(TOP, protocol_port=value)


def test_null_on_post_is_not_given() -> None:
    made = builders.listener(TOP, connection_limit=None, tags=None, admin_state_up=None, default_pool_id=None)
    assert (made.connection_limit, made.tags, made.admin_state_up) == (-1, (), True)
    with pytest.raises(Invalid, match=r"Value: 'None'\. Mandatory field missing"):
        builders.listener(TOP, protocol=None)


def test_tags_are_a_set() -> None:
    assert builders.listener(TOP, tags=["b", "a", "b"]).tags == ("a", "b")


def test_the_kind_of_persistence_may_be_left_out_when_there_is_one() -> None:
    sticky = builders.pool(TOP, session_persistence={"type": "APP_COOKIE", "cookie_name": "a"})
    renamed = declare.amend(sticky, {"session_persistence": {"cookie_name": "b"}})
    assert renamed.session_persistence == SessionPersistence(type="APP_COOKIE", cookie_name="b")
    bare = declare.amend(sticky, {"session_persistence": {}})
    assert bare.session_persistence == SessionPersistence(type="APP_COOKIE")
    other = declare.amend(sticky, {"session_persistence": {"type": "SOURCE_IP"}})
    assert other.session_persistence == SessionPersistence(type="SOURCE_IP")
    with pytest.raises(Invalid, match=r"session_persistence\.type"):
        declare.amend(POOL, {"session_persistence": {"cookie_name": "b"}})


ENDLESS: list[tuple[Any, dict[str, Any]]] = [
    (builders.health_monitor, {"url_path": "/a"}),
    (builders.health_monitor, {"expected_codes": "200"}),
    (builders.health_monitor, {"expected_codes": "200-204"}),
    (builders.health_monitor, {"domain_name": "a.example"}),
]


@pytest.mark.parametrize(("make", "body"), ENDLESS)
@pytest.mark.parametrize("more", ["\n", "\n\n", " x", "\0", "\r", "\nuri /b", "\x7f", "\u0663"])
def test_a_pattern_ends_where_the_text_ends(make: Any, body: dict[str, Any], more: str) -> None:
    make(POOL, **body)
    if body.get("url_path") and more == "\u0663":
        return
    with pytest.raises(Invalid, match=next(iter(body))):
        make(POOL, **{name: value + more for name, value in body.items()})


@pytest.mark.parametrize("name", ["a b", "a\n", "a;b", "a,b", "a\\b", "", "\0", "a\x7f", "\x1b"])
def test_cookie_names(name: str) -> None:
    with pytest.raises(Invalid, match="session_persistence"):
        builders.pool(TOP, session_persistence={"type": "APP_COOKIE", "cookie_name": name})


def test_ciphers() -> None:
    assert builders.listener(TOP, tls_ciphers="A:B+C@D").tls_ciphers == "A:B+C@D"
    for wrong in ("A B", "A\n", "", "A;B"):
        with pytest.raises(Invalid, match="tls_ciphers"):
            builders.listener(TOP, tls_ciphers=wrong)


@given(KIND, st.text(max_size=300))
def test_a_name_is_any_text_of_at_most_255_characters(noun: type[Noun], text: str) -> None:
    assume("name" in settable(noun, on_create=True))
    if len(text) <= 255:
        assert declare.amend(ROWS[noun], {"name": text}).name == text
    else:
        with pytest.raises(Invalid, match="name"):
            declare.amend(ROWS[noun], {"name": text})


@given(KIND, st.data())
def test_put_is_the_last_word(noun: type[Noun], data: st.DataObject) -> None:
    """Two PUTs of different fields come to the same in either order, and the second of two is what counts."""
    values = {"name": st.text(max_size=9), "admin_state_up": st.booleans(), "tags": st.lists(st.text(max_size=3))}
    values = {name: value for name, value in values.items() if name in settable(noun, on_create=False)}
    first, second = (
        {name: data.draw(value) for name, value in values.items() if data.draw(st.booleans())} for _ in "12"
    )
    after = declare.amend(declare.amend(ROWS[noun], first), second)
    assert after == declare.amend(ROWS[noun], first | second)
    assert asdict(after).keys() == asdict(ROWS[noun]).keys()


ANY: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@given(KIND, st.data())
def test_any_json_is_taken_or_refused(noun: type[Noun], data: st.DataObject) -> None:
    body = data.draw(st.dictionaries(st.sampled_from(noun.__struct_fields__) | st.text(max_size=9), ANY, max_size=4))
    attempts: list[Callable[[], Noun]] = [
        lambda: declare.amend(ROWS[noun], body),
        lambda: declare.create(noun, body),
    ]
    for attempt in attempts:
        try:
            made = attempt()
        except Invalid as refusal:
            assert refusal.sentence.endswith(".")  # noqa: PT017
        else:
            assert isinstance(made, noun)
