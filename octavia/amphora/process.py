"""One HAProxy master with its worker: started, adopted, reloaded, watched, ended."""

import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from octavia.amphora import haproxy
from octavia.amphora.haproxy import HaproxyError, Workers
from octavia.host import processes
from octavia.host.processes import Process, Watch

RECORD = "haproxy.json"
LOG = "haproxy.log"
START = 10.0
RELOAD = 15.0
LISTEN_BACKOFF = 0.004
"""Seconds between two looks at a HAProxy that is starting: it tells nobody when it is ready."""


class Haproxy:
    """The HAProxy in one folder. Whoever holds it takes care that one thread at a time changes it."""

    def __init__(self, folder: Path, command: str, watch: Watch, on_exit: Callable[[], None]) -> None:
        self.folder = folder
        self.runtime = folder / haproxy.RUNTIME
        self._master = folder / haproxy.MASTER
        self._command = command
        self._watch = watch
        self._on_exit = on_exit
        self._process: Process | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and processes.alive(self._process)

    def adopt(self) -> bool:
        """Whether the HAProxy that an earlier agent started runs still; then it is watched from now on."""
        found = processes.recall(self.folder / RECORD)
        if found is None or str(self._command) not in " ".join(processes.arguments(found)):
            return False
        self._follow(found)
        return True

    def start(self) -> None:
        """It serves what its file says. Leftovers of one that died are ended before: they would share its ports.

        Raises HaproxyError.
        """
        self.end_leftovers()
        log = self.folder / LOG
        log.unlink(missing_ok=True)
        argv = [self._command, "-W", "-S", f"unix@{haproxy.MASTER},mode,600", "-f", haproxy.CONFIG]
        process = processes.spawn(argv, cwd=self.folder, log=log)
        processes.remember(self.folder / RECORD, process)
        self._await_start(process, log)
        self._follow(process)

    def reload(self) -> None:
        """A new worker serves what the file says; the old one finishes its connections. Raises HaproxyError."""
        before = haproxy.workers(self._master)
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGUSR2)
        after = self._await_reload(before)
        if after.failed > before.failed or set(after.current) == set(before.current):
            raise HaproxyError(haproxy.alerts((self.folder / LOG).read_text(errors="replace")))

    def end(self) -> None:
        """No process of it is left."""
        gone, self._process = self._process, None
        if gone is not None:
            processes.end(gone, grace=1.0)
        self.end_leftovers()

    def end_leftovers(self) -> None:
        """No HAProxy works in this folder: a worker may have outlived its master."""
        left = [process for process in processes.everyone() if self._is_leftover(process)]
        processes.end_all(left, grace=0.2)

    def _is_leftover(self, process: Process) -> bool:
        try:
            where = os.readlink(f"/proc/{process.pid}/cwd")
        except OSError:
            return False
        return where == str(self.folder.resolve()) and process.pid != os.getpid()

    def _follow(self, process: Process) -> None:
        self._process = process
        self._watch.add(process, self._exited)

    def _exited(self, process: Process) -> None:
        if self._process == process:
            self._on_exit()

    def _await_start(self, process: Process, log: Path) -> None:
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            if not processes.alive(process):
                raise HaproxyError(haproxy.alerts(log.read_text(errors="replace")))
            if self._serving(process):
                return
            time.sleep(LISTEN_BACKOFF)
        processes.end(process, grace=0.2)
        raise HaproxyError(f"HAProxy was not ready within {START:g} s.")

    def _serving(self, process: Process) -> bool:
        """Whether the master has a worker, and that worker answers."""
        try:
            return bool(haproxy.workers(self._master).current) and bool(haproxy.ask(self.runtime, "show info", 0.5))
        except HaproxyError:
            return False

    def _await_reload(self, before: Workers) -> Workers:
        deadline = time.monotonic() + RELOAD
        while time.monotonic() < deadline:
            try:
                seen = haproxy.workers(self._master)
            except HaproxyError:
                seen = before
            if seen.failed > before.failed or (seen.current and set(seen.current) != set(before.current)):
                return seen
            time.sleep(LISTEN_BACKOFF)
        raise HaproxyError(f"HAProxy did not reload within {RELOAD:g} s.")


def unbindable(binds: Sequence[tuple[str, int]]) -> str | None:
    """Why one of these cannot be bound now; None when all can. For binds that nobody of ours has yet."""
    for address, port in binds:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((address, port))
            except OSError as error:
                return f"{address} port {port} cannot be bound: {error.strerror or error}."
    return None
