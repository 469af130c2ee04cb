"""Whether this API can serve: asked by load balancers in front of it, so the answer is kept for some seconds."""

import logging
import threading
import time

import falcon

from octavia.api.errors import encode
from octavia.api.ports import Services

log = logging.getLogger(__name__)


class Healthcheck:
    """GET and HEAD of /healthcheck: 200 if the database answers, else 503."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._until = 0.0
        self._fault: str | None = None

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        fault = self._state()
        response.status = 503 if fault else 200
        compose(request, response, fault or "OK")

    on_head = on_get

    def _state(self) -> str | None:
        with self._lock:
            if time.monotonic() >= self._until:
                self._fault = self._ask()
                self._until = time.monotonic() + self._services.healthcheck_refresh_interval
            return self._fault

    def _ask(self) -> str | None:
        try:
            with self._services.store.read() as reader:
                reader.ping()
        except Exception:
            log.exception("The database does not answer the health check")
            return "The database does not answer."
        return None


def compose(request: falcon.Request, response: falcon.Response, sentence: str) -> None:
    kinds = (falcon.MEDIA_TEXT, falcon.MEDIA_HTML, falcon.MEDIA_JSON)
    wanted = request.client_prefers(kinds) if request.get_header("Accept") else None
    if wanted == falcon.MEDIA_JSON:
        response.content_type = falcon.MEDIA_JSON
        response.data = encode({"detailed": False, "reasons": [sentence]})
    elif wanted == falcon.MEDIA_HTML:
        response.content_type = falcon.MEDIA_HTML
        response.text = f"<!DOCTYPE html><title>{sentence}</title><p>{sentence}</p>"
    else:
        response.content_type = falcon.MEDIA_TEXT
        response.text = sentence
