"""What is done for every request before its resource: an id, its path in one form, what it may send and take."""

import logging
import re
import time
from collections.abc import Callable

import falcon

log = logging.getLogger(__name__)
LARGEST_BODY = 114688
MOUNT = "/load-balancer"
METHODS = ("GET", "POST", "PUT", "DELETE")
TAKEN = frozenset({None, "", "*/*", falcon.MEDIA_JSON})
GLOBAL_ID = re.compile(r"req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Door:
    """The outermost middleware."""

    def __init__(self, new_id: Callable[[], str], largest_body: int = LARGEST_BODY) -> None:
        self._new_id = new_id
        self._largest_body = largest_body

    def process_request(self, request: falcon.Request, response: falcon.Response) -> None:
        request.context.began = time.perf_counter()
        name_it(request, response, f"req-{self._new_id()}")
        request.context.global_id = global_id_of(request)
        request.context.largest_body = self._largest_body
        request.context.asked_path = request.path
        request.path = plain_path(request.path)
        if CONTROL.search(request.path):
            raise falcon.HTTPNotFound
        check_method(request)
        if request.path != "/healthcheck":
            check_accept(request)
        check_body(request, self._largest_body)

    def process_response(
        self, request: falcon.Request, response: falcon.Response, resource: object, succeeded: bool
    ) -> None:
        took = (time.perf_counter() - request.context.began) * 1000
        path = CONTROL.sub("?", request.path)
        ids = f"{request.context.request_id}{request.context.global_id}"
        log.info("%s %s: %s (%s, %.1f ms)", request.method, path, response.status, ids, took)


def name_it(request: falcon.Request, response: falcon.Response, request_id: str) -> None:
    request.context.request_id = request_id
    response.set_header("x-openstack-request-id", request_id)


def global_id_of(request: falcon.Request) -> str:
    """The id under which another service knows what it is doing, as the log says it behind ours, or nothing."""
    given = request.get_header("X-OpenStack-Request-ID") or ""
    return f", global {given}" if GLOBAL_ID.fullmatch(given) else ""


def plain_path(path: str) -> str:
    """The path in the form of the route table: the many spellings of the API's root are one."""
    if path == MOUNT or path.startswith(MOUNT + "/"):
        path = path[len(MOUNT) :]
    path = path.rstrip("/").removesuffix(".json") or "/"
    if path == "/v2.0" or path.startswith("/v2.0/"):
        path = "/v2" + path[len("/v2.0") :]
    if path == "/v2/lbaas" or (path.startswith("/v2/lbaas/") and not path.startswith("/v2/lbaas/octavia/")):
        path = "/v2" + path[len("/v2/lbaas") :]
    return path


def base_of(request: falcon.Request, api_base_uri: str | None) -> str:
    """The address of the root of this API, as the caller reaches it."""
    if api_base_uri:
        return api_base_uri.rstrip("/")
    mounted = request.context.asked_path.startswith(MOUNT)
    return request.prefix.rstrip("/") + (MOUNT if mounted else "")


def check_method(request: falcon.Request) -> None:
    if request.method not in falcon.HTTP_METHODS:
        raise falcon.HTTPMethodNotAllowed(METHODS)


def check_accept(request: falcon.Request) -> None:
    accepted = request.get_header("Accept")
    if accepted not in TAKEN and not request.client_accepts(falcon.MEDIA_JSON):
        raise falcon.HTTPNotAcceptable


def check_body(request: falcon.Request, largest: int) -> None:
    length = request.content_length or 0
    if length > largest:
        raise falcon.HTTPContentTooLarge(description=f"A request body may have up to {largest} bytes.")
    if length and (request.content_type or "").partition(";")[0].strip().lower() != falcon.MEDIA_JSON:
        raise falcon.HTTPUnsupportedMediaType(
            description="Request bodies are JSON: send Content-Type: application/json."
        )
