"""The server answers, and finishes what it has begun when it is stopped."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from octavia.api.app import build
from octavia.api.ports import Services
from octavia.api.server import Server


@contextmanager
def serving(app: Any) -> Iterator[tuple[int, Server, threading.Thread]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Server(app, listening, threads=2, patience=5)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            yield listening.getsockname()[1], server, thread
        finally:
            server.stop()
            thread.join(10)
            assert not thread.is_alive()


def test_it_serves(services: Services) -> None:
    with serving(build(services)) as (port, _, _):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        for _ in range(2):
            connection.request("GET", "/v2/loadbalancers")
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b'{"loadbalancers":[],"loadbalancers_links":[]}')
        connection.close()


def test_a_large_body_is_refused_in_words(services: Services) -> None:
    with serving(build(services)) as (port, _, _):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", "/v2/loadbalancers", b" " * 2_000_000, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("Content-Type")) == (413, "application/json")
        answer.read()
        connection.close()


def test_stopping_answers_what_is_in_flight() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(environ: Any, start_response: Any) -> list[bytes]:
        begun.set()
        go_on.wait(10)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "4")])
        return [b"done"]

    with serving(slow) as (port, server, thread):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/")
        assert begun.wait(10)
        server.stop()
        thread.join(0.2)
        assert thread.is_alive()
        go_on.set()
        assert connection.getresponse().read() == b"done"
        connection.close()
        thread.join(10)
        assert not thread.is_alive()
