"""What stands before the API as the settings ask for it: who callers are, what they may, and the layers of oslo."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from octavia.api.app import build
from octavia.api.caller import Authenticate
from octavia.api.ports import EVERYBODY, NOBODY, Permissions, Services
from octavia.settings import OptionError, Settings, SettingsError

Wsgi = Callable[..., Any]
Layer = Callable[[Wsgi], Wsgi]
HEADERS = ["X-Auth-Token", "X-OpenStack-Request-ID", "X-Project-Id"]
METHODS = ["GET", "PUT", "POST", "DELETE"]


@dataclass(frozen=True, kw_only=True)
class Front:
    """Made before anything is started, because that is when a configuration shall be found wrong."""

    authenticate: Authenticate | None
    """None: everybody is admin."""
    permissions: Permissions
    layers: tuple[Layer, ...]
    """The innermost first."""
    proxied: bool
    """Whether what the X-Forwarded headers say counts."""

    def over(self, services: Services) -> Wsgi:
        """The whole API as one WSGI application. Quotas go wherever callers are known."""
        known = replace(services, permissions=self.permissions, counting=self.authenticate is not None)
        app: Wsgi = build(known, self.authenticate)
        for layer in self.layers:
            app = layer(app)
        return app


def front(settings: Settings) -> Front:
    """Raises SettingsError."""
    try:
        return prepared(settings)
    except OptionError as error:
        raise SettingsError(f"The configuration cannot be used: {error}") from None


def prepared(settings: Settings) -> Front:
    strategy = settings.api_settings.auth_strategy
    proxied = "oslo_middleware" in settings.mentioned and behind_proxy(settings.oslo)
    authenticate, permissions = None, EVERYBODY
    # Each library is loaded by those who need it: together they take a quarter of a second.
    if strategy == "keystone":
        from octavia.api.keystone import keystone
        from octavia.api.policy import Policies

        authenticate, permissions = keystone(settings.oslo), Policies(settings.oslo)
    elif strategy == "http_basic":
        from octavia.api.basic import http_basic

        authenticate = http_basic(settings.oslo_middleware.http_basic_auth_user_file, NOBODY)
    layers: tuple[Layer, ...] = (proxy(settings.oslo),) if proxied else ()
    if "cors" in settings.mentioned:
        layers += cors(settings.oslo)
    return Front(authenticate=authenticate, permissions=permissions, layers=layers, proxied=proxied)


def behind_proxy(conf: Any) -> bool:
    from oslo_middleware.http_proxy_to_wsgi import OPTS

    conf.register_opts(OPTS, group="oslo_middleware")
    return bool(conf.oslo_middleware.enable_proxy_headers_parsing)


def proxy(conf: Any) -> Layer:
    from oslo_middleware.http_proxy_to_wsgi import HTTPProxyToWSGI

    return lambda app: HTTPProxyToWSGI(app, conf)


def cors(conf: Any) -> tuple[Layer, ...]:
    """A layer that answers browsers, where an origin is allowed."""
    from oslo_middleware.cors import CORS, OPTS, set_defaults

    set_defaults(allow_headers=HEADERS, expose_headers=HEADERS, allow_methods=METHODS)
    conf.register_opts(OPTS, "cors")
    if not dict(conf.cors)["allowed_origin"]:
        return ()
    return (lambda app: CORS(app, conf),)
