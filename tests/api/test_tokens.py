"""Callers who are known by Keystone, while Keystone is not well; with a real one: tests/e2e/test_keystone.py."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from falcon import testing

from octavia.api.front import front
from octavia.api.keystone import Tokens
from octavia.api.ports import Services
from octavia.settings import load
from octavia.store.engine import Database
from tests.databases import Fleet, opened

CONFIG = """
[keystone_authtoken]
auth_type = password
auth_url = http://127.0.0.1:{port}/v3
www_authenticate_uri = https://keystone.example/v3
username = octavia
password = wrong
user_domain_id = default
project_name = service
project_domain_id = default
http_connect_timeout = 1
http_request_max_retries = 0
"""
VERSION = {"version": {"id": "v3.14", "status": "stable", "links": []}}


@pytest.fixture
def database(tmp_path: Path, fleet: Fleet) -> Iterator[Database]:
    """Which one makes no difference here."""
    with opened("sqlite", fleet=fleet, folder=tmp_path) as made:
        yield made


def client(services: Services, folder: Path, port: int) -> testing.TestClient:
    file = folder / "octavia.conf"
    file.write_text(CONFIG.format(port=port))
    return testing.TestClient(front(load([file], state_path=folder, privileged=False)).over(services))


@contextmanager
def answering(status: int, body: bytes, kind: str) -> Iterator[int]:
    """The port of a server that has this one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, *_: Any) -> None:
            pass

    with serving(Handler) as port:
        yield port


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def described(token: str) -> dict[str, Any]:
    """What a Keystone says of a token with this name: of a member, and of an application that may only list."""
    said: dict[str, Any] = {
        "methods": ["password"],
        "user": {"id": "u1", "name": "ann", "domain": {"id": "default", "name": "Default"}},
        "project": {"id": "p1", "name": "one", "domain": {"id": "default", "name": "Default"}},
        "roles": [{"id": "r1", "name": "member"}, {"id": "r2", "name": "reader"}],
        "issued_at": "2026-01-01T00:00:00.000000Z",
        "expires_at": "2126-01-01T00:00:00.000000Z",
        "catalog": [{"type": "load-balancer", "name": "lb", "id": "s1", "endpoints": []}],
    }
    if token == "limited":
        rule = {"id": "a1", "service": "load-balancer", "method": "GET", "path": "/v2/lbaas/loadbalancers"}
        said["application_credential"] = {"id": "c1", "name": "c", "restricted": True, "access_rules": [rule]}
    if token == "cook":
        said["roles"] = [{"id": "r3", "name": "cook,admin"}]
    return said


class Stub(BaseHTTPRequestHandler):
    """As much of a Keystone as the middleware asks."""

    def do_GET(self) -> None:
        if self.path == "/v3/auth/tokens":
            self.say(200, {"token": described(self.headers["X-Subject-Token"])})
        else:
            links = [{"rel": "self", "href": self.own()}]
            self.say(200, {"version": {"id": "v3.14", "status": "stable", "links": links}})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        endpoints = [
            {"id": name, "interface": name, "region": "R", "region_id": "R", "url": self.own()}
            for name in ("public", "internal", "admin")
        ]
        catalog = [{"type": "identity", "name": "keystone", "id": "s0", "endpoints": endpoints}]
        self.say(201, {"token": described("service") | {"catalog": catalog}})

    def own(self) -> str:
        return f"http://{self.headers['Host']}/v3"

    def say(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", JSON)
        self.send_header("X-Subject-Token", "service")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


def test_known_tokens_work_on_while_keystone_is_away(services: Services, tmp_path: Path) -> None:
    with serving(Stub) as port:
        asking = client(services, tmp_path, port)
        assert status(asking, "GET", LB, "known") == 200
    assert status(asking, "GET", LB, "known") == 200
    assert status(asking, "GET", LB, "unknown") == 503


def test_an_application_credential_may_what_its_rules_say(services: Services, tmp_path: Path) -> None:
    with serving(Stub) as port:
        asking = client(services, tmp_path, port)
        assert status(asking, "GET", LB, "limited") == 200
        assert status(asking, "DELETE", LB + "/x", "limited") == 401
        assert status(asking, "DELETE", LB + "/x", "whole") == 404
        for other in ("/v2/lbaas/pools", LB + "/x", "/v2/loadbalancers", LB + ".json", "/load-balancer" + LB):
            assert status(asking, "GET", other, "limited") == 401, other


def test_a_role_is_its_whole_name(services: Services, tmp_path: Path) -> None:
    with serving(Stub) as port:
        assert status(client(services, tmp_path, port), "GET", LB, "cook") == 403


def status(asking: testing.TestClient, verb: str, path: str, token: str) -> int:
    return asking.simulate_request(verb, path, headers={"X-Auth-Token": token}).status_code


LB = "/v2/lbaas/loadbalancers"
JSON = "application/json"
ANSWERS = [
    (500, b"", JSON),
    (503, b"<html>busy</html>", "text/html"),
    (502, b"{", JSON),
    (401, json.dumps({"error": {"code": 401, "message": "no", "title": "no"}}).encode(), JSON),
    (403, b"{}", JSON),
    (200, b"<html>a portal</html>", "text/html"),
    (200, b"{}", JSON),
    (200, b"{", JSON),
    (200, b"[]", JSON),
    (200, json.dumps(VERSION).encode(), JSON),
    (201, json.dumps({"token": {}}).encode(), JSON),
    (300, b"", JSON),
]


@pytest.mark.parametrize(("status", "body", "kind"), ANSWERS)
def test_a_keystone_that_is_not_well(status: int, body: bytes, kind: str, services: Services, tmp_path: Path) -> None:
    with answering(status, body, kind) as port:
        unreachable(client(services, tmp_path, port))


def unreachable(asking: testing.TestClient) -> None:
    answer = asking.simulate_get("/v2/lbaas/loadbalancers", headers={"X-Auth-Token": "token"})
    assert answer.status_code == 503, answer.text
    assert answer.json["faultstring"].startswith("Keystone could not be asked who you are")
    assert "127.0.0.1" not in answer.text


def test_nobody_there(services: Services, tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        unreachable(client(services, tmp_path, silent.getsockname()[1]))


def test_somebody_who_never_answers(services: Services, tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(16)
        unreachable(client(services, tmp_path, silent.getsockname()[1]))


def test_without_a_token_keystone_is_not_asked(services: Services, tmp_path: Path) -> None:
    answer = client(services, tmp_path, 1).simulate_get("/v2/lbaas/loadbalancers")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Keystone uri="https://keystone.example/v3"'
    assert client(services, tmp_path, 1).simulate_get("/healthcheck").status_code == 200


def test_what_keystone_said_is_kept_for_its_time() -> None:
    now = [100.0]
    tokens = Tokens(lambda: now[0])
    assert tokens.get("a") is None
    tokens.set("a", b"one", time=5)
    now[0] += 4.9
    assert tokens.get("a") == b"one"
    now[0] += 0.2
    assert tokens.get("a") is None


def test_what_is_kept_has_bounds() -> None:
    tokens = Tokens(lambda: 0.0)
    for number in range(25_000):
        tokens.set(str(number), b"x", time=5)
    assert tokens.get("24999") == b"x"
    assert tokens.get("0") is None
