"""Clients that keep their connections and ask the same thing over and over. Run as: python generator.py JSON

One thread and plain sockets, so that little of the machine is taken from the server. Takes a Job as JSON; writes an
Outcome as JSON. A request that was begun is waited for, so that slow answers count as well as quick ones.
"""

import json
import selectors
import socket
import sys
import time
from typing import Any

LONGEST = 120.0
"""Seconds that an answer may take."""
CHUNK = 1 << 20


class Connection:
    """One client: a request at a time."""

    def __init__(self, address: tuple[str, int], request: bytes, wanted: int) -> None:
        self._address = address
        self._request = request
        self._wanted = b" %d " % wanted
        self._began = 0.0
        self._head = b""
        self._missing: int | None = None
        self._size = 0
        self.socket = self._connected()

    def _connected(self) -> socket.socket:
        made = socket.create_connection(self._address, timeout=LONGEST)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def send(self) -> None:
        self._head, self._missing = b"", None
        self._began = time.perf_counter()
        self.socket.sendall(self._request)

    def receive(self) -> tuple[float, int, bool] | None:
        """Seconds, bytes of the body and whether it is a good answer, once it is there. Raises ConnectionError."""
        data = self.socket.recv(CHUNK)
        if not data:
            raise ConnectionError("the server has closed the connection")
        if self._missing is None:
            self._head += data
            if not self._headed():
                return None
        else:
            self._missing -= len(data)
        if self._missing:
            return None
        return time.perf_counter() - self._began, self._size, self._wanted in self._head[:16]

    def _headed(self) -> bool:
        """The head is complete: it is known how much is still missing of the body."""
        end = self._head.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = self._head[:end].lower()
        at = head.find(b"\r\ncontent-length:")
        if at < 0:
            raise ConnectionError("an answer without Content-Length")
        self._size = int(head[at + 17 :].split(b"\r\n", 1)[0])
        self._missing = self._size - (len(self._head) - end - 4)
        return True

    def renew(self) -> None:
        self.socket.close()
        self.socket = self._connected()


class Run:
    """All clients of a job, until its time or its number of requests is over."""

    def __init__(self, job: dict[str, Any]) -> None:
        address = (job["host"], job["port"])
        self._left = job["count"] or sys.maxsize
        self._seconds = job["seconds"] or LONGEST
        self._selector = selectors.DefaultSelector()
        self._busy = 0
        self.latencies: list[float] = []
        self.sizes: set[int] = set()
        self.failed = 0
        self._clients = [Connection(address, request(job), job["wanted"]) for _ in range(job["clients"])]

    def outcome(self) -> dict[str, Any]:
        began = time.perf_counter()
        self._until = began + self._seconds
        for client in self._clients:
            self._next(client)
        while self._busy:
            for key, _ in self._selector.select(LONGEST):
                self._answered(key.data)
        took = time.perf_counter() - began
        sizes = [min(self.sizes, default=0), max(self.sizes, default=0)]
        return {"seconds": took, "latencies": self.latencies, "failed": self.failed, "sizes": sizes}

    def _next(self, client: Connection) -> None:
        if not self._left or time.perf_counter() >= self._until:
            return
        self._left -= 1
        self._busy += 1
        self._selector.register(client.socket, selectors.EVENT_READ, client)
        client.send()

    def _answered(self, client: Connection) -> None:
        try:
            answer = client.receive()
        except OSError:
            self.failed += 1
            self._selector.unregister(client.socket)
            client.renew()
        else:
            if answer is None:
                return
            self._selector.unregister(client.socket)
            self._note(*answer)
        self._busy -= 1
        self._next(client)

    def _note(self, seconds: float, size: int, good: bool) -> None:
        self.latencies.append(seconds * 1000)
        self.sizes.add(size)
        self.failed += not good


def request(job: dict[str, Any]) -> bytes:
    lines = [f"{job['method']} {job['path']} HTTP/1.1", f"Host: {job['host']}:{job['port']}"]
    lines += ["Accept: application/json"]
    body: bytes = job["body"].encode()
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


if __name__ == "__main__":
    print(json.dumps(Run(json.loads(sys.argv[1])).outcome()))
