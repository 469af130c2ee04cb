"""How a noun is declared: one frozen struct says type, bounds, default, meaning, and who may set a field when."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, ClassVar, TypeVar, get_type_hints

import msgspec
from msgspec import NODEFAULT, UNSET, Meta, Struct
from msgspec import inspect as mi

from octavia.domain.refusal import Invalid

CREATE_ONLY = Meta(extra={"create_only": True})
SYSTEM = Meta(extra={"system": True})
"""Kept by the service: no request may set it."""
HIDDEN = Meta(extra={"hidden": True})
"""Never in an answer under its own name."""
NULL_IS_FALSE = Meta(extra={"on_null": False})
NULL_KEEPS = Meta(extra={"on_null": UNSET})
KEEPS_TYPE = Meta(extra={"kept": ("type",)})
"""An object whose type a PUT may leave out when there is one: it stays what it is."""
END = r"(?!\n)$"
"""The end of a text in a pattern: Python's `$` alone would let a line break follow."""

Identifier = Annotated[str, Meta(max_length=36)]
UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}" + END
Reference = Annotated[str, Meta(max_length=36, pattern=UUID)]
"""The UUID of something that another service keeps."""
Text = Annotated[str, Meta(max_length=255)]
Tags = Annotated[
    tuple[Text, ...],
    Meta(description="Free labels of at most 255 characters; a PUT replaces them all."),
    NULL_KEEPS,
]
Port = Annotated[int, Meta(ge=1, le=65535)]
Milliseconds = Annotated[int, Meta(ge=0, le=24 * 24 * 3600 * 1000)]
Address = Annotated[str, Meta(max_length=64)]

TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
FALSE = frozenset({"0", "f", "false", "off", "n", "no"})


class Declared(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Anything that the API has objects of: the names that its one and its many go by."""

    singular: ClassVar[str]
    plural: ClassVar[str]
    title: ClassVar[str]
    named_by: ClassVar[str] = "id"
    """The field that an address names one by, and that a list's pages end with."""


class Noun(Declared, frozen=True, kw_only=True):
    """What a load balancer and all below it have. Generations count the accepted edits of the load balancer."""

    id: Annotated[Identifier, SYSTEM]
    load_balancer_id: Annotated[Identifier, SYSTEM, HIDDEN]
    project_id: Annotated[
        Identifier | None, CREATE_ONLY, Meta(description="The project that owns it; a child has its load balancer's.")
    ] = None
    name: Annotated[Text, Meta(description="For people; need not be unique.")] = ""
    admin_state_up: Annotated[bool, NULL_IS_FALSE, Meta(description="False takes it out of service.")] = True
    tags: Tags = ()
    operating_status: Annotated[str, Meta(max_length=16), SYSTEM] = "OFFLINE"
    created_at: Annotated[datetime, SYSTEM]
    updated_at: Annotated[datetime | None, SYSTEM] = None
    created: Annotated[int, SYSTEM, HIDDEN] = 1
    touched: Annotated[int, SYSTEM, HIDDEN] = 1
    deleted: Annotated[int | None, SYSTEM, HIDDEN] = None
    fault: Annotated[Annotated[str, Meta(max_length=1024)] | None, SYSTEM, HIDDEN] = None
    fault_generation: Annotated[int | None, SYSTEM, HIDDEN] = None


D = TypeVar("D", bound=Declared)


@cache
def declared(noun: type[Struct]) -> dict[str, mi.Field]:
    info = mi.type_info(noun)
    assert isinstance(info, mi.StructType)
    return {field.name: field for field in info.fields}


def said_of(field: mi.Field) -> dict[str, Any]:
    """What a declaration says beyond the type."""
    return (field.type.extra or {}) if isinstance(field.type, mi.Metadata) else {}


def bare(type_: mi.Type) -> mi.Type:
    """The type without its annotations and without None."""
    if isinstance(type_, mi.Metadata):
        return bare(type_.type)
    if isinstance(type_, mi.UnionType):
        return bare(next(t for t in type_.types if not isinstance(t, mi.NoneType)))
    return type_


@cache
def settable(noun: type[Declared], *, on_create: bool) -> frozenset[str]:
    """The fields that a request may name: on PUT those of POST less the create-only ones."""
    return frozenset(
        name
        for name, field in declared(noun).items()
        if not said_of(field).get("system") and (on_create or not said_of(field).get("create_only"))
    )


@cache
def scalars(noun: type[Declared]) -> dict[str, mi.Type]:
    """The fields that a list can be filtered and sorted by."""
    plain = (mi.IntType, mi.StrType, mi.BoolType, mi.LiteralType, mi.DateTimeType, mi.FloatType)
    return {
        name: bare(field.type)
        for name, field in declared(noun).items()
        if isinstance(bare(field.type), plain) and not said_of(field).get("hidden")
    }


def create(noun: type[D], body: dict[str, Any], **system: Any) -> D:
    """A new noun from a POST body (null means not given) and what the service itself sets.

    Raises Invalid with the field's name for an unknown or create-forbidden key and for a value out of bounds.
    """
    refuse_unknown(noun, body, on_create=True)
    given = {name: value for name, value in body.items() if value is not None}
    return convert(noun, given | system)


def with_one_project(noun: type[Declared], body: dict[str, Any]) -> dict[str, Any]:
    """The POST body with its project under one of the two names that clients use. Raises Invalid for what is no id."""
    rest = {name: value for name, value in body.items() if name not in ("project_id", "tenant_id")}
    given = [body[name] for name in ("project_id", "tenant_id") if body.get(name) is not None]
    for value in given:
        check_values(noun, {"project_id": value})
    return rest | ({"project_id": given[0]} if given else {})


def amend(current: D, body: dict[str, Any], **system: Any) -> D:
    """Apply a PUT body: absent keys stay, null means what the field says (its default, if it says nothing)."""
    noun = type(current)
    refuse_unknown(noun, body, on_create=False)
    meant = {name: meant_by(declared(noun)[name], getattr(current, name), value) for name, value in body.items()}
    merged = msgspec.structs.asdict(current) | {k: v for k, v in meant.items() if v is not UNSET} | system
    return convert(noun, merged)


def check_values(noun: type[Declared], body: Mapping[str, Any]) -> None:
    """Raises Invalid for a value that its field cannot have, whatever the object is now."""
    fields = declared(noun)
    for name, value in body.items():
        if value is not None and not said_of(fields[name]).get("kept"):
            lax = lax_value(fields[name], value)
            try:
                msgspec.convert({name: lax}, alone(noun, name), strict=False)
            except msgspec.ValidationError as error:
                raise Invalid(input_error(str(error), {name: lax})) from None


@cache
def alone(noun: type[Declared], name: str) -> type[Struct]:
    """A struct of this one field."""
    hints = get_type_hints(noun, include_extras=True)
    return msgspec.defstruct("Alone", [(name, hints[name])])


def meant_by(field: mi.Field, current: Any, value: Any) -> Any:
    """What a PUT means by this value, UNSET if it means no change. The null of a mandatory field stays, as a fault."""
    said = said_of(field)
    if value is None:
        return said["on_null"] if "on_null" in said else default_of(field)
    if isinstance(value, dict) and current is not None:
        return {name: getattr(current, name) for name in said.get("kept", ())} | value
    return value


def default_of(field: mi.Field) -> Any:
    if field.default_factory is not NODEFAULT:
        return field.default_factory()
    return None if field.default is NODEFAULT else field.default


def refuse_unknown(noun: type[Declared], body: dict[str, Any], *, on_create: bool) -> None:
    for name in body:
        if name not in settable(noun, on_create=on_create):
            why = " It can be set only when the object is created." if name in settable(noun, on_create=True) else ""
            raise Invalid(f"Unknown attribute for argument {noun.singular}: {name}.{why}")


def convert(noun: type[D], values: dict[str, Any]) -> D:
    """The noun with these values, converted as laxly as the API promises ("80" is a number, "yes" is true)."""
    fields = declared(noun)
    lax = {name: lax_value(fields[name], value) for name, value in values.items()}
    try:
        return msgspec.convert(lax, noun, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(input_error(str(error), lax)) from None


def lax_value(field: mi.Field, value: Any) -> Any:
    kind = bare(field.type)
    if isinstance(kind, mi.BoolType):
        return lax_bool(value)
    if isinstance(kind, mi.VarTupleType) and isinstance(value, list) and field.name == "tags":
        return sorted(set(value)) if all(isinstance(tag, str) for tag in value) else value
    return value


def lax_bool(value: Any) -> Any:
    text = str(value).strip().lower() if isinstance(value, (str, int)) else ""
    return True if text in TRUE else False if text in FALSE else value


def input_error(message: str, values: dict[str, Any]) -> str:
    """The API's sentence for a value that does not fit its field."""
    reason, _, path = message.partition(" - at `$.")
    name = path.rstrip("`")
    if "missing required field" in reason:
        name = ".".join(part for part in (name, reason.partition("`")[2].rstrip("`")) if part)
        return f"Invalid input for field/attribute {name}. Value: 'None'. Mandatory field missing."
    value = values.get(name.split("[")[0].split(".")[0])
    return f"Invalid input for field/attribute {name}. Value: '{shortened(value)}'. {reason}."


def shortened(value: Any, limit: int = 120) -> str:
    text = str(value)
    return text if len(text) <= limit else text[:limit] + "..."
