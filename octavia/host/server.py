"""The small document server: HTTPS with a client certificate, JSON in and out, one thread for each connection."""

import logging
import socket
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Struct

LOG = logging.getLogger(__name__)
LARGEST_BODY: Final = 16 << 20
HANDSHAKE: Final = 5.0
"""Seconds for the whole handshake."""
PATIENCE: Final = 30.0
"""Seconds that a silent peer holds a thread; kept connections are closed by then too."""
MOST_CONNECTIONS: Final = 64
"""Who comes when so many are there already is sent away: threads are not for strangers to use up."""


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
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._room = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._closing = threading.Event()
        super().__init__(address, Connection)

    def server_bind(self) -> None:
        """Without the name look-up of the standard library's, which asks a resolver."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def serve_forever(self, poll_interval: float = 0.0) -> None:
        """Accepts until `shutdown`, without waking up in between."""
        while not self._closing.is_set():
            try:
                request, address = self.socket.accept()
            except OSError as error:
                if not self._closing.wait(0.1):
                    LOG.warning("a connection could not be accepted: %s", error)
                continue
            self.process_request(request, address)

    def shutdown(self) -> None:
        """Nobody is accepted any more; what is being answered goes on."""
        self._closing.set()
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._room.acquire(blocking=False):
            request.close()
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError as error:
            LOG.warning("no thread for a connection: %s", error)
            self._room.release()
            request.close()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

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
    rbufsize = 1 << 16
    wbufsize = 1 << 16

    def setup(self) -> None:
        self.request.settimeout(HANDSHAKE)
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.request.close()

    def handle(self) -> None:
        """Who is no controller is sent away before a byte of what it says is read."""
        if self.server.trusted(self.request):
            super().handle()
            return
        self.request_version, self.close_connection = self.protocol_version, True
        self.requestline = self.command = self.path = ""
        self.send(Answer(403, {"fault": "Only a controller may speak to an agent."}))

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def answer(self) -> None:
        try:
            done = self.handled(self.read())
        except Refused as refusal:
            done = Answer(refusal.status, {"fault": str(refusal)})
        self.send(done)

    def handled(self, request: Request) -> Answer:
        """The handler's answer, whatever happens to it. Raises Refused."""
        try:
            return self.server.handler(request)
        except Refused:
            raise
        except Exception as error:
            LOG.exception("%s %s failed in a way that nobody foresaw", request.verb, request.path)
            return Answer(500, {"fault": f"An error that nobody foresaw: {error}"})

    do_GET = do_PUT = do_DELETE = answer

    def read(self) -> Request:
        """The request, whole. Raises Refused."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal() or int(length) > LARGEST_BODY:
            self.close_connection = True
            raise Refused(413, f"A body of at most {LARGEST_BODY} bytes, with its Content-Length.")
        target = urlsplit(self.path)
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionError("the peer went away within its request")
        return Request(self.command, target.path, dict(parse_qsl(target.query)), body)

    def send(self, done: Answer) -> None:
        body = msgspec.json.encode(done.body)
        self.send_response(done.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the standard library itself refuses: a verb that we do not know, a head that cannot be read."""
        self.close_connection = True
        self.send(Answer(code, {"fault": f"{message or 'This request cannot be read'}."}))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        LOG.debug(format, *args)
