"""Who asks. Authentication puts a Caller beside each request; everything behind it goes by that alone."""

from collections.abc import Callable
from typing import Any

import falcon
from msgspec import Struct

from octavia.domain.declare import shortened
from octavia.domain.refusal import Invalid
from octavia.store.query import Who

OPEN_PATHS = frozenset({"/", "/healthcheck", "/openapi", "/v2/openapi"})
"""What everybody may ask without saying who they are."""
LONGEST_PROJECT = 36
NO_ROLES: frozenset[str] = frozenset()


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks, and for which project."""

    project_id: str | None
    user_id: str | None
    is_admin: bool
    """Administrator by the way of authentication, whatever their roles are."""
    request_id: str
    roles: frozenset[str] = NO_ROLES
    service_roles: frozenset[str] = NO_ROLES
    """The roles of the service that passes on a user's request, where one does."""
    domain_id: str | None = None
    """The domain that the token is for, if it is for one."""
    system_scope: str | None = None
    """`all` where the token is for the whole cloud."""

    @property
    def who(self) -> Who:
        return Who(request_id=self.request_id, user_id=self.user_id, project_id=self.project_id)

    @property
    def credentials(self) -> tuple[Any, ...]:
        """Everything that a permission may depend on."""
        scope = (self.project_id, self.domain_id, self.system_scope)
        return (self.user_id, *scope, self.is_admin, self.roles, self.service_roles)


Authenticate = Callable[[falcon.Request, str], Caller]
"""Knows the caller of a request with this id, or raises Unauthorized or IdentityUnreachable."""


class Unauthorized(Exception):
    """The caller has not said who they are, or could not prove it."""

    def __init__(self, challenge: str, sentence: str = "The request you have made requires authentication.") -> None:
        super().__init__(sentence)
        self.challenge = challenge
        """Where or how to authenticate: the WWW-Authenticate header."""


class IdentityUnreachable(Exception):
    """Nobody can say at the moment who the caller is."""


def noauth(default_project_id: str) -> Authenticate:
    """Everybody is admin, of the project that the X-Project-Id header names; tokens are not looked at."""

    def authenticate(request: falcon.Request, request_id: str) -> Caller:
        project_id = project_of(request, default_project_id)
        return Caller(project_id=project_id, user_id=None, is_admin=True, request_id=request_id)

    return authenticate


def project_of(request: falcon.Request, default_project_id: str) -> str:
    """The project that the request names. Raises Invalid."""
    return checked(request.get_header("X-Project-Id") or default_project_id)


def checked(project_id: str) -> str:
    if len(project_id) > LONGEST_PROJECT or not project_id.isprintable():
        raise Invalid(f"The X-Project-Id header '{shortened(project_id)}' is no project id.")
    return project_id


class Identify:
    """The middleware that knows each caller before anything is done for them."""

    def __init__(self, authenticate: Authenticate) -> None:
        self._authenticate = authenticate

    def process_request(self, request: falcon.Request, response: falcon.Response) -> None:
        # A browser asks by OPTIONS what it may send, before it sends a token.
        if request.path not in OPEN_PATHS and request.method != "OPTIONS":
            request.context.caller = self._authenticate(request, request.context.request_id)
