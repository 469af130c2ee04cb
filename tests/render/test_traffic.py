"""What a running HAProxy does with the rendered configurations."""

import os
import re
import resource
import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from octavia.domain.document import Document
from octavia.render.quoting import sample
from octavia.render.servers import line
from tests.render import haproxy
from tests.render.wishes import CASES, Body, Case, alone, listener, member, monitor, pool

pytestmark = haproxy.needed


def small(name: str) -> Document:
    """The document for an amphora with few descriptors, as a test has; only root can become somebody else."""
    case = CASES[name]
    return replace(case, nofile=1000, user=case.user if os.getuid() == 0 else None).document()


class Site(NamedTuple):
    front: Path
    member: haproxy.Echo


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An HTTP listener on a Unix socket, before one member on another."""
    folder = tmp_path_factory.mktemp("site")
    config = small("http_headers").config
    config = re.sub(r"198.18.1.1:8080", "unix@member.sock", re.sub(r"\n    server .* id 2 .*", "", config))
    echo = haproxy.Echo(folder / "member.sock")
    echo.start()
    with haproxy.running(config, folder):
        yield Site(folder / "0.sock", echo)
    echo.close()


GOOD = {
    "plain": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a host with a port": b"GET / HTTP/1.1\r\nHost: a:80\r\n\r\n",
    "an empty host": b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "the same host twice": b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "HTTP/1.0": b"GET / HTTP/1.0\r\n\r\n",
    "HTTP/1.0 with a host": b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
    "a length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    "chunks": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "UTF-8": "GET / HTTP/1.1\r\nHost: a\r\nX-A: ü\r\n\r\n".encode(),
    "bytes whose hex digits hold 00": b"GET /0 HTTP/1.1\r\nHost: a0\r\nX-A: PP0\r\nContent-Length: 0\r\n\r\n",
    "an absolute target": b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
}
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKS = b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
BAD = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "two hosts in one": b"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n",
    "two hosts in HTTP/1.0": b"GET / HTTP/1.0\r\nHost: a, b\r\n\r\n",
    "another host in the target": b"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "a length of 2^64": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n" + SMUGGLED,
    "a length of 2^64, twice": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: "
    b"18446744073709551616, 18446744073709551616\r\n\r\n" + SMUGGLED,
    "a length of 2^63": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\nabc",
    "a length with a sign": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "chunked with a comma": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked," + CHUNKS,
    "an unknown coding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked" + CHUNKS,
    "chunked, then another coding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity" + CHUNKS,
    "chunked twice": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked" + CHUNKS,
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked" + CHUNKS,
    "NUL in a value": b"GET / HTTP/1.1\r\nHost: a\r\nX-A: a\0b\r\n\r\n",
    "NUL after much text": b"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + b"a" * 10_000 + b"\0\r\n\r\n",
    "NUL in a name": b"GET / HTTP/1.1\r\nHost: a\r\nX\0A: b\r\n\r\n",
    "NUL in the path": b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a bare CR": b"GET / HTTP/1.1\r\nHost: a\r\nX-A: a\rb\r\n\r\n",
    "HTTP/0.9": b"GET / HTTP/0.9\r\nHost: a\r\n\r\n",
    "HTTP/0.9 without a version": b"GET /\r\n\r\n",
    "HTTP/1.2": b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "HTTP/2.0 in the form of 1.1, without a host": b"GET / HTTP/2.0\r\n\r\n",
    "a space after a name": b"GET / HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n",
    "a chunk that is no number": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n",
}


@pytest.mark.parametrize("name", GOOD)
def test_a_request_that_is_right_is_served(site: Site, name: str) -> None:
    assert haproxy.ask(site.front, GOOD[name], patience=0.3).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("name", BAD)
def test_a_malformed_request_is_refused_and_never_seen_by_a_member(site: Site, name: str) -> None:
    site.member.seen.clear()
    answer = haproxy.ask(site.front, BAD[name])
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.") == 1
    assert site.member.seen == []


def test_headers_are_inserted(site: Site) -> None:
    site.member.seen.clear()
    haproxy.ask(site.front, b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: gopher\r\n\r\n", patience=0.3)
    assert b"x-forwarded-proto: http\r\n" in site.member.seen[0]
    assert b"gopher" not in site.member.seen[0]


def test_without_servers_the_answer_is_503(tmp_path: Path) -> None:
    for number, name in enumerate(("http_without_pool", "http_without_members", "disabled_pool")):
        # The path of a Unix socket has 107 characters at most.
        folder = tmp_path / str(number)
        folder.mkdir()
        with haproxy.running(small(name).config, folder):
            assert haproxy.ask(folder / "0.sock", GOOD["plain"], patience=0.3).startswith(b"HTTP/1.1 503")


def test_without_a_pool_a_connection_is_closed(tmp_path: Path) -> None:
    with haproxy.running(small("tcp_without_pool").config, tmp_path):
        assert haproxy.ask(tmp_path / "0.sock", b"hello") == b""


@pytest.mark.parametrize("name", ["members", "ipv6", "proxy", "proxy_v2_tcp", "every_kind", "source_ip_port", "user"])
def test_the_same_servers_can_be_added_at_runtime(name: str, tmp_path: Path) -> None:
    document = small(name)
    without = "\n".join(row for row in document.config.splitlines() if not row.startswith("    server 0")) + "\n"
    with haproxy.running(without, tmp_path) as runtime:
        for server in document.servers:
            answer = haproxy.ask(runtime, f"add server {server.backend}/{line(server)}\n".encode())
            assert b"New server registered" in answer, (line(server), answer)


SERVERS = [member(1 + number % 250, protocol_port=1000 + number) for number in range(200)]
CROWDED = alone("HTTP", pool("HTTP", *SERVERS, healthmonitor=monitor(delay=60)))
MANY = {"listeners": [listener(port=port) for port in range(1, 201)]}


@pytest.mark.parametrize("nofile", [512, 1000, 4096, 20_000])
@pytest.mark.parametrize("body", [CROWDED, MANY], ids=["200 servers", "200 listeners"])
def test_the_connections_fit_into_the_amphora(body: dict[str, object], nofile: int, tmp_path: Path) -> None:
    if nofile > resource.getrlimit(resource.RLIMIT_NOFILE)[1]:
        pytest.skip(f"this machine allows no {nofile} descriptors")
    config = Case(body=body, nofile=nofile).document().config
    with haproxy.running(config, tmp_path, nofile) as runtime:
        assert b"Maxconn: " in haproxy.ask(runtime, b"show info\n")


STRANGE = ["JSESSIONID", 'a"b', "a'b", "a)b", "a(b", "a$x", "a${HOME}", "%[src]", "#z", "[y]", "{z}", "ü", "a|b", "\\"]


@pytest.mark.parametrize("name", STRANGE)
def test_an_application_cookie_of_any_name_is_learnt(name: str, tmp_path: Path) -> None:
    wish = {"type": "APP_COOKIE", "cookie_name": "x"}
    config = Case(body=alone("HTTP", pool("HTTP", member(1), session_persistence=wish)), nofile=1000).document().config
    config = config.replace(str(sample("res.cook", "x")), str(sample("res.cook", name)))
    config = config.replace(str(sample("req.cook", "x")), str(sample("req.cook", name)))
    config = config.replace("198.18.1.1:8080", "unix@member.sock")
    echo = Baker(tmp_path / "member.sock", name.encode())
    echo.start()
    with haproxy.running(config, tmp_path) as runtime:
        haproxy.ask(tmp_path / "0.sock", b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        table = haproxy.ask(
            runtime, b"show table 00000003-0000-4000-8000-000000000000:00000005-0000-4000-8000-000000000000\n"
        )
    echo.close()
    assert b"key=crumb" in table


class Baker(haproxy.Echo):
    """A member that sets a cookie."""

    def __init__(self, path: Path, cookie: bytes) -> None:
        super().__init__(path)
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: " + cookie + b"=crumb\r\n\r\n"


VIP = "198.18.0.10:80"
CLIENT = [f"127.0.0.{number}" for number in range(2, 12)]


def visit(port: int, source: str, request: bytes = GOOD["plain"]) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 5.0, (source, 0)) as channel:
        channel.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        return b"".join(iter(lambda: channel.recv(65536), b""))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener_:
        return int(listener_.getsockname()[1])


@pytest.fixture
def members() -> Iterator[list[haproxy.Echo]]:
    echoes = [haproxy.Echo(), haproxy.Echo()]
    for echo in echoes:
        echo.start()
    yield echoes
    for echo in echoes:
        echo.close()


def with_members(wish: Body, members: list[haproxy.Echo]) -> Body:
    wish["listeners"][0]["default_pool"]["members"] = [
        {"address": "127.0.0.1", "protocol_port": echo.port} for echo in members
    ]
    return wish


def test_a_cookie_leads_back_to_the_member(members: list[haproxy.Echo], tmp_path: Path) -> None:
    body = with_members(alone("HTTP", pool("HTTP", session_persistence={"type": "HTTP_COOKIE"})), members)
    port = free_port()
    config = Case(body=body, nofile=1000).document().config.replace(VIP, f"127.0.0.1:{port}")
    with haproxy.running(config, tmp_path):
        first = visit(port, CLIENT[0])
        (cookie,) = re.findall(rb"set-cookie: (SRV-00000003=\w+); path=/; HttpOnly", first)
        seen = [len(echo.seen) for echo in members]
        for _ in range(5):
            again = visit(port, CLIENT[0], GOOD["plain"].replace(b"\r\n\r\n", b"\r\nCookie: " + cookie + b"\r\n\r\n"))
            assert b"set-cookie" not in again
    assert sorted(len(echo.seen) - before for echo, before in zip(members, seen, strict=True)) == [0, 5]
    assert cookie not in b"".join(members[0].seen + members[1].seen)


def test_who_belongs_to_whom_survives_a_reload(members: list[haproxy.Echo], tmp_path: Path) -> None:
    """As root HAProxy gives up its rights, and this folder is closed to others: what it keeps passes all the same."""
    body = with_members(alone("TCP", pool("TCP", session_persistence={"type": "SOURCE_IP"})), members)
    port = free_port()
    user = "nobody" if os.getuid() == 0 else None
    config = Case(body=body, nofile=1000, user=user).document().config.replace(VIP, f"127.0.0.1:{port}")
    with haproxy.running(config, tmp_path, more="-W -S unix@master.sock,mode,600") as runtime:
        time.sleep(5.5)  # HAProxy's own first resynchronisation, without which it hands nothing over
        for client in CLIENT:
            visit(port, client)
        before = table(runtime)
        for reloads in range(1, 4):
            haproxy.ask(tmp_path / "master.sock", b"reload\n", patience=0.2)
            haproxy.until(partial(served_by, tmp_path, reloads), "the new worker")
            haproxy.until(lambda: len(table(runtime)) == len(CLIENT), "the table to be handed over")
            assert table(runtime) == before


def served_by(folder: Path, reloads: int) -> bool:
    """Whether this reload is done, and the old worker gone."""
    try:
        answer = haproxy.ask(folder / "master.sock", b"show proc\n", patience=0.2).decode()
    except OSError:
        return False
    return f"{reloads} [failed: 0]" in answer and "# old workers" not in answer


def table(runtime: Path) -> dict[str, str]:
    """Client to member."""
    name = "00000003-0000-4000-8000-000000000000:00000006-0000-4000-8000-000000000000"
    answer = haproxy.ask(runtime, f"show table {name}\n".encode()).decode()
    return dict(re.findall(r"key=(\S+) .*server_id=(\d+)", answer))
