"""The small document server: HTTPS with a client certificate, JSON in and out, one thread for each connection."""

import logging
import socket
import ssl
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Struct

LOG = logging.getLogger(__name__)
LARGEST_BODY = 16 << 20
PATIENCE = 30.0
"""Seconds that a silent peer holds a thread; kept connections are closed by then too."""


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


Handler = Callable[[Request], Answer]


class DocumentServer(ThreadingHTTPServer):
    """Listens at once; `serve_forever` answers. `context` may be replaced: new connections go by the new one."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(
        self,
        address: tuple[str, int],
        context: ssl.SSLContext,
        trusted: Callable[[ssl.SSLSocket], bool],
        handler: Handler,
    ) -> None:
        self.context = context
        self.trusted = trusted
        self.handler = handler
        super().__init__(address, Connection)

    def server_bind(self) -> None:
        """Without the name look-up of the standard library's, which asks a resolver."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def handle_error(self, request: Any, client_address: Any) -> None:
        LOG.debug("a connection from %s ended early", client_address, exc_info=True)


class Connection(BaseHTTPRequestHandler):
    """One connection, its handshake included, so that nobody can hold up the others."""

    server: DocumentServer
    protocol_version = "HTTP/1.1"
    server_version = "octavia"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = PATIENCE

    def setup(self) -> None:
        self.request.settimeout(PATIENCE)
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (OSError, ssl.SSLError):
            self.close_connection = True

    def answer(self) -> None:
        try:
            done = self.server.handler(self.read())
        except Refused as refusal:
            done = Answer(refusal.status, {"fault": str(refusal)})
        except Exception:
            LOG.exception("%s %s failed in a way that nobody foresaw", self.command, self.path)
            done = Answer(500, {"fault": "An error that nobody foresaw; the agent's log tells more."})
        self.send(done)

    do_GET = do_PUT = do_DELETE = answer

    def read(self) -> Request:
        """The request, whole. Raises Refused."""
        if not self.server.trusted(self.request):
            self.close_connection = True
            raise Refused(403, "Only a controller may speak to an agent.")
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            self.close_connection = True
            raise Refused(413, f"A body of at most {LARGEST_BODY} bytes, with its Content-Length.")
        target = urlsplit(self.path)
        return Request(self.command, target.path, dict(parse_qsl(target.query)), self.rfile.read(int(length)))

    def send(self, done: Answer) -> None:
        body = msgspec.json.encode(done.body)
        self.send_response(done.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        LOG.debug(format, *args)
