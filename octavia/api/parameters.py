"""The parameters of requests, as the API's document says them."""

from collections.abc import Iterable

from msgspec import inspect as mi

from octavia.api import lists
from octavia.api.operation import Schema
from octavia.api.schemas import FLAG
from octavia.domain.declare import Declared, declared, scalars

REFERENCE = "#/components/parameters/"
TEXT: Schema = {"type": "string"}
TEXTS: Schema = {"type": "array", "items": TEXT}
WORD: Schema = {"type": "string", "pattern": FLAG["pattern"]}
"""A boolean in a query string."""
WHOLE: Schema = {"type": "integer", "minimum": -lists.LARGEST, "maximum": lists.LARGEST}


def in_query(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def shared() -> dict[str, Schema]:
    """Those that many lists have, by name."""
    found = [
        in_query("fields", TEXTS, "Only these keys are answered. May be given often; unknown ones are ignored."),
        in_query(
            "limit",
            {"anyOf": [{"type": "integer"}, {"const": "infinite"}]},
            "The most objects on this page. Below 1, `infinite`, or above what the deployment allows: that many.",
        ),
        in_query("marker", TEXT, "What names the last object of the page before: its id, a zone's name."),
        in_query("page_reverse", WORD, "The page before the marker instead of the one behind it."),
        in_query("sort", TEXT, "Keys with directions: `name:desc,created_at`. Not together with sort_key, sort_dir."),
        in_query("sort_key", TEXT, "Keys to sort by, separated by commas."),
        in_query("sort_dir", TEXT, "asc or desc for each of the keys, separated by commas."),
        in_query("tags", TEXTS, "Only what has all of these tags; separated by commas, or given often."),
        in_query("tags-any", TEXTS, "Only what has one of these tags."),
        in_query("not-tags", TEXTS, "Only what lacks one of these tags."),
        in_query("not-tags-any", TEXTS, "Only what has none of these tags."),
    ]
    return {parameter["name"]: parameter for parameter in found}


def refer(*names: str) -> tuple[Schema, ...]:
    return tuple({"$ref": REFERENCE + name} for name in names)


FIELDS = refer("fields")
CASCADE = (in_query("cascade", WORD, "Whether everything in it goes too; without it, it must be empty."),)
ADDITIVE = (in_query("additive_only", WORD, "Whether the pool keeps members that are not named."),)
CAPABILITIES = (
    *FIELDS,
    in_query("name", TEXT, "Only the one of this name."),
    in_query("description", TEXT, "Only those with this description."),
)


def listing(noun: type[Declared], parents: Iterable[str] = (), *, fields: bool = True) -> tuple[Schema, ...]:
    """Everything that the list of this noun takes."""
    names = [name for name in shared() if name not in lists.TAG_ARGUMENTS or "tags" in declared(noun)]
    above = [in_query(name, TEXT, "Only those that belong to it.") for name in parents]
    return (*refer(*(name for name in names if fields or name != "fields")), *filters(noun), *above)


def filters(noun: type[Declared]) -> Iterable[Schema]:
    for name in lists.columns(noun):
        yield in_query(name, filter_schema(scalars(noun).get(name)), "Only those with this value.")


def filter_schema(kind: mi.Type | None) -> Schema:
    match kind:
        case mi.IntType():
            return WHOLE
        case mi.FloatType():
            return {"type": "number"}
        case mi.BoolType():
            return WORD
    return TEXT
