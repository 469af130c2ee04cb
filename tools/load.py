"""Steady requests, each over a new connection. Run as: python load.py ADDRESS PORT THREADS PAUSE

Writes one line for each request: the monotonic time of its end and of its start, then who answered, or `!` and why
nobody did. Ends when its standard input does.
"""

import http.client
import sys
import threading
import time


def attempt(address: str, port: int) -> str:
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", "/", headers={"Connection": "close"})
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace").strip()
        return body if answer.status == 200 else f"! status {answer.status}"
    except (OSError, http.client.HTTPException) as error:
        return f"! {type(error).__name__}"
    finally:
        connection.close()


def work(address: str, port: int, pause: float, over: threading.Event) -> None:
    while not over.wait(pause):
        began = time.monotonic()
        said = attempt(address, port)
        # One write for each line, so that those of several threads never mix.
        sys.stdout.write(f"{time.monotonic():.6f} {began:.6f} {said}\n")
        sys.stdout.flush()


def main() -> None:
    address, port, threads, pause = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    over = threading.Event()
    workers = [threading.Thread(target=work, args=(address, port, pause, over)) for _ in range(threads)]
    for worker in workers:
        worker.start()
    sys.stdin.read()
    over.set()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()
