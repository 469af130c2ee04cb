"""How an answer says no: the shapes of error bodies that the API's clients know."""

import logging
from http import HTTPStatus
from typing import Any

import falcon
import msgspec

from octavia.api.caller import IdentityUnreachable, Unauthorized
from octavia.domain.refusal import Refusal
from octavia.drivers.faults import PortFault

log = logging.getLogger(__name__)
encode = msgspec.json.encode

SENTENCES = {
    404: "There is nothing at this address. Check the URL.",
    405: "This address does not take this method; see the Allow header.",
    406: "Answers are application/json only. Ask for it in the Accept header, or leave the header out.",
}


def say(response: falcon.Response, status: int, sentence: str) -> None:
    """The shape of most errors."""
    code = "Client" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "Server"
    response.status = status
    response.content_type = falcon.MEDIA_JSON
    response.data = encode({"faultcode": code, "faultstring": sentence, "debuginfo": None})


def on_refusal(request: falcon.Request, response: falcon.Response, error: Refusal, _: dict[str, Any]) -> None:
    say(response, error.status, error.sentence)


def on_port_fault(request: falcon.Request, response: falcon.Response, error: PortFault, _: dict[str, Any]) -> None:
    log.warning("%s %s: %s", request.method, request.path, error)
    say(response, HTTPStatus.SERVICE_UNAVAILABLE, f"The network service could not do it: {error} Try again.")


def on_unauthorized(request: falcon.Request, response: falcon.Response, error: Unauthorized, _: dict[str, Any]) -> None:
    response.status = HTTPStatus.UNAUTHORIZED
    response.set_header("WWW-Authenticate", error.challenge)
    response.content_type = falcon.MEDIA_JSON
    response.data = encode({"error": {"code": 401, "title": "Unauthorized", "message": str(error)}})


def on_unreachable(
    request: falcon.Request, response: falcon.Response, error: IdentityUnreachable, _: dict[str, Any]
) -> None:
    say(response, HTTPStatus.SERVICE_UNAVAILABLE, f"{error} Try again.")


def on_surprise(request: falcon.Request, response: falcon.Response, error: Exception, _: dict[str, Any]) -> None:
    """Nothing of the error goes to the caller but the id under which it stands in the log."""
    request_id = getattr(request.context, "request_id", "-")
    log.error("%s %s failed (%s)", request.method, request.path, request_id, exc_info=error)
    say(
        response,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        f"The service met an error that it did not expect. Its operators find it in the log under {request_id}.",
    )


def serialize(request: falcon.Request, response: falcon.Response, error: falcon.HTTPError) -> None:
    """The shape of what is refused before a resource is reached."""
    title = error.title or HTTPStatus(error.status_code).phrase
    sentence = error.description or SENTENCES.get(error.status_code, title)
    response.content_type = falcon.MEDIA_JSON
    response.data = encode({"code": error.status_code, "title": title, "description": sentence})


def install(app: falcon.App[Any, Any]) -> None:
    """Every error leaves as JSON, and none with a trace."""
    app.set_error_serializer(serialize)
    app.add_error_handler(Exception, on_surprise)
    app.add_error_handler(Refusal, on_refusal)
    app.add_error_handler(PortFault, on_port_fault)
    app.add_error_handler(Unauthorized, on_unauthorized)
    app.add_error_handler(IdentityUnreachable, on_unreachable)
