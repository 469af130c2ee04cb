"""Who asks. Authentication puts a Caller beside each request; everything behind it goes by that alone."""

from collections.abc import Callable

import falcon
from msgspec import Struct

from octavia.domain.declare import shortened
from octavia.domain.refusal import Invalid
from octavia.store.query import Who

OPEN_PATHS = frozenset({"/", "/healthcheck"})
"""What everybody may ask without saying who they are."""
LONGEST_PROJECT = 36


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks, and for which project."""

    project_id: str | None
    user_id: str | None
    is_admin: bool
    request_id: str

    @property
    def who(self) -> Who:
        return Who(request_id=self.request_id, user_id=self.user_id, project_id=self.project_id)


Authenticate = Callable[[falcon.Request, str], Caller]


def noauth(default_project_id: str) -> Authenticate:
    """Everybody is admin, of the project that the X-Project-Id header names; tokens are not looked at."""

    def authenticate(request: falcon.Request, request_id: str) -> Caller:
        project_id = request.get_header("X-Project-Id") or default_project_id
        return Caller(project_id=checked(project_id), user_id=None, is_admin=True, request_id=request_id)

    return authenticate


def checked(project_id: str) -> str:
    if len(project_id) > LONGEST_PROJECT or not project_id.isprintable():
        raise Invalid(f"The X-Project-Id header '{shortened(project_id)}' is no project id.")
    return project_id


class Identify:
    """The middleware that knows each caller before anything is done for them."""

    def __init__(self, authenticate: Authenticate) -> None:
        self._authenticate = authenticate

    def process_request(self, request: falcon.Request, response: falcon.Response) -> None:
        if request.path not in OPEN_PATHS:
            request.context.caller = self._authenticate(request, request.context.request_id)
