"""The small document server: what it understands, what it refuses, and whom it waits for."""

import http.client
import io
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octavia.host import server as serving
from octavia.host import tls
from octavia.host.pki import Authority
from octavia.host.server import Answer, DocumentServer, Refused, Request
from tests.builders import new_id
from tests.host.certificates import credentials
from tests.host.needs import until


class Handler:
    """Answers with what it was asked, and remembers it."""

    def __init__(self) -> None:
        self.heard: list[Request] = []
        self.release = threading.Event()

    def __call__(self, request: Request) -> Answer:
        self.heard.append(request)
        if request.path == "/wait":
            self.release.wait(10)
        if request.path == "/refuse":
            raise Refused(409, "No.")
        if request.path == "/fail":
            raise OSError("the disk is full")
        return Answer(200, {"verb": request.verb, "path": request.path, "query": request.query})


class Site:
    """A running server, and the contexts of those who speak to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority.ensure(folder / "pki")
        self.amphora = new_id()
        self.pem = self.authority.certificate_authority
        self.handler = Handler()
        agent = credentials(self.authority, self.amphora, folder / "agent", server=True)
        context = tls.server_context(*agent, self.pem)
        self.server = DocumentServer(("127.0.0.1", 0), context, tls.is_controller, self.handler)
        self.client = tls.client_context(*self.authority.controller_credentials(), self.pem)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.handler.release.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        until(lambda: not [each for each in threading.enumerate() if each.name == "connection"])

    @contextmanager
    def connected(self, context: ssl.SSLContext | None = None) -> Iterator[ssl.SSLSocket]:
        with (
            socket.create_connection(self.server.server_address, timeout=5) as plain,
            (context or self.client).wrap_socket(plain, server_hostname=self.amphora) as secured,
        ):
            yield secured

    def said(self, raw: bytes) -> tuple[int, Any, bool]:
        """Status and document of the answer to these bytes, and whether the server closes the connection then."""
        with self.connected() as channel:
            channel.sendall(raw)
            answer = http.client.HTTPResponse(channel)
            answer.begin()
            document = msgspec.json.decode(answer.read())
            closes = answer.getheader("Connection") == "close"
            assert not closes or channel.recv(1) == b""
            return answer.status, document, closes


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


def test_a_document_comes_and_one_goes(site: Site) -> None:
    raw = b"PUT /v1/x?epoch=1&token=22 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
    assert site.said(raw) == (200, {"verb": "PUT", "path": "/v1/x", "query": {"epoch": "1", "token": "22"}}, False)
    assert site.handler.heard[0].body == b"body"


def test_a_connection_is_kept(site: Site) -> None:
    with site.connected() as channel:
        for number in range(3):
            channel.sendall(f"GET /{number} HTTP/1.1\r\n\r\n".encode())
            assert f'"path":"/{number}"'.encode() in channel.recv(1000)


def test_requests_may_come_together(site: Site) -> None:
    with site.connected() as channel:
        channel.sendall(b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\nConnection: close\r\n\r\n")
        answers = b""
        while piece := channel.recv(1000):
            answers += piece
    assert answers.count(b"200 OK") == 2


def test_a_large_body(site: Site) -> None:
    body = os.urandom(5 << 20)
    site.said(b"PUT /x HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    assert site.handler.heard[0].body == body


def test_a_refusal_is_a_sentence_and_ends_nothing(site: Site) -> None:
    assert site.said(b"GET /refuse HTTP/1.1\r\n\r\n") == (409, {"fault": "No."}, False)


def test_a_failure_is_a_500_and_ends_nothing(site: Site) -> None:
    status, document, closes = site.said(b"GET /fail HTTP/1.1\r\n\r\n")
    assert (status, closes) == (500, False)
    assert "the disk is full" in document["fault"]


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /x\r\n\r\n", 400),
        (b"GET /x HTTP/2.0\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\n: no name\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\nName : x\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\nA: b\r\n folded: c\r\n\r\n", 400),
        (b"PUT /x HTTP/1.1\r\nContent-Length: 1\r\ncontent-length: 2\r\n\r\nab", 400),
        (b"PUT /x HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"PUT /x HTTP/1.1\r\nContent-Length: +1\r\n\r\na", 400),
        ("PUT /x HTTP/1.1\r\nContent-Length: ²\r\n\r\na".encode("latin-1"), 400),
        (b"PUT /x HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"PUT /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"PUT /x HTTP/1.1\r\nContent-Length: 16777217\r\n\r\n", 413),
        (b"GET /" + b"x" * 10000 + b" HTTP/1.1\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\n" + b"".join(b"A%d: b\r\n" % number for number in range(70)) + b"\r\n", 400),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_what_it_does_not_understand(site: Site, raw: bytes, status: int) -> None:
    found, document, closes = site.said(raw)
    assert (found, closes) == (status, True)
    assert document["fault"].endswith(".")
    assert site.handler.heard == []


def test_old_clients_are_answered_once(site: Site) -> None:
    assert site.said(b"GET /x HTTP/1.0\r\n\r\n")[2]
    assert site.said(b"GET /x HTTP/1.1\r\nConnection: Close\r\n\r\n")[2]


def test_half_a_request_is_none(site: Site) -> None:
    for raw in (b"GET /x HT", b"PUT /x HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf"):
        with site.connected() as channel:
            channel.sendall(raw)
    assert site.said(b"GET /y HTTP/1.1\r\n\r\n")[0] == 200
    assert [request.path for request in site.handler.heard] == ["/y"]


def test_an_amphora_is_sent_away_unheard(site: Site) -> None:
    stranger = credentials(site.authority, new_id(), site.folder / "stranger", server=False)
    with site.connected(tls.client_context(*stranger, site.pem)) as channel:
        answer = channel.recv(1000)
        assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
        assert b"Only a controller" in answer
        assert channel.recv(1) == b""
    assert site.handler.heard == []


def test_nobody_holds_up_the_others(site: Site) -> None:
    """One says nothing before its handshake, one after it, and one waits for its answer."""
    with socket.create_connection(site.server.server_address), site.connected(), site.connected() as slow:
        slow.sendall(b"GET /wait HTTP/1.1\r\n\r\n")
        until(lambda: site.handler.heard)
        assert site.said(b"GET /x HTTP/1.1\r\n\r\n")[0] == 200
        site.handler.release.set()
        assert slow.recv(1000).startswith(b"HTTP/1.1 200")


def test_the_silent_are_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "HANDSHAKE", 0.05)
    monkeypatch.setattr(serving, "PATIENCE", 0.05)
    with socket.create_connection(site.server.server_address, timeout=5) as silent:
        assert silent.recv(1) == b""
    with site.connected() as silent_too:
        assert silent_too.recv(1) == b""


def test_a_handshake_that_trickles_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "HANDSHAKE", 0.1)
    with socket.create_connection(site.server.server_address, timeout=5) as slow:
        slow.sendall(b"\x16\x03\x01\x02\x00")
        until(lambda: sent_away(slow))


def sent_away(slow: socket.socket) -> bool:
    """One byte more is sent, unless the other end has had enough."""
    try:
        slow.sendall(b"\0")
    except OSError:
        return True
    return False


def test_who_comes_when_all_threads_are_taken_is_sent_away(site: Site) -> None:
    taken = [socket.create_connection(site.server.server_address) for _ in range(serving.MOST_CONNECTIONS)]
    try:
        with socket.create_connection(site.server.server_address, timeout=5) as late:
            assert late.recv(1) == b""
    finally:
        for each in taken:
            each.close()
    until(lambda: answers(site))


def answers(site: Site) -> bool:
    try:
        return site.said(b"GET /x HTTP/1.1\r\n\r\n")[0] == 200
    except OSError:
        return False


def test_new_connections_go_by_a_new_certificate(site: Site) -> None:
    with site.connected() as before:
        site.amphora = new_id()
        renewed = credentials(site.authority, site.amphora, site.folder / "renewed", server=True)
        site.server.context = tls.server_context(*renewed, site.pem)
        assert site.said(b"GET /x HTTP/1.1\r\n\r\n")[0] == 200
        before.sendall(b"GET /x HTTP/1.1\r\n\r\n")
        assert before.recv(1000).startswith(b"HTTP/1.1 200")


def test_after_shutdown_nobody_is_accepted_and_what_goes_on_is_finished(site: Site) -> None:
    with site.connected() as slow:
        slow.sendall(b"GET /wait HTTP/1.1\r\n\r\n")
        until(lambda: site.handler.heard)
        site.server.shutdown()
        site.thread.join(5)
        assert not site.thread.is_alive()
        site.handler.release.set()
        assert slow.recv(1000).startswith(b"HTTP/1.1 200")
        assert slow.recv(1) == b""
    with pytest.raises(OSError):
        socket.create_connection(site.server.server_address, timeout=1)


def test_ipv6(site: Site) -> None:
    listener = DocumentServer(("::1", 0), site.server.context, tls.is_controller, site.handler)
    assert listener.server_address[0] == "::1"
    listener.server_close()


@given(st.binary(max_size=300))
def test_no_bytes_are_a_surprise(raw: bytes) -> None:
    incoming = io.BytesIO(raw)
    try:
        head = serving.read_head(incoming)
        if head is not None:
            serving.read_request(head, incoming)
    except (Refused, ConnectionError):
        pass
