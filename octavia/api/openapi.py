"""The API's document (OpenAPI 3.1), made from the route table and the declarations; GET /openapi.json."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec

import octavia
from octavia.api import parameters
from octavia.api.call import Call, Verb, encode
from octavia.api.components import components
from octavia.api.operation import Operation, Schema
from octavia.api.schemas import an_object, reference

Table = Mapping[str, Mapping[str, Verb]]
FIELD = re.compile(r"\{(\w+)\}")
ASKED = frozenset({400, 401, 403, 406, 503})
"""How any request can be refused of which it must be known who asks."""
SENT = frozenset({400, 413, 415})
"""How any body can be refused."""
NONE: frozenset[int] = frozenset()
DESCRIPTION = """\
The OpenStack Load Balancer API v2. The root `/v2` may be written `/v2/lbaas`, `/v2.0` or `/v2.0/lbaas` as well, each
with `/load-balancer` before it, and every address may end with `.json`. Requests may write numbers as texts, and
booleans as `yes`, `no`, `on`, `off`, `t`, `f`, `1` or `0`."""
REASONS = {
    400: "The request is wrong: a value, an attribute, an argument, or something that it refers to.",
    401: "It is not known who asks.",
    403: "The caller may not do this, or a quota has been met.",
    404: "There is no such object, or one that the request names is not there.",
    406: "Something other than JSON is asked for.",
    409: "The wish contradicts something that exists, or lands on what is being deleted.",
    413: "The body is too large.",
    415: "The body is not called JSON.",
    501: "The wish is legal, and not offered by this data plane.",
    503: "A service behind this one could not be reached.",
}
ERRORS: dict[str, Schema] = {
    "Refusal": an_object(
        {
            "faultcode": {"type": "string", "enum": ["Client", "Server"]},
            "faultstring": {"type": "string", "description": "A sentence for the person who asked."},
            "debuginfo": {"type": "null"},
        }
    )
    | {"description": "What an object says no to."},
    "Unreached": an_object(
        {
            "code": {"type": "integer"},
            "title": {"type": "string"},
            "description": {"type": "string", "description": "A sentence for the person who asked."},
        }
    )
    | {"description": "What is refused before an object is reached."},
    "Unauthorized": an_object(
        {"error": an_object({"code": {"const": 401}, "title": {"type": "string"}, "message": {"type": "string"}})}
    ),
}
SHAPES: dict[int, tuple[str, ...]] = {
    400: ("Refusal", "Unreached"),
    401: ("Unauthorized",),
    404: ("Refusal", "Unreached"),
    406: ("Unreached",),
    413: ("Unreached",),
    415: ("Unreached",),
}
"""Where nothing stands, it is the first shape."""


def document(table: Table) -> Schema:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Load Balancer API",
            "version": octavia.__version__,
            "summary": "OpenStack's Load Balancer API v2",
            "description": DESCRIPTION,
        },
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for _, _, operation in operations(table))],
        "paths": {path: item(table, path, verbs) for path, verbs in table.items()},
        "components": {
            "schemas": ERRORS | components(),
            "parameters": parameters.shared(),
            "responses": {str(status): refusal(status) for status in REASONS},
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
        "security": [{}, {"token": []}, {"basic": []}],
    }


def operations(table: Table) -> Iterator[tuple[str, str, Operation]]:
    for path, verbs in table.items():
        for name, verb in verbs.items():
            yield path, name, verb.operation


def refusal(status: int) -> Schema:
    shapes = [reference(name) for name in SHAPES.get(status, ("Refusal",))]
    schema = shapes[0] if len(shapes) == 1 else {"anyOf": shapes}
    return {"description": REASONS[status]} | content(schema)


def content(schema: Schema) -> Schema:
    return {"content": {"application/json": {"schema": schema}}}


def item(table: Table, path: str, verbs: Mapping[str, Verb]) -> Schema:
    fields = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in FIELD.findall(path)
    ]
    said = {name.lower(): one(table, path, verb) for name, verb in verbs.items()}
    return said | ({"parameters": fields} if fields else {})


def one(table: Table, path: str, verb: Verb) -> Schema:
    operation = verb.operation
    said: Schema = {"operationId": operation.id, "tags": [operation.tag], "summary": operation.summary}
    if operation.open:
        said["security"] = []
    if operation.query:
        said["parameters"] = list(operation.query)
    if operation.body is not None:
        said["requestBody"] = {"required": True} | content(operation.body)
    refused = sorted(statuses(path, operation))
    refusals = {str(status): {"$ref": f"#/components/responses/{status}"} for status in refused}
    return said | {"responses": {str(verb.success): success(table, path, verb)} | refusals}


def statuses(path: str, operation: Operation) -> frozenset[int]:
    """How it can be refused."""
    asked = frozenset({406}) if operation.open else ASKED
    named = frozenset({404}) if FIELD.search(path) else NONE
    return asked | named | operation.refusals | (SENT if operation.body is not None else NONE)


def success(table: Table, path: str, verb: Verb) -> Schema:
    said: Schema = {"description": HTTPStatus(verb.success).phrase}
    if verb.operation.answer is not None:
        said |= content(verb.operation.answer)
    if verb.success == HTTPStatus.CREATED:
        said["links"] = links(table, path, verb.operation)
    return said


def links(table: Table, path: str, operation: Operation) -> Schema:
    """What can be done with an object that was made here: everything at the addresses that begin with its own."""
    assert operation.answer is not None
    ((root, _),) = operation.answer["properties"].items()
    key = "name" if root == "availability_zone" else "id"
    own = re.compile(re.escape(path) + r"/\{(\w+)\}(/[^{}]*)?")
    found: Schema = {}
    for further, verbs in table.items():
        if match := own.fullmatch(further):
            known = {name: f"$request.path.{name}" for name in FIELD.findall(path)}
            values = known | {match[1]: f"$response.body#/{root}/{key}"}
            found |= {
                verb.operation.id: {"operationId": verb.operation.id, "parameters": values} for verb in verbs.values()
            }
    return found


def routes(table: Table) -> dict[str, dict[str, Verb]]:
    """Where the document of this table, and of these addresses themselves, is."""
    found: dict[str, dict[str, Verb]] = {}

    @cache
    def made() -> dict[str, msgspec.Raw]:
        return {key: msgspec.Raw(encode(value)) for key, value in document(dict(table) | found).items()}

    def show(call: Call) -> dict[str, Any]:
        return made() | {"servers": [{"url": call.base}]}

    for path, name in (("/openapi.json", "show_document"), ("/v2/openapi.json", "show_document_of_version")):
        said = Operation(id=name, tag="versions", summary="This document", answer={"type": "object"}, open=True)
        found[path] = {"GET": Verb(show, 200, said)}
    return found
