"""Writes docs/api.md from the route table and the declarations. Run as: python -m tools.reference

What no declaration says stands in tools/api.md, where {addresses}, {statuses} and {arguments} are filled in.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import UNSET
from msgspec import inspect as mi

from octavia.api import network, openapi, parameters
from octavia.api.amphorae import PARENTS as AMPHORA_PARENTS
from octavia.api.call import Verb
from octavia.api.kinds import KINDS
from octavia.api.openapi import REASONS
from octavia.api.operation import Operation
from octavia.api.routes import ROUTES
from octavia.domain.amphora import Amphora
from octavia.domain.catalogue import ENTRIES
from octavia.domain.declare import Declared, declared, default_of, said_of, settable
from octavia.domain.l7policy import LAST
from octavia.domain.pool import Pool, SessionPersistence
from octavia.domain.quota import ALIASES, Quota
from octavia.domain.shape import shape

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "api.md"
TEMPLATE = Path(__file__).parent / "api.md"
OF_TAG: dict[str, type[Declared]] = {
    **{kind.noun.plural: kind.noun for kind in KINDS},
    **{noun.plural.replace("_", ""): noun for noun in ENTRIES},
    "amphorae": Amphora,
    "quotas": Quota,
}
"""The groups of the document to what they are of."""
COMMON = openapi.ASKED | openapi.SENT
"""What is said once for all of them."""
HEADINGS = {"versions": "Versions", "providers": "Providers", "progress": "Progress"}
FIELDS = "| field | value | default | PUT | null on PUT | meaning |\n|---|---|---|---|---|---|\n"
FURTHER: dict[str, tuple[tuple[str, str, str], ...]] = {
    "loadbalancer": (
        ("listeners", "list of listeners", "With their `l7policies` and `rules`; `default_pool` names one of `pools`."),
        ("pools", "list of pools", "With their `members` and `healthmonitor`."),
    ),
    "listener": (("loadbalancer_id", "text, up to 36 characters", "Required. Where it belongs."),),
    "pool": (
        ("loadbalancer_id", "text, up to 36 characters", "Where it belongs; this or the next is required."),
        ("listener_id", "text, up to 36 characters", "It becomes the default pool of this listener."),
    ),
}
"""What a POST can name beside the attributes: field, value, meaning."""


def page() -> str:
    said = TEMPLATE.read_text()
    for name, text in (("addresses", addresses()), ("statuses", statuses()), ("arguments", arguments())):
        said = said.replace(f"{{{name}}}\n", text)
    return said


def addresses() -> str:
    """A section for each group."""
    tags = dict.fromkeys(operation.tag for _, _, operation in openapi.operations(ROUTES))
    return "\n".join(section(tag) for tag in tags if tag != "network")


def section(tag: str) -> str:
    noun = OF_TAG.get(tag)
    lines = [f"### {HEADINGS[tag] if noun is None else heading(noun)}\n\n", operations(tag)]
    if noun is not None:
        lines += [*fields(noun), answered(noun)]
    return "".join(lines)


def heading(noun: type[Declared]) -> str:
    plural = {"Amphora": "Amphorae", "L7 Policy": "L7 policies"}.get(noun.title)
    return plural or f"{noun.title.capitalize()}s"


def operations(tag: str) -> str:
    rows = [
        f"| {name} | `{path}` | {verb.success} | {refused(path, verb)} | {what(verb.operation)} |\n"
        for path, verbs in ROUTES.items()
        for name, verb in verbs.items()
        if verb.operation.tag == tag and path not in network.routes()
    ]
    return "".join(["| verb | address | success | refusals | what |\n|---|---|---|---|---|\n", *rows])


def refused(path: str, verb: Verb) -> str:
    return ", ".join(str(status) for status in sorted(openapi.statuses(path, verb.operation) - COMMON))


def what(operation: Operation) -> str:
    """With the arguments that it alone takes."""
    own = [one for one in operation.query if "name" in one]
    if operation.id.startswith("list_") and "capabilities" not in operation.id:
        own = []
    return " ".join([f"{operation.summary}.", *(f"`{one['name']}`: {one['description']}" for one in own)])


def fields(noun: type[Declared]) -> Iterator[str]:
    names = settable(noun, on_create=True)
    if not names or noun is Amphora:
        return
    yield f"\n{FIELDS}"
    for name, field in declared(noun).items():
        if name in names:
            yield row(field, changeable=name in settable(noun, on_create=False))
            if noun is Pool and name == "session_persistence":
                yield from (row(part, prefix=f"{name}.") for part in declared(SessionPersistence).values())
    for name, value, meaning in FURTHER.get(noun.singular, ()):
        yield f"| `{name}` | {value} | - | no | | {meaning} |\n"
    if noun is Quota:
        yield from (f"| `{alias}` | | | yes | | Another name of `{name}`. |\n" for alias, name in ALIASES.items())


def row(field: mi.Field, *, changeable: bool = True, prefix: str = "") -> str:
    cells = (
        f"`{prefix}{field.name}`",
        value_of(field.type),
        "*required*" if field.required else shown(default_of(field)),
        "yes" if changeable else "no",
        null_of(field) if changeable else "",
        meaning_of(field.type),
    )
    return f"| {' | '.join(cells)} |\n"


def null_of(field: mi.Field) -> str:
    said = said_of(field)
    if "on_null" in said:
        return "no change" if said["on_null"] is UNSET else shown(said["on_null"])
    if field.required:
        return "refused"
    default = default_of(field)
    return "cleared" if default in (None, (), {}, "") else "the default"


def shown(value: Any) -> str:
    if value in (None, (), {}, ""):
        return "-"
    if value == LAST:
        return "the last"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def value_of(kind: mi.Type) -> str:
    match kind:
        case mi.Metadata():
            return value_of(kind.type)
        case mi.UnionType(types):
            return ", ".join(value_of(one) for one in types if not isinstance(one, mi.NoneType))
        case mi.BoolType():
            return "true or false"
        case mi.IntType(ge=least, le=most):
            return f"{least} to {most}" if least is not None else "whole number"
        case mi.FloatType():
            return "number"
        case mi.LiteralType(values):
            return ", ".join(f"`{value}`" for value in sorted(values, key=str))
        case mi.StrType():
            return text(kind)
        case mi.VarTupleType(item):
            return f"list of {value_of(item)}"
        case mi.DictType(value_type=value):
            return f"object of {value_of(value)}"
        case mi.StructType(fields=parts):
            return f"object of {', '.join(f'`{part.name}`' for part in parts)}"
    raise TypeError(kind)


def text(kind: mi.StrType) -> str:
    least = f"{kind.min_length} to" if kind.min_length else "up to"
    return f"text, {least} {kind.max_length} characters"


def meaning_of(kind: mi.Type) -> str:
    """What the declaration says; of a value that may be null too."""
    if not isinstance(kind, mi.Metadata):
        return ""
    return (kind.extra_json_schema or {}).get("description", "") or meaning_of(kind.type)


def answered(noun: type[Declared]) -> str:
    """What answers have beyond what requests can name."""
    kind = next((kind for kind in KINDS if kind.noun is noun), None)
    asked = settable(noun, on_create=True) if noun is not Amphora else frozenset[str]()
    hidden = [f"`{name}`" for name in declared(noun) if name in asked and name not in shape(noun)]
    only = [f"`{key}`" for key in shape(noun) if key not in asked and key not in ALIASES]
    have = f"Answers {'also ' if asked else ''}have {', '.join(only)}{without(hidden)}. " if only else ""
    return wrapped(f"{have}{filters(noun, AMPHORA_PARENTS if noun is Amphora else kind.parents if kind else {})}")


def without(hidden: Sequence[str]) -> str:
    return f", and do not have {', '.join(hidden)}" if hidden else ""


def filters(noun: type[Declared], parents: Iterable[str]) -> str:
    names = [parameter["name"] for parameter in parameters.filters(noun)]
    objects = [f"`{key}`" for key in shape(noun) if key not in names]
    further = [f"`{name}`" for name in parents]
    objects = [key for key in objects if key not in further]
    but = f" but {', '.join(objects)}" if objects else ""
    return f"Lists can be filtered by any of these attributes{but}{'; and by ' if further else ''}{', '.join(further)}."


def wrapped(said: str, width: int = 118) -> str:
    lines = [""]
    for word in said.strip().split(" "):
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n" + "\n".join(lines) + "\n"


def statuses() -> str:
    return table(("status", "meaning"), ((str(status), said) for status, said in REASONS.items()))


def arguments() -> str:
    found = parameters.shared().values()
    return table(("argument", "meaning"), ((f"`{one['name']}`", one["description"]) for one in found))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *(f"| {' | '.join(row)} |" for row in rows)]
    return "".join(f"{line}\n" for line in lines)


def main() -> None:
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
