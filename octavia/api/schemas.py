"""Declarations as JSON Schema: what a request may hold, and what an answer does."""

from collections.abc import Iterable

from msgspec import inspect as mi

from octavia.api.operation import Schema
from octavia.domain.declare import END, FALSE, TRUE, Declared, declared, said_of, settable

REFERENCE = "#/components/schemas/"
MOMENT: Schema = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?$",
    "description": "UTC, without a zone.",
}
WHOLE_NUMBER = r"^-?(0|[1-9][0-9]*)$"
NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$"


def any_case(word: str) -> str:
    return "".join(f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in word)


FLAG: Schema = {
    "type": ["boolean", "integer", "string"],
    "minimum": 0,
    "maximum": 1,
    "pattern": rf"^\s*({'|'.join(any_case(word) for word in sorted(TRUE | FALSE))})\s*$",
}
"""A boolean as a request may write it."""


def reference(name: str) -> Schema:
    return {"$ref": REFERENCE + name}


def nullable(schema: Schema) -> Schema:
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    also = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return schema | {"type": [*types, "null"]} | also


def listed(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def an_object(properties: dict[str, Schema], *, required: Iterable[str] | None = None) -> Schema:
    """An object with these keys and no others; all must be there if nothing else is said."""
    needed = list(properties if required is None else required)
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": needed} if needed else {})


def under(root: str, schema: Schema) -> Schema:
    return an_object({root: schema})


def of(kind: mi.Type, *, asked: bool = False) -> Schema:
    """The schema of values of this type; if they are asked for, as laxly as requests may write them."""
    if isinstance(kind, mi.Metadata):
        said = kind.extra_json_schema or {}
        return of(kind.type, asked=asked) | {key: said[key] for key in ("description",) if key in said}
    if isinstance(kind, mi.UnionType):
        (some,) = (member for member in kind.types if not isinstance(member, mi.NoneType))
        return nullable(of(some, asked=asked))
    return plain(kind, asked)


def plain(kind: mi.Type, asked: bool) -> Schema:
    match kind:
        case mi.BoolType():
            return FLAG if asked else {"type": "boolean"}
        case mi.IntType() | mi.FloatType():
            return number(kind, asked)
        case mi.StrType():
            return text(kind)
        case mi.DateTimeType():
            return MOMENT
        case mi.LiteralType(values):
            return choice(values, asked)
        case mi.VarTupleType(item) | mi.ListType(item):
            return listed(of(item, asked=asked))
        case mi.DictType(value_type=value):
            return {"type": "object", "additionalProperties": of(value, asked=asked)}
        case mi.StructType():
            return struct(kind, asked)
    raise TypeError(kind)


def number(kind: mi.IntType | mi.FloatType, asked: bool) -> Schema:
    whole = isinstance(kind, mi.IntType)
    name = "integer" if whole else "number"
    bounds = {"minimum": kind.ge, "maximum": kind.le}
    written: Schema = {"type": [name, "string"], "pattern": WHOLE_NUMBER if whole else NUMBER}
    return (written if asked else {"type": name}) | {key: value for key, value in bounds.items() if value is not None}


def text(kind: mi.StrType) -> Schema:
    pattern = None if kind.pattern is None else kind.pattern.replace(END, "$")
    bounds = {"minLength": kind.min_length, "maxLength": kind.max_length, "pattern": pattern}
    return {"type": "string"} | {key: value for key, value in bounds.items() if value is not None}


def choice(values: Iterable[object], asked: bool) -> Schema:
    known = sorted(values, key=str)
    if all(isinstance(value, str) for value in known):
        return {"type": "string", "enum": known}
    if asked:
        return {"type": ["integer", "string"], "enum": [*known, *map(str, known)]}
    return {"type": "integer", "enum": known}


def struct(kind: mi.StructType, asked: bool) -> Schema:
    properties = {field.name: of(field.type, asked=asked) for field in kind.fields}
    needed = [field.name for field in kind.fields if not asked or field.required]
    return an_object(properties, required=needed)


def wished(noun: type[Declared], *, on_create: bool) -> dict[str, Schema]:
    """The attributes that a request may name."""
    names = settable(noun, on_create=on_create)
    return {name: attribute(field, on_create) for name, field in declared(noun).items() if name in names}


def attribute(field: mi.Field, on_create: bool) -> Schema:
    """On POST null is as if it were not given; on PUT it has a meaning for whatever is not mandatory."""
    schema = of(field.type, asked=True)
    if kept := () if on_create else said_of(field).get("kept", ()):
        schema = schema | {"required": [name for name in schema["required"] if name not in kept]}
    return schema if field.required or takes_null(schema) else nullable(schema)


def takes_null(schema: Schema) -> bool:
    return isinstance(schema.get("type"), list) and "null" in schema["type"]


def mandatory(noun: type[Declared]) -> list[str]:
    """What no POST can be without."""
    names = settable(noun, on_create=True)
    return [name for name, field in declared(noun).items() if name in names and field.required]
