"""The real HAProxy, asked what it thinks of a configuration."""

import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

needed = pytest.mark.skipif(shutil.which("haproxy") is None, reason="HAProxy is not installed")


def complaints(config: str, folder: Path) -> str:
    """What HAProxy has against this configuration, warnings included."""
    path = folder / "haproxy.cfg"
    path.write_text(config)
    done = subprocess.run(["haproxy", "-c", "-f", path.name], cwd=folder, capture_output=True, text=True, check=False)
    lines = [line for line in done.stderr.splitlines() if "[NOTICE]" not in line and line.strip()]
    return "\n".join(lines) or ("" if done.returncode == 0 else f"exit {done.returncode}")


@contextmanager
def running(config: str, folder: Path, nofile: int = 1000, more: str = "-db") -> Iterator[Path]:
    """HAProxy serves this configuration in this folder; the path of its runtime socket.

    What would be bound to an address of a VIP is bound to a Unix socket: 0.sock is the first one.
    """
    numbers = count()
    config = re.sub(r"(?<=\n    bind )(?!abns@|127\.)\S+", lambda found: f"unix@{next(numbers)}.sock", config)
    (folder / "haproxy.cfg").write_text(config)
    command = f"ulimit -n {nofile}; exec haproxy {more} -f haproxy.cfg"
    with (folder / "log").open("w") as log, subprocess.Popen(["sh", "-c", command], cwd=folder, stderr=log) as process:
        try:
            runtime = folder / "haproxy.sock"
            until(lambda: process.poll() is not None or answers(runtime), "HAProxy to start")
            assert process.poll() is None, (folder / "log").read_text()
            yield runtime
        finally:
            process.terminate()


def until(done: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"waited {seconds:g} s for {what}"
        time.sleep(0.01)


def answers(path: Path) -> bool:
    try:
        return bool(ask(path, b"show info\n"))
    except OSError:
        return False


def ask(path: Path, request: bytes, patience: float = 5.0) -> bytes:
    """What the socket answers until it closes, or until there was nothing for as long as patience lasts."""
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(patience)
        channel.connect(str(path))
        answer = b""
        try:
            channel.sendall(request)
            while piece := channel.recv(65536):
                answer += piece
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass
        return answer


class Echo(threading.Thread):
    """A member that answers each request with 200 and remembers what came."""

    def __init__(self, path: Path | None = None) -> None:
        """On a Unix socket, or on a free port of 127.0.0.1."""
        super().__init__(daemon=True)
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        self.seen: list[bytes] = []
        self._listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self._listener.bind(str(path) if path else ("127.0.0.1", 0))
        self._listener.listen(64)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def run(self) -> None:
        while True:
            try:
                channel, _ = self._listener.accept()
            except OSError:
                return
            with channel:
                channel.settimeout(0.2)
                self.serve(channel)

    def serve(self, channel: socket.socket) -> None:
        try:
            while piece := channel.recv(65536):
                self.seen.append(piece)
                channel.sendall(self.answer)
        except OSError:
            pass

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.join()
