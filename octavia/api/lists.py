"""Lists: which rows, in which order, how many, and where the next page is. Derived from the nouns' declarations."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

import falcon
import msgspec
from msgspec import inspect as mi

from octavia.api.arguments import Arguments, boolean, single
from octavia.api.call import Call
from octavia.api.ports import ListSwitches
from octavia.domain.catalogue import FlavorProfile
from octavia.domain.declare import Declared, declared, scalars, shortened
from octavia.domain.refusal import Invalid
from octavia.domain.shape import Status, shape
from octavia.store.query import Query, Sort, Tags

TAG_ARGUMENTS = {"tags": "all", "tags-any": "any", "not-tags": "not_all", "not-tags-any": "not_any"}
PAGING = frozenset({"fields", "limit", "marker", "page_reverse", "sort", "sort_key", "sort_dir", *TAG_ARGUMENTS})
DIRECTIONS = {"asc": False, "desc": True}
INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
MOST_TAGS = 64
LARGEST = 2**31 - 1

Convert = Callable[[str, str], Any]


def whole_number(name: str, value: str) -> int:
    number = int(value) if INTEGER.fullmatch(value) else None
    if number is None or not -LARGEST <= number <= LARGEST:
        raise bad_value(name, value, "a whole number")
    return number


def number(name: str, value: str) -> float:
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise bad_value(name, value, "a number")
    return found


def moment(name: str, value: str) -> datetime:
    try:
        found = msgspec.convert(value.replace(" ", "T"), datetime)
        return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    except (msgspec.ValidationError, OverflowError):
        raise bad_value(name, value, "a date and time in ISO 8601") from None


def text(name: str, value: str) -> str:
    return value


def bad_value(name: str, value: str, expected: str) -> Invalid:
    return Invalid(f"Invalid input for field/attribute {name}. Value: '{shortened(value)}'. Expected {expected}.")


CONVERT: dict[type[mi.Type], Convert] = {
    mi.IntType: whole_number,
    mi.FloatType: number,
    mi.BoolType: boolean,
    mi.DateTimeType: moment,
}


@cache
def columns(noun: type[Declared]) -> dict[str, Convert]:
    """What a list of this noun can be filtered and sorted by."""
    own = {name: CONVERT.get(type(kind), text) for name, kind in scalars(noun).items()}
    computed = {key: text for key, source in shape(noun).items() if isinstance(source, Status)}
    return own | computed


def query(noun: type[Declared], parents: Mapping[str, str], call: Call) -> Query:
    """The checked request. `parents` are further filters: the argument's name to the column's."""
    most, arguments = call.services.pagination_max_limit, looked_at(call.services.switches, call.arguments)
    return Query(
        filters=filters(noun, parents, arguments),
        tags=tags(noun, arguments),
        sort=sorting(noun, arguments),
        limit=limit(single(arguments, "limit"), most),
        marker=single(arguments, "marker"),
        reverse=reverse(arguments),
    )


def looked_at(switches: ListSwitches, arguments: Arguments) -> Arguments:
    """What the operator wants to be looked at of a list request."""
    off: set[str] = set()
    if not switches.pagination:
        off |= {"limit", "marker", "page_reverse"}
    if not switches.sorting:
        off |= {"sort", "sort_key", "sort_dir"}
    if not switches.filtering:
        off |= arguments.keys() - (PAGING - TAG_ARGUMENTS.keys())
    return {name: values for name, values in arguments.items() if name not in off}


def fields(noun: type[Declared], call: Call) -> frozenset[str] | None:
    """The keys that are asked for, of those that there are; None for all."""
    asked = call.arguments.get("fields")
    if not asked or not call.services.switches.field_selection:
        return None
    return frozenset(asked) & shape(noun).keys()


def links_key(noun: type[Declared]) -> str:
    """Upstream links the pages of flavor profiles by the singular."""
    return f"{noun.singular if noun is FlavorProfile else noun.plural}_links"


def filters(noun: type[Declared], parents: Mapping[str, str], arguments: Arguments) -> dict[str, Any]:
    known = columns(noun)
    found: dict[str, Any] = {}
    for name in arguments:
        if name in PAGING:
            continue
        if name not in known and name not in parents:
            raise Invalid(f"One or more arguments are either duplicate or invalid: '{shortened(name)}' is no filter.")
        value = single(arguments, name) or ""
        column = parents.get(name, name)
        if column in found:
            raise Invalid(f"One or more arguments are either duplicate or invalid: '{name}' is given in two spellings.")
        found[column] = known.get(name, text)(name, value)
    return found


def tags(noun: type[Declared], arguments: Arguments) -> Tags:
    if TAG_ARGUMENTS.keys().isdisjoint(arguments):
        return Tags()
    if "tags" not in declared(noun):
        raise Invalid(f"One or more arguments are either duplicate or invalid: a {noun.title} has no tags.")
    given = {
        form: tuple(dict.fromkeys(tag for value in arguments.get(name, ()) for tag in value.split(",") if tag))
        for name, form in TAG_ARGUMENTS.items()
    }
    if sum(map(len, given.values())) > MOST_TAGS:
        raise Invalid(f"A list can be filtered by up to {MOST_TAGS} tags.")
    return Tags(**given)


def sorting(noun: type[Declared], arguments: Arguments) -> tuple[Sort, ...]:
    keys = [key for key in sort_keys(arguments) if key[0]]
    names = [name for name, _ in keys]
    if len(set(names)) < len(names):
        raise Invalid("A sort key is given twice.")
    return tuple(sort(noun, name, direction) for name, direction in keys)


def sort_keys(arguments: Arguments) -> list[tuple[str, str]]:
    """Each key with its direction, unchecked."""
    together, keys, directions = (single(arguments, name) for name in ("sort", "sort_key", "sort_dir"))
    if together is not None and (keys is not None or directions is not None):
        raise Invalid("Give either sort, or sort_key and sort_dir.")
    if together is not None:
        return [
            (key.strip(), direction or "asc") for key, _, direction in (p.partition(":") for p in together.split(","))
        ]
    names = keys.split(",") if keys else []
    ways = directions.split(",") if directions else []
    if len(ways) > len(names):
        raise Invalid("There are more sort directions than sort keys.")
    return [(name.strip(), ways[at] if at < len(ways) else "asc") for at, name in enumerate(names)]


def sort(noun: type[Declared], name: str, direction: str) -> Sort:
    if name not in columns(noun):
        raise Invalid(f"The list cannot be sorted by '{shortened(name)}'.")
    way = DIRECTIONS.get(direction.strip().lower())
    if way is None:
        raise falcon.HTTPBadRequest(description=f"'{shortened(direction)}' is no sort direction. Say asc or desc.")
    return Sort(name, way)


def limit(value: str | None, most: int) -> int:
    if value is None or value == "infinite":
        return most
    if not INTEGER.fullmatch(value):
        raise falcon.HTTPBadRequest(description=f"The limit '{shortened(value)}' is no whole number.")
    asked = int(value)
    return min(asked, most) if asked >= 1 else most


def reverse(arguments: Arguments) -> bool:
    value = single(arguments, "page_reverse")
    return value is not None and boolean("page_reverse", value)


def links(url: str, arguments: Arguments, asked: Query, ids: list[str]) -> list[dict[str, str]]:
    """Where the pages before and after this one are; every other argument is kept."""
    if not ids:
        return []
    found = []
    full = len(ids) >= asked.limit
    before, after = (full, asked.marker is not None) if asked.reverse else (asked.marker is not None, full)
    if before:
        found.append({"rel": "previous", "href": page_url(url, arguments, marker=[ids[0]], page_reverse=["True"])})
    if after:
        found.append({"rel": "next", "href": page_url(url, arguments, marker=[ids[-1]], page_reverse=[])})
    return found


def page_url(url: str, arguments: Arguments, **changed: list[str]) -> str:
    kept = {name: values for name, values in (arguments | changed).items() if values}
    return f"{url}?{urlencode(kept, doseq=True)}"
