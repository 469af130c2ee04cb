"""A client that sends a request, on a connection of its own, at every interval, until its standard input is closed.

Usage: traffic.py ADDRESS PORT INTERVAL LIMIT. Prints one line `first NAME` for each member that answers for the first
time, and at the end a JSON object: requests, failures with their reasons, answers by member, and the longest gap
between two good answers, in seconds. LIMIT ends it after so many seconds, whatever happens.
"""

import json
import socket
import sys
import threading
import time
from collections import Counter


def request(address: str, port: int) -> str:
    """Who answered. Raises OSError or ValueError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(5)
        client.connect((address, port))
        client.sendall(b"GET / HTTP/1.1\r\nHost: vip\r\nConnection: close\r\n\r\n")
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise ValueError(head.split(b"\r\n")[0].decode() or "an empty answer")
    return body.split()[0].decode()


class Client:
    """Requests that overlap are sent all the same: a slow answer does not hide failures behind it."""

    def __init__(self, address: str, port: int) -> None:
        self.target = (address, port)
        self.lock = threading.Lock()
        self.answers: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.last = time.monotonic()
        self.longest = 0.0
        self.running: set[threading.Thread] = set()

    def send(self) -> None:
        try:
            name, why = request(*self.target), ""
        except (OSError, ValueError) as error:
            name, why = "", f"{type(error).__name__}: {error}"
        with self.lock:
            self.note(name, why)
            self.running.discard(threading.current_thread())

    def note(self, name: str, why: str) -> None:
        if why:
            self.failures[why] += 1
            return
        if not self.answers[name]:
            print(f"first {name} {time.time()}", flush=True)
        self.answers[name] += 1
        now = time.monotonic()
        self.longest, self.last = max(self.longest, now - self.last), now

    def run(self, interval: float, limit: float, closed: threading.Event) -> None:
        ends = time.monotonic() + limit
        due = time.monotonic()
        while not closed.is_set() and time.monotonic() < ends:
            thread = threading.Thread(target=self.send)
            with self.lock:
                self.running.add(thread)
            thread.start()
            due = max(due + interval, time.monotonic() - 1)
            closed.wait(max(0.0, due - time.monotonic()))
        for thread in tuple(self.running):
            thread.join(timeout=6)

    def result(self) -> dict[str, object]:
        return {
            "requests": sum(self.answers.values()) + sum(self.failures.values()),
            "failures": dict(self.failures),
            "answers": dict(self.answers),
            "longest_gap": round(self.longest, 4),
        }


def main() -> None:
    client, closed = Client(sys.argv[1], int(sys.argv[2])), threading.Event()

    def listen() -> None:
        sys.stdin.read()
        closed.set()

    threading.Thread(target=listen, daemon=True).start()
    client.run(float(sys.argv[3]), float(sys.argv[4]), closed)
    print(json.dumps(client.result()), flush=True)


if __name__ == "__main__":
    main()
