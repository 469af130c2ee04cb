"""A MariaDB server of one's own: in a folder, over a Unix socket, for tests and benchmarks. Nothing is left of it."""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pymysql

SBIN = (*os.environ.get("PATH", "").split(":"), "/usr/sbin", "/usr/bin")
READY = 60.0
"""Seconds until a server that does not answer counts as broken."""
FAST = (
    "--innodb-buffer-pool-size=128M",
    "--innodb-log-file-size=64M",
    "--innodb-flush-log-at-trx-commit=0",
    "--skip-log-bin",
)
"""For tests: what a power cut would lose is of no interest."""


class NoServer(Exception):
    """There is no MariaDB here, or it does not start; a sentence."""


def program(name: str) -> str:
    found = shutil.which(name, path=":".join(SBIN))
    if found is None:
        raise NoServer(f"{name} is missing. As root: apt-get install --no-install-recommends mariadb-server-core")
    return found


class Server:
    """One running server; every database of it goes with it."""

    def __init__(self, folder: Path, process: "subprocess.Popen[bytes]") -> None:
        self.socket = folder / "socket"
        self.process = process

    def connect(self, database: str | None = None) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        # Without TLS, which costs 20 ms here and guards nothing.
        return pymysql.connect(
            unix_socket=str(self.socket), user="root", database=database, charset="utf8mb4", ssl_disabled=True
        )

    def url(self, database: str) -> str:
        """As SQLAlchemy writes it."""
        return f"mysql+pymysql://root@/{database}?unix_socket={quote(str(self.socket))}&charset=utf8mb4"

    def create(self, database: str) -> str:
        """The URL of a new, empty database."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        return self.url(database)

    def drop(self, database: str) -> None:
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS `{database}`")


@contextmanager
def server(where: Path | None = None, options: Sequence[str] = FAST) -> Iterator[Server]:
    """A server in a new folder (under `where`) until the end of the block. Raises NoServer."""
    install, daemon = program("mariadb-install-db"), program("mariadbd")
    # Socket paths have a limit of 107 bytes: a short name.
    with tempfile.TemporaryDirectory(prefix="octavia-db-", dir=where) as name:
        folder = Path(name)
        log = folder / "log"
        common = [f"--datadir={folder / 'data'}", f"--user={pwd.getpwuid(os.geteuid()).pw_name}"]
        with log.open("wb") as out:
            made = subprocess.run(
                [install, "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", *common],
                stdout=out,
                stderr=out,
                check=False,
            )
            if made.returncode:
                raise NoServer(f"mariadb-install-db failed: {last_words(log)}")
            process = subprocess.Popen(
                [
                    daemon,
                    "--no-defaults",
                    "--skip-networking",
                    f"--socket={folder / 'socket'}",
                    f"--pid-file={folder / 'pid'}",
                    *common,
                    *options,
                ],
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        try:
            ready = Server(folder, process)
            wait(ready, log)
            yield ready
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def die_with_parent() -> None:
    """The server ends when whoever started it is killed (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def wait(ready: Server, log: Path) -> None:
    until = time.monotonic() + READY
    while time.monotonic() < until and ready.process.poll() is None:
        if answers(ready.socket):
            ready.connect().close()
            return
        time.sleep(0.05)
    raise NoServer(f"mariadbd does not answer: {last_words(log)}")


def answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def last_words(log: Path) -> str:
    return log.read_text(errors="replace").strip()[-600:]
