"""One request as its handler sees it, and how a handler becomes a Falcon responder."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any, NoReturn

import falcon
import msgspec

from octavia.api import arguments, door
from octavia.api.arguments import Arguments
from octavia.api.caller import Caller
from octavia.api.operation import Operation
from octavia.api.ports import Services
from octavia.domain.refusal import Forbidden

encode = msgspec.json.Encoder().encode
FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Call:
    """A request, who makes it, what it can reach, and the ids in its path."""

    services: Services
    request: falcon.Request
    ids: dict[str, str]

    @property
    def caller(self) -> Caller:
        found: Caller = self.request.context.caller
        return found

    def may(self, rule: str, project_id: str | None) -> bool:
        return self.services.permissions.allows(self.caller, rule, project_id)

    def permit(self, rule: str, project_id: str | None) -> None:
        """Raises Forbidden where the caller may not do this (`loadbalancer:get_one`) to objects of this project."""
        if not self.may(rule, project_id):
            self.refuse()

    def refuse(self) -> NoReturn:
        raise Forbidden("Policy does not allow this request to be performed.")

    def counted(self, project_id: str | None) -> str | None:
        """The project whose quota goes for what is asked."""
        return project_id if self.services.counting else None

    @cached_property
    def arguments(self) -> Arguments:
        return arguments.of(self.request)

    @property
    def base(self) -> str:
        return door.base_of(self.request, self.services.api_base_uri)

    @property
    def url(self) -> str:
        """The address that was asked for, without its arguments."""
        asked: str = self.request.context.asked_path
        if self.services.api_base_uri:
            return self.base + asked.removeprefix(door.MOUNT)
        return self.request.prefix + asked


Handler = Callable[[Call], Any]
"""Returns what is sent as JSON, or None for an empty answer."""


@dataclass(frozen=True)
class Verb:
    handler: Handler
    success: int
    operation: Operation


def add_route(app: "falcon.App[Any, Any]", services: Services, path: str, verbs: dict[str, Verb]) -> None:
    """Falcon wants one name for all fields at one place of a path, the table calls each what it is: so number them."""
    names = FIELD.findall(path)
    places = [f"p{at}" for at in range(len(names))]
    template = FIELD.sub("{}", door.plain_path(path)).format(*(f"{{{place}}}" for place in places))
    naming = dict(zip(places, names, strict=True))
    responders = {f"on_{name.lower()}": responder(services, verb, naming) for name, verb in verbs.items()}
    app.add_route(template, SimpleNamespace(**responders))


def responder(services: Services, verb: Verb, naming: dict[str, str]) -> Callable[..., None]:
    def respond(request: falcon.Request, response: falcon.Response, **places: str) -> None:
        body = verb.handler(Call(services, request, {naming[place]: value for place, value in places.items()}))
        response.status = verb.success
        if body is not None:
            response.data = encode(body)

    return respond
