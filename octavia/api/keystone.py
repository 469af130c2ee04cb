"""Callers are known by their token, which Keystone's own middleware asks Keystone about."""

import importlib.util
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

import falcon
from keystoneauth1.exceptions import ClientException
from keystonemiddleware.auth_token import AuthProtocol, ConfigurationError, list_opts

from octavia.api.caller import Authenticate, Caller, IdentityUnreachable, Unauthorized
from octavia.settings import SettingsError

log = logging.getLogger(__name__)
CACHE = "octavia.tokens"
PATIENCE = 10
MOST_KEPT = 10_000
GROUP = "keystone_authtoken"
STUMBLES = (ClientException, LookupError, TypeError, ValueError, AttributeError)
"""What the middleware raises when Keystone is not there, or when what answers in its place is no Keystone."""
KNOWN = "204 No Content"
StartResponse = Callable[..., Any]


class Verdict:
    """What the middleware answers in the place of the API: KNOWN where it would have asked the API."""

    status = ""
    challenge = "Keystone"

    def start_response(self, status: str, headers: Iterable[tuple[str, str]], error: object = None) -> None:
        self.status = status
        self.challenge = next((value for name, value in headers if name == "WWW-Authenticate"), self.challenge)


def known(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    start_response(KNOWN, [])
    return ()


def keystone(conf: Any) -> Authenticate:
    """The strategy `keystone`, by the options of [keystone_authtoken]."""
    middleware = prepared(conf)
    tokens = Tokens()

    def authenticate(request: falcon.Request, request_id: str) -> Caller:
        request.env[CACHE] = tokens
        verdict = ask(middleware, request.env)
        if verdict.status.startswith("401"):
            raise Unauthorized(verdict.challenge)
        if verdict.status != KNOWN:
            raise IdentityUnreachable(f"Keystone could not be asked who you are ({verdict.status}).")
        return caller(request.env, request_id)

    return authenticate


def prepared(conf: Any) -> Any:
    # It decides: a request that it lets through undecided would have to be judged once more here.
    fixed: dict[str, Any] = {"oslo_config_config": conf, "delay_auth_decision": False}
    conf.register_opts(own_options(), group=GROUP)
    # Without one, a Keystone that accepts connections and is silent would take all threads with it.
    conf.set_default("http_connect_timeout", PATIENCE, group=GROUP)
    # Rules of application credentials name the service that they are for.
    conf.set_default("service_type", "load-balancer", group=GROUP)
    said = conf[GROUP]
    if not said.auth_type and not said.auth_section:
        raise SettingsError(f"[{GROUP}] auth_type is not set: `password`, with the credentials of a service user.")
    if not said.memcached_servers:
        # Its own cache in the process is deprecated: it grows without bounds, once for each thread.
        fixed["cache"] = CACHE
    elif importlib.util.find_spec("memcache") is None:
        raise SettingsError(f"[{GROUP}] memcached_servers: install python-memcached, or leave it out.")
    try:
        return AuthProtocol(known, fixed)
    except (ClientException, ConfigurationError) as error:
        raise SettingsError(f"[{GROUP}] cannot be used: {error}") from None


def own_options() -> list[Any]:
    return next(options for group, options in list_opts() if group == GROUP)


class Tokens:
    """What Keystone has said of tokens, by the middleware's keys, for as long as it says."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[bytes, float]] = {}

    def get(self, key: str) -> bytes | None:
        data, until = self._kept.get(key, (None, 0.0))
        return data if self._clock() < until else None

    def set(self, key: str, data: bytes, time: float = 0) -> None:
        if len(self._kept) >= MOST_KEPT:
            self._kept = {}
        self._kept[key] = data, self._clock() + time


def ask(middleware: Any, environ: dict[str, Any]) -> Verdict:
    verdict = Verdict()
    try:
        middleware(environ, verdict.start_response)
    except STUMBLES as error:
        # Its text may name addresses that are no business of the caller's.
        log.error("Keystone could not be asked about a token: %s: %s", type(error).__name__, error)
        raise IdentityUnreachable("Keystone could not be asked who you are.") from None
    return verdict


def caller(environ: dict[str, Any], request_id: str) -> Caller:
    """From the token itself and not from the headers that are made of it: roles are joined by commas there, and the
    scope of a service's token takes the place of the user's.
    """
    token = environ["keystone.token_auth"]
    service = token.service if environ.get("HTTP_X_SERVICE_IDENTITY_STATUS") == "Confirmed" else None
    user = token.user
    return Caller(
        project_id=user.project_id,
        user_id=user.user_id,
        is_admin=False,
        request_id=request_id,
        roles=frozenset(user.role_names),
        service_roles=frozenset(service.role_names) if service else frozenset(),
        domain_id=user.domain_id,
        system_scope="all" if user.system_scoped and user.system.get("all") else None,
    )
