"""Rules about single fields, and the rows that follow from them.

    Field("listener", "connection_limit", good=[-1, 0, Reads("80", 80)], bad=[-2, "many"], null=-1)

says that these values are taken and shown as they are, those are refused with the field's name, on POST and on PUT; and
that a null on PUT puts the field back to -1, which is also its value where a POST does not give it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.conformance.language import LEFT_OUT, Left, Row, change, new, noun_of
from tests.conformance.nouns import Fields


class Reads(NamedTuple):
    """A value that is shown in another form."""

    sent: Any
    shown: Any


class Refused(NamedTuple):
    """A value that is refused in other words than the field's name."""

    sent: Any
    says: str


class Keeps:
    """A null on PUT changes nothing."""


class Refuses:
    """A null is refused."""


KEEPS, REFUSES = Keeps(), Refuses()


@dataclass(frozen=True)
class Field:
    of: str
    """The noun, with its variant."""
    name: str
    good: Sequence[Any] = ()
    bad: Sequence[Any] = ()
    default: Any = LEFT_OUT
    """What it is where a POST does not give it; left out of mandatory fields, which a POST must give."""
    null: Any = KEEPS
    """What a null on PUT makes it."""
    fixed: bool = False
    """Create-only: no PUT may name it."""
    beside: Fields = field(default_factory=dict)
    """What is given together with it."""
    shown: bool = True

    @property
    def mandatory(self) -> bool:
        return isinstance(self.default, Left)


def short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 48 else f"{text[:24]}... ({len(value)} long)"


def rows(fields: Sequence[Field]) -> list[Row]:
    return [row for one in fields for row in rows_of(one)]


def rows_of(one: Field) -> Iterator[Row]:
    yield from taken(one)
    yield from refused(one)
    yield from without(one)
    yield from nulls(one)


def taken(one: Field) -> Iterator[Row]:
    for value in one.good:
        sent, seen = value if isinstance(value, Reads) else (value, value)
        says = {one.name: seen} if one.shown else None
        wish = {**one.beside, one.name: sent}
        yield Row(f"POST {one.of}.{one.name} {short(sent)} is taken", new(one.of, **wish), 201, says)
        if not one.fixed:
            yield Row(f"PUT {one.of}.{one.name} {short(sent)} is taken", change(one.of, **wish), 200, says)


def refused(one: Field) -> Iterator[Row]:
    for bad in one.bad:
        value, says = bad if isinstance(bad, Refused) else (bad, one.name)
        wish = {**one.beside, one.name: value}
        yield Row(f"POST {one.of}.{one.name} {short(value)} is refused", new(one.of, **wish), 400, says)
        if not one.fixed:
            yield Row(f"PUT {one.of}.{one.name} {short(value)} is refused", change(one.of, **wish), 400, says)
    if one.fixed:
        value = one.good[0].sent if one.good and isinstance(one.good[0], Reads) else [*one.good, "x"][0]
        rule = f"PUT {one.of}.{one.name} is refused: it is for POST only"
        yield Row(rule, change(one.of, **{one.name: value}), 400, unknown(one.of, one.name))


def unknown(words: str, name: str) -> str:
    return f"Unknown attribute for argument {noun_of(words)}: {name}"


def without(one: Field) -> Iterator[Row]:
    if one.mandatory:
        yield Row(f"POST {one.of} without {one.name} is refused", new(one.of, **{one.name: LEFT_OUT}), 400, one.name)
        yield Row(f"POST {one.of}.{one.name} null is refused", new(one.of, **{one.name: None}), 400, one.name)
    elif one.shown:
        default = {one.name: one.default}
        left_out, null = new(one.of, **{one.name: LEFT_OUT}), new(one.of, **{one.name: None})
        yield Row(f"POST {one.of} without {one.name} makes it {short(one.default)}", left_out, 201, default)
        yield Row(f"POST {one.of}.{one.name} null is as not given", null, 201, default)


def nulls(one: Field) -> Iterator[Row]:
    if one.fixed or not one.good:
        return
    first, seen = one.good[0] if isinstance(one.good[0], Reads) else (one.good[0], one.good[0])
    null = change(one.of, **{one.name: None})
    given = [change(one.of, **{**one.beside, one.name: first})]
    if isinstance(one.null, Refuses):
        yield Row(f"PUT {one.of}.{one.name} null is refused", null, 400, one.name, given)
    elif isinstance(one.null, Keeps):
        yield Row(f"PUT {one.of}.{one.name} null changes nothing", null, 200, {one.name: seen}, given)
    else:
        rule = f"PUT {one.of}.{one.name} null makes it {short(one.null)}"
        yield Row(rule, null, 200, {one.name: one.null}, given)
