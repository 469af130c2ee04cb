"""One run of schemathesis over an API in this process, and what came of it."""

import itertools
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.generation.case import Case
from schemathesis.hooks import HookContext
from schemathesis.openapi.checks import EnsureResourceAvailability
from schemathesis.schemas import BaseSchema

from octavia.api.operation import Schema
from tests.openapi.overlay import example_of, identifier
from tests.openapi.scene import Scene

SEED = 20140614


@dataclass
class Outcome:
    """How often each operation was answered with what, and everything that was wrong."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def granted(self) -> set[str]:
        """The operations that were answered with success."""
        return {label for label, status in self.answers if 200 <= status < 300}

    def take(self, event: Any) -> None:
        if isinstance(event, events.ScenarioFinished):
            self.scenario(event.recorder)
        if isinstance(event, events.NonFatalError):
            self.faults.append(f"{event.label}: {event.value}")
        if isinstance(event, events.FatalError):
            raise event.exception

    def scenario(self, recorder: ScenarioRecorder) -> None:
        for identifier_, interaction in recorder.interactions.items():
            operation = recorder.cases[identifier_].value.operation
            if interaction.response is not None and interaction.request.method == operation.method.upper():
                self.answers[operation.label, interaction.response.status_code] += 1
        for checks in recorder.checks.values():
            for check in checks:
                if found := check.failure_info:
                    self.faults.append(f"{found.failure.operation}: {found.failure.message}\n{found.code_sample}")


def configured(phase: str, mode: str, examples: int) -> SchemathesisConfig:
    """Only this phase. It is not checked that whatever fits the schemas is granted: laws span fields and objects."""
    by_itself = {"extra-data-sources": {"responses": False}} if phase != "stateful" else {}
    phases: dict[str, Any] = {name: {"enabled": False} for name in ("examples", "coverage", "fuzzing", "stateful")}
    phases[phase] = {"enabled": True} | by_itself | ({"fill-missing": True} if phase == "examples" else {})
    return SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "continue-on-failure": True,
            "phases": phases,
            "generation": {
                "mode": mode,
                "max-examples": examples,
                "no-shrink": True,
                "deterministic": True,
                "database": "none",
            },
            "checks": {"positive_data_acceptance": {"enabled": False}},
        }
    )


def run(
    document: Schema,
    scene: Scene,
    phase: str,
    *,
    mode: str = "all",
    examples: int = 1,
    aimed: bool = False,
    tags: Sequence[str] = (),
) -> Outcome:
    """What schemathesis finds, of everything or of these groups.

    `aimed`: what it makes up is mixed with what the scene knows.
    """
    schema = schemathesis.openapi.from_dict(document, config=configured(phase, mode, examples))
    schema.app = scene if phase == "stateful" else scene.app
    hook_failures(schema)
    if phase in ("fuzzing", "stateful"):
        aim_paths(schema, scene)
    if aimed:
        aim_bodies(schema, scene)
    outcome = Outcome()
    for event in from_schema(schema.include(tag=list(tags)) if tags else schema).execute():
        outcome.take(event)
    return outcome


def hook_failures(schema: BaseSchema) -> None:
    """A 404 may be about something else than the address: an object that the body refers to."""

    @schema.hook
    def filter_failure(context: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
        if not isinstance(failure, EnsureResourceAvailability):
            return True
        return str((case.path_parameters or {}).get("id")) in response.text


def aim_paths(schema: BaseSchema, scene: Scene) -> None:
    """Most ids in paths are there."""

    @schema.hook
    def flatmap_path_parameters(context: HookContext, path_parameters: dict[str, Any]) -> st.SearchStrategy[Any]:
        operation = context.operation
        assert operation is not None
        verb = operation.method.lower()
        known = {name: identifier(scene, operation.path, verb, name) for name in path_parameters or {}}
        return st.sampled_from([known, known, known, path_parameters])


def aim_bodies(schema: BaseSchema, scene: Scene) -> None:
    """Most bodies are those of the scene with one attribute made up: laws seldom let several of them pass."""

    numbers = itertools.count(1000)

    @schema.hook
    def map_body(context: HookContext, body: Any) -> Any:
        operation = context.operation
        assert operation is not None
        number = zlib.crc32(repr(body).encode())
        known = example_of(scene, operation.path, operation.method.lower(), operation.definition.raw, next(numbers))
        ((root, wish),) = known.items()
        if not isinstance(wish, dict) or not body.get(root) or not number % 4:
            return body
        name = sorted(body[root])[number % len(body[root])]
        return {root: {name: body[root][name]} | wish}
