"""Asks until the right one answers, and prints when that was. Run as: python probe.py ADDRESS PORT WANTED [PAUSE]

It does not wait long for a connection: the first packets to an address that is not there yet wait for its neighbour.
"""

import socket
import sys
import time


def answer(address: str, port: int) -> bytes:
    with socket.create_connection((address, port), timeout=0.02) as connection:
        connection.settimeout(1)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n")
        parts = []
        while part := connection.recv(4096):
            parts.append(part)
    return b"".join(parts)


def main() -> None:
    address, port, wanted = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode()
    pause = float(sys.argv[4]) if len(sys.argv) > 4 else 0.001
    print("started", flush=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            head, _, body = answer(address, port).partition(b"\r\n\r\n")
        except OSError:
            head = body = b""
        if head.startswith(b"HTTP/1.1 200") and wanted in body:
            print(f"{time.monotonic():.6f}", flush=True)
            return
        time.sleep(pause)


if __name__ == "__main__":
    main()
