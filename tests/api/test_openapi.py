"""The API's document is valid, whole, and says the same at every address."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from octavia.api import openapi
from octavia.api.caller import OPEN_PATHS
from octavia.api.door import plain_path
from octavia.api.routes import ROUTES
from octavia.domain.graph import NOUNS
from octavia.domain.shape import OneBelow, shape
from tests.api.world import Api

DOCUMENT = openapi.document(ROUTES | openapi.routes(ROUTES))


def every(value: Any, key: str) -> Iterator[Any]:
    """Whatever stands under this key, at any depth."""
    if isinstance(value, dict):
        if key in value:
            yield value[key]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from every(item, key)


def operations() -> Iterator[tuple[str, str, Any]]:
    for path, item in DOCUMENT["paths"].items():
        for verb, operation in item.items():
            if verb != "parameters":
                yield path, verb, operation


def test_it_is_an_openapi_document() -> None:
    OPENAPI_31_VALIDATOR.validate(DOCUMENT)


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_its_schemas_are_schemas(name: str) -> None:
    jsonschema_rs.meta.validate(DOCUMENT["components"]["schemas"][name])


def test_its_references_lead_somewhere() -> None:
    for reference in every(DOCUMENT, "$ref"):
        place: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_nothing_is_said_that_nobody_refers_to() -> None:
    used = set(every(DOCUMENT, "$ref"))
    for group in ("schemas", "parameters", "responses"):
        assert {f"#/components/{group}/{name}" for name in DOCUMENT["components"][group]} <= used


def test_it_has_every_route() -> None:
    said = {(path, verb.upper()) for path, verb, _ in operations()}
    assert said >= {(path, verb) for path, verbs in ROUTES.items() for verb in verbs}


def test_ids_of_operations_are_distinct() -> None:
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch("[a-z0-9_]+", identifier) for identifier in ids)


def test_who_must_say_who_they_are() -> None:
    for path, _, operation in operations():
        assert ("401" not in operation["responses"]) == (plain_path(path) in OPEN_PATHS), path


@pytest.mark.parametrize("noun", NOUNS)
def test_answers_have_exactly_the_keys_that_are_shown(noun: Any) -> None:
    schema = DOCUMENT["components"]["schemas"][noun.singular]
    assert set(schema["properties"]) == set(shape(noun))
    assert set(schema["required"]) == {key for key, of in shape(noun).items() if not isinstance(of, OneBelow)}
    assert schema["additionalProperties"] is False


def test_a_new_object_leads_to_what_can_be_done_with_it() -> None:
    created = DOCUMENT["paths"]["/v2/pools"]["post"]["responses"]["201"]["links"]
    assert created["show_pool"]["parameters"] == {"id": "$response.body#/pool/id"}
    assert created["create_member"]["parameters"] == {"pool_id": "$response.body#/pool/id"}
    member = DOCUMENT["paths"]["/v2/pools/{pool_id}/members"]["post"]["responses"]["201"]["links"]
    assert member["delete_member"]["parameters"] == {
        "pool_id": "$request.path.pool_id",
        "id": "$response.body#/member/id",
    }


@pytest.mark.parametrize("root", ["", "/v2", "/v2.0", "/v2/lbaas", "/v2.0/lbaas"])
@pytest.mark.parametrize("mount", ["", "/load-balancer"])
def test_it_is_at_every_address(api: Api, root: str, mount: str) -> None:
    found = api.get(f"{mount}{root}/openapi.json")
    assert found.pop("servers") == [{"url": f"http://falconframework.org{mount}"}]
    paths = found.pop("paths")
    assert DOCUMENT["paths"].items() <= paths.items()
    assert found["components"] == DOCUMENT["components"]
