"""The small document server: HTTPS with a client certificate, JSON in and out, one thread for each connection.

It understands the HTTP/1.1 that documents need and no more. The standard library's server would do, but it takes 2 MB
of memory in each amphora, most of it for e-mail.
"""

import logging
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any, BinaryIO, Final

import msgspec
from msgspec import Struct

LOG = logging.getLogger(__name__)
LARGEST_BODY: Final = 16 << 20
LONGEST_LINE: Final = 8192
MOST_HEADERS: Final = 64
HANDSHAKE: Final = 5.0
"""Seconds for the whole handshake."""
PATIENCE: Final = 30.0
"""Seconds that a silent peer holds a thread; kept connections are closed by then too."""
MOST_CONNECTIONS: Final = 64
"""Who comes when so many are there already is sent away: threads are not for strangers to use up."""
REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    413: "Content Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class Request(Struct, frozen=True):
    verb: str
    path: str
    query: dict[str, str]
    body: bytes


class Answer(Struct, frozen=True):
    status: int
    body: Any = None


class Refused(Exception):
    """The request ends with this status and this sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Head(Struct, frozen=True):
    """What stands before the body."""

    verb: str
    target: str
    length: int
    last: bool
    """Whether the peer sends no further request on this connection."""


Handler = Callable[[Request], Answer]


class DocumentServer:
    """Listens at once; `serve_forever` answers. `context` may be replaced: new connections go by the new one."""

    def __init__(
        self,
        address: tuple[str, int],
        context: ssl.SSLContext,
        trusted: Callable[[ssl.SSLSocket], bool],
        handler: Handler,
    ) -> None:
        self.context = context
        self._trusted = trusted
        self._handler = handler
        self._room = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._closing = threading.Event()
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._listener = socket.create_server(address, family=family, backlog=MOST_CONNECTIONS)
        self.server_address: tuple[str, int] = self._listener.getsockname()[:2]

    def serve_forever(self) -> None:
        """Accepts until `shutdown`."""
        while not self._closing.is_set():
            try:
                peer, _ = self._listener.accept()
            except OSError as error:
                if not self._closing.wait(0.1):
                    LOG.warning("a connection could not be accepted: %s", error)
                continue
            self._take(peer)

    def shutdown(self) -> None:
        """Nobody is accepted any more; what is being answered goes on."""
        self._closing.set()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def server_close(self) -> None:
        self._listener.close()

    def _take(self, peer: socket.socket) -> None:
        """The connection is served in a thread of its own, its handshake included: nobody can hold up the others."""
        if not self._room.acquire(blocking=False):
            peer.close()
            return
        try:
            threading.Thread(target=self._serve, args=(peer,), name="connection", daemon=True).start()
        except RuntimeError as error:
            LOG.warning("no thread for a connection: %s", error)
            self._room.release()
            peer.close()

    def _serve(self, peer: socket.socket) -> None:
        try:
            peer.settimeout(HANDSHAKE)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.context.wrap_socket(peer, server_side=True) as secured:
                secured.settimeout(PATIENCE)
                self._converse(secured)
        except OSError as error:
            LOG.debug("a connection ended early: %s", error)
        finally:
            peer.close()
            self._room.release()

    def _converse(self, peer: ssl.SSLSocket) -> None:
        """One request after the other. Raises OSError when the peer goes away or is silent for too long."""
        # Who is no controller is sent away before a byte of what it says is read.
        if not self._trusted(peer):
            peer.sendall(encoded(Answer(403, {"fault": "Only a controller may speak to an agent."}), last=True))
            return
        with peer.makefile("rb") as incoming:
            last = False
            while not last and not self._closing.is_set():
                try:
                    head = read_head(incoming)
                    if head is None:
                        return
                    answer, last = self._answer(read_request(head, incoming)), head.last
                except Refused as refusal:
                    answer, last = refused(refusal), True
                peer.sendall(encoded(answer, last=last))

    def _answer(self, request: Request) -> Answer:
        """The handler's answer, whatever happens to it."""
        try:
            return self._handler(request)
        except Refused as refusal:
            return refused(refusal)
        except Exception as error:
            LOG.exception("%s %s failed in a way that nobody foresaw", request.verb, request.path)
            return Answer(500, {"fault": f"An error that nobody foresaw: {error}"})


def refused(refusal: Refused) -> Answer:
    return Answer(refusal.status, {"fault": str(refusal)})


def read_head(incoming: BinaryIO) -> Head | None:
    """The next head; None when the peer has said all. Raises Refused for what is none, OSError for half of one."""
    line = read_line(incoming)
    if not line:
        return None
    words = line.decode("latin-1").split()
    if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise Refused(400, "This is no request of HTTP/1.1.")
    headers = read_headers(incoming)
    last = words[2] == "HTTP/1.0" or headers.get("connection", "").lower() == "close"
    return Head(words[0], words[1], body_length(headers), last)


def read_headers(incoming: BinaryIO) -> dict[str, str]:
    found: dict[str, str] = {}
    for _ in range(MOST_HEADERS):
        line = read_line(incoming)
        if line in (b"\r\n", b"\n"):
            return found
        name, colon, value = line.decode("latin-1").partition(":")
        name = name.lower()
        if not colon or not name or name.split() != [name] or name in found:
            raise Refused(400, "This is no request of HTTP/1.1: a header cannot be read, or is there twice.")
        found[name] = value.strip()
    raise Refused(400, f"There are more than {MOST_HEADERS} headers.")


def read_line(incoming: BinaryIO) -> bytes:
    """A whole line, or nothing where the peer has said all."""
    line = incoming.readline(LONGEST_LINE)
    if line and not line.endswith(b"\n"):
        raise Refused(400, f"A line is longer than {LONGEST_LINE} bytes, or was cut short.")
    return line


def body_length(headers: dict[str, str]) -> int:
    """Raises Refused for a body whose length cannot be known, or is too much."""
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not (length.isascii() and length.isdecimal()) or len(length) > 15:
        raise Refused(400, "A body must come with its Content-Length.")
    if int(length) > LARGEST_BODY:
        raise Refused(413, f"A body of more than {LARGEST_BODY} bytes is not taken.")
    return int(length)


def read_request(head: Head, incoming: BinaryIO) -> Request:
    """The request, whole. Raises OSError."""
    body = incoming.read(head.length)
    if len(body) < head.length:
        raise ConnectionError("the peer went away within its request")
    path, _, query = head.target.partition("?")
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return Request(head.verb, path, {name: value for name, _, value in pairs}, body)


def encoded(answer: Answer, *, last: bool) -> bytes:
    body = msgspec.json.encode(answer.body)
    head = [
        f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, '')}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(["Connection: close"] if last else []),
    ]
    return "\r\n".join([*head, "", ""]).encode() + body
