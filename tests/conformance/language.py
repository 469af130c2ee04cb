"""The words that rules are written in: a row is one request, and what its answer must be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.conformance.nouns import LBAAS, Fields, collection, least, parted, root


class Left:
    """LEFT_OUT as a field's value: the body does not have the field. ABSENT as an expectation: no such key."""

    def __repr__(self) -> str:
        return "left out"


LEFT_OUT = ABSENT = Left()


WHOLE = ""
"""As a key of an expectation: what holds of the whole answer, with its root keys."""


@dataclass(frozen=True)
class Ask:
    """A request. Braces in it are filled from the scene."""

    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    query: str = ""
    raw: bytes | None = None
    """A body that is sent as it is."""
    app: str = "noauth"
    """Which application is asked: see bench.py."""
    remember: str = ""
    """The name under which the id in the answer is known from then on."""


class Settle:
    """The controller has had all the time it needs."""


SETTLED = Settle()


@dataclass(frozen=True)
class Fact:
    """An expectation that is more than a value: it holds or it does not."""

    sentence: str
    holds: Callable[[Any], bool]

    def __repr__(self) -> str:
        return self.sentence


Expected = Any
"""A text: what the error's sentence contains. A dictionary: what the object in the answer has, among other keys.
A Fact: what holds of the object. None: nothing more than the status."""


@dataclass(frozen=True)
class Row:
    """One rule, which can be broken."""

    rule: str
    ask: Ask
    status: int
    says: Expected = None
    given: Sequence[Ask | Settle] = ()
    """What was asked before, with success."""
    then: Sequence[tuple[Ask | Settle, Expected]] = ()
    """What is seen afterwards, with status 200."""


@dataclass(frozen=True)
class Table:
    """Rules of one topic."""

    section: str
    """Of the contract: a number of a heading there."""
    title: str
    rows: list[Row]


def filled_in(words: str, fields: Fields) -> Fields:
    wish = {**least(words), **fields}
    return {name: value for name, value in wish.items() if value is not LEFT_OUT}


def new(words: str, /, **fields: Any) -> Ask:
    """POST of this noun with the least body, these fields put over it."""
    return Ask("POST", collection(words), {root(words): filled_in(words, fields)})


def named(name: str, words: str, /, **fields: Any) -> Ask:
    """The same, with the new one known as `{name}` from then on."""
    return Ask("POST", collection(words), {root(words): filled_in(words, fields)}, remember=name)


def path_of(words: str) -> str:
    return f"{collection(words)}/{{{words}}}"


def change(words: str, /, **fields: Any) -> Ask:
    """PUT of the scene's own one."""
    return Ask("PUT", path_of(words), {root(words): fields})


def show(words: str, more: str = "", query: str = "") -> Ask:
    return Ask("GET", path_of(words) + more, query=query)


def delete(words: str, query: str = "") -> Ask:
    return Ask("DELETE", path_of(words), query=query)


def listed(words: str, query: str = "") -> Ask:
    return Ask("GET", collection(words), query=query)


def get(path: str, query: str = "", **more: Any) -> Ask:
    return Ask("GET", f"{LBAAS}/{path}", query=query, **more)


def put(path: str, body: Any = None, query: str = "", **more: Any) -> Ask:
    return Ask("PUT", f"{LBAAS}/{path}", body, query=query, **more)


def post(path: str, body: Any = None, **more: Any) -> Ask:
    return Ask("POST", f"{LBAAS}/{path}", body, **more)


def batch(*members: Fields, query: str = "", pool: str = "{pool}") -> Ask:
    return Ask("PUT", f"{LBAAS}/pools/{pool}/members", {"members": list(members)}, query=query)


def asking(app: str, ask: Ask, **headers: str) -> Ask:
    """The same request to another application, as another caller."""
    return replace(
        ask, app=app, headers={**ask.headers, **{name.replace("_", "-"): text for name, text in headers.items()}}
    )


def with_query(ask: Ask, query: str) -> Ask:
    return replace(ask, query=query)


def keys(*names: str) -> Fact:
    """Exactly these keys."""
    expected = frozenset(name for text in names for name in text.split())
    return Fact(f"the keys {' '.join(sorted(expected))}", lambda answer: frozenset(answer) == expected)


def noun_of(words: str) -> str:
    return parted(words)[1]
