"""Query strings, read strictly: every argument that is not understood is refused."""

from urllib.parse import parse_qsl

import falcon

from octavia.domain.declare import FALSE, TRUE, shortened
from octavia.domain.refusal import Invalid

Arguments = dict[str, list[str]]
MOST = 500


def of(request: falcon.Request) -> Arguments:
    """Name to values, in the order given."""
    found: Arguments = {}
    if request.query_string:
        for name, value in pairs(request.query_string):
            found.setdefault(name, []).append(value)
    return found


def pairs(query_string: str) -> list[tuple[str, str]]:
    try:
        read = parse_qsl(query_string, keep_blank_values=True, max_num_fields=MOST)
    except ValueError:
        raise Invalid(f"The query string cannot be read. It may have up to {MOST} arguments.") from None
    if any("\0" in text for pair in read for text in pair):
        raise Invalid("An argument may not contain the character NUL.")
    return read


def none_but(arguments: Arguments, *known: str) -> None:
    for name in arguments:
        if name not in known:
            raise Invalid(f"Unknown argument: '{shortened(name)}'.")


def single(arguments: Arguments, name: str) -> str | None:
    """The one value of this argument, if it is given. Raises Invalid if it is given twice."""
    values = arguments.get(name, [])
    if len(values) > 1:
        raise Invalid(f"One or more arguments are either duplicate or invalid: {shortened(name)} is given twice.")
    return values[0] if values else None


def flag(arguments: Arguments, name: str) -> bool:
    value = single(arguments, name)
    return value is not None and boolean(name, value)


def boolean(name: str, value: str) -> bool:
    text = value.strip().lower()
    if text not in TRUE | FALSE:
        raise Invalid(f"Invalid input for field/attribute {name}. Value: '{shortened(value)}'. Say true or false.")
    return text in TRUE
