"""Schemathesis, over the whole document: nothing is answered that the document does not say, and nothing breaks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from octavia.api import openapi
from octavia.api.routes import ROUTES, WITHOUT_AUTHENTICATION, Table
from tests.openapi.overlay import overlaid
from tests.openapi.runs import Outcome, run
from tests.openapi.scene import Scene, scene

TABLE: Table = ROUTES | WITHOUT_AUTHENTICATION
DOCUMENT = openapi.document(TABLE | openapi.routes(TABLE))
ALL = {f"{verb.upper()} {path}" for path, item in DOCUMENT["paths"].items() for verb in item if verb != "parameters"}
NEVER = {
    "DELETE /v2/octavia/amphorae/{id}",
    "GET /v2/octavia/amphorae/{id}/stats",
    "GET /v2/floatingips/{id}",
    "GET /v2/qos/policies/{id}",
    "GET /v2/security-groups/{id}",
}
"""What has no success here: there is no such object with no-op adapters."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Scene]:
    yield from scene(tmp_path)


def no_faults(outcome: Outcome) -> None:
    assert not outcome.faults, "\n\n".join(outcome.faults[:10])


def test_every_operation_is_granted_its_example(world: Scene) -> None:
    outcome = run(overlaid(DOCUMENT, world), world, "examples")
    no_faults(outcome)
    assert sorted(ALL - outcome.granted()) == sorted(NEVER)


def test_every_bound_of_every_value(world: Scene) -> None:
    outcome = run(overlaid(DOCUMENT, world), world, "coverage")
    no_faults(outcome)
    assert sorted(ALL - outcome.granted()) == sorted(NEVER)
    assert outcome.answers.total() > 5000


def test_whatever_fits_the_schemas(world: Scene) -> None:
    outcome = run(overlaid(DOCUMENT, world), world, "fuzzing", mode="positive", examples=15, aimed=True)
    no_faults(outcome)
    assert sorted(ALL - NEVER - outcome.granted()) == []


def test_whatever_does_not_fit_them(world: Scene) -> None:
    outcome = run(overlaid(DOCUMENT, world), world, "fuzzing", mode="negative", examples=6)
    no_faults(outcome)


GROUPS = [
    ("loadbalancers",),
    ("listeners",),
    ("pools",),
    ("members",),
    ("healthmonitors",),
    ("l7policies",),
    ("rules",),
    ("flavorprofiles", "flavors"),
    ("availabilityzoneprofiles", "availabilityzones"),
]


@pytest.mark.parametrize("tags", GROUPS, ids="-".join)
def test_one_request_after_the_other(world: Scene, tags: tuple[str, ...]) -> None:
    """What was made is shown, changed and deleted, and asked for when it is gone."""
    outcome = run(overlaid(DOCUMENT, world), world, "stateful", mode="positive", examples=30, aimed=True, tags=tags)
    no_faults(outcome)
    assert {label.split()[0] for label in outcome.granted()} == {"POST", "GET", "PUT", "DELETE"}
