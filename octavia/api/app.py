"""The API as one WSGI application."""

from typing import Any

import falcon

from octavia.api import errors, openapi
from octavia.api.call import add_route
from octavia.api.caller import Authenticate, Identify, noauth
from octavia.api.door import Door
from octavia.api.healthcheck import Healthcheck
from octavia.api.ports import Services
from octavia.api.routes import ROUTES, WITHOUT_AUTHENTICATION

App = falcon.App[Any, Any]


def build(services: Services, authenticate: Authenticate | None = None) -> App:
    """The application over these services; without `authenticate` everybody is admin."""
    identify = Identify(authenticate or noauth(services.default_project_id))
    app: App = falcon.App(middleware=[Door(services.new_id, services.max_request_body_size), identify])
    errors.install(app)
    table = ROUTES if authenticate else ROUTES | WITHOUT_AUTHENTICATION
    for path, verbs in (table | openapi.routes(table)).items():
        add_route(app, services, path, verbs)
    if services.healthcheck_enabled:
        app.add_route("/healthcheck", Healthcheck(services))
    return app
