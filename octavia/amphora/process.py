"""One HAProxy master with its worker: started, adopted, reloaded, told, ended."""

import logging
import os
import signal
import socket
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from octavia.amphora import carry, haproxy
from octavia.amphora.haproxy import HaproxyError, Row, Unfit
from octavia.amphora.watch import Keeper
from octavia.host import processes
from octavia.host.processes import Process

LOGGER = logging.getLogger(__name__)
RECORD = "haproxy.json"
LOG = "haproxy.log"
LONGEST_LOG = 1 << 20
START = 5.0
RELOAD = 8.0
ADOPTION = 5.0
RELEASE = 0.5
"""Seconds that the kernel may take to free the ports of a HAProxy that has died: it is no process before it is done."""
POLL = 0.003
"""Seconds between two looks at a HAProxy that is starting: it tells nobody when it is ready."""
GLANCE = 0.5
"""Seconds that a HAProxy has to show its statistics."""


class Haproxy:
    """The HAProxy in one folder. Whoever holds it takes care that one thread at a time changes it."""

    def __init__(self, folder: Path, command: str) -> None:
        self.folder = folder
        self._master = folder / haproxy.MASTER
        self._command = command
        self._process: Process | None = None
        self._worker = 0
        self._finishing: frozenset[int] = frozenset()
        self._failed: list[str] = []
        self._young_until = 0.0

    @property
    def running(self) -> bool:
        return self._process is not None and processes.alive(self._process)

    def adopt(self, keeper: Keeper) -> bool:
        """Whether the HAProxy that an earlier agent started runs still and answers; it is kept alive from now on."""
        found = processes.recall(self.folder / RECORD)
        if found is None or not is_haproxy(found.pid):
            return False
        try:
            self._worker = self._await_worker(found, ADOPTION)
        except HaproxyError:
            return False
        self._process, self._young_until = found, time.monotonic() + carry.YOUNG
        keeper.follow(found)
        return True

    def start(self, keeper: Keeper, binds: Sequence[tuple[str, int]]) -> None:
        """It serves what its file says. Raises HaproxyError.

        Leftovers of one that died are ended before, and the binds are tried: HAProxies share ports silently.
        """
        self.end_leftovers()
        self._await_ports(binds)
        argv = [self._command, "-W", "-S", f"unix@{haproxy.MASTER},mode,600", "-f", haproxy.CONFIG]
        record, begin = self.folder / RECORD, self._log_end()
        # That there may be one is on record first: an agent that dies now is not the end of it.
        record.touch(mode=0o600)
        try:
            process = processes.spawn(argv, cwd=self.folder, log=self.folder / LOG)
        except OSError as error:
            raise HaproxyError(f"{self._command} cannot be run: {error}") from error
        processes.remember(record, process)
        try:
            self._worker = self._await_worker(process, START)
        except HaproxyError:
            died = not processes.alive(process)
            processes.end(process, grace=0)
            raise Unfit(self._alerts(begin)) if died else HaproxyError("HAProxy does not answer.") from None
        self._process, self._finishing = process, frozenset()
        self._carry([])
        keeper.follow(process)

    def reload(self) -> None:
        """A new worker serves what the file says; the old one finishes its connections. Raises HaproxyError."""
        assert self._process is not None
        failed, begin, before = haproxy.workers(self._master).failed, self._log_end(), self._worker
        entries = self._entries()
        try:
            os.kill(self._process.pid, signal.SIGUSR2)
        except ProcessLookupError:
            raise HaproxyError("HAProxy has just died.") from None
        worker = self._await_reload(failed)
        if worker is None:
            raise Unfit(self._alerts(begin))
        self._finishing, self._worker = self._finishing | {before}, worker
        self._carry(entries)

    def tell(self, commands: Iterable[str]) -> None:
        """The worker that takes new connections has done the commands. Raises HaproxyError."""
        haproxy.tell(self._master, self._worker, commands)

    def statistics(self) -> dict[int, list[Row]]:
        """What the worker that takes new connections shows, and after it those that finish their last ones.

        Raises HaproxyError.
        """
        # Members that go up and down fill it too.
        self._log_end()
        worker = self._worker
        seen = {worker: haproxy.statistics(self._master, worker, GLANCE)}
        self._failed = carry.down(seen[worker])
        for old in sorted(self._finishing - {worker}):
            try:
                seen[old] = haproxy.statistics(self._master, old, GLANCE)
            except HaproxyError:
                self._finishing -= {old}
        return seen

    def servers(self) -> frozenset[str]:
        """Backend and name of each server, joined by a slash, of the worker that takes new connections.

        Raises HaproxyError.
        """
        rows = haproxy.statistics(self._master, self._worker, haproxy.PATIENCE)
        servers = (row for row in rows if ":" in row["pxname"] and row["svname"] not in ("FRONTEND", "BACKEND"))
        return frozenset(f"{row['pxname']}/{row['svname']}" for row in servers)

    def kill(self) -> None:
        """It does not run any more, as if it had died by itself."""
        if self._process is not None:
            processes.end(self._process, grace=0)

    def end(self) -> None:
        """No process of it is left."""
        gone, self._process = self._process, None
        if gone is not None:
            processes.end(gone, grace=1.0)
        self.end_leftovers()

    def end_leftovers(self) -> None:
        """No HAProxy works in this folder: a worker may have outlived its master."""
        if (self.folder / RECORD).exists():
            where = str(self.folder.resolve())
            processes.end_all(processes.those(lambda pid: works_in(pid, where) and is_haproxy(pid)), grace=0)

    def _entries(self) -> list[carry.Entry]:
        """What a worker that is too young would not hand over itself. Those that failed are noted anew on the way."""
        try:
            self.statistics()
            if time.monotonic() < self._young_until:
                return carry.entries(lambda command: haproxy.ask_worker(self._master, self._worker, command))
        except HaproxyError as error:
            LOGGER.warning("%s: a new worker will know nothing of what this one knew: %s", self.folder.name, error)
        return []

    def _carry(self, entries: Iterable[carry.Entry]) -> None:
        """The new worker knows of failed members and sticking clients what the one before it knew."""
        self._young_until = time.monotonic() + carry.YOUNG
        try:
            for complaint in haproxy.complaints(self._master, self._worker, carry.commands(entries, self._failed)):
                LOGGER.debug("%s: %s", self.folder.name, complaint)
        except HaproxyError as error:
            LOGGER.warning("%s: the new worker could not be told: %s", self.folder.name, error)

    def _await_ports(self, binds: Sequence[tuple[str, int]]) -> None:
        """Nobody has them. Raises HaproxyError."""
        patience = RELEASE if (self.folder / RECORD).exists() else 0.0
        deadline = time.monotonic() + patience
        while against := unbindable(binds):
            if time.monotonic() >= deadline:
                raise Unfit(against)
            time.sleep(POLL)

    def _await_worker(self, process: Process, patience: float) -> int:
        """The worker, as soon as it answers. Raises HaproxyError."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and processes.alive(process):
            try:
                for worker in haproxy.workers(self._master).current:
                    haproxy.ask_worker(self._master, worker, "show version", 1.0)
                    return worker
            except HaproxyError:
                pass
            time.sleep(POLL)
        raise HaproxyError("HAProxy is not there, or does not answer.")

    def _await_reload(self, failed: int) -> int | None:
        """The new worker; None if there is none, and the old one serves on. Raises HaproxyError."""
        deadline = time.monotonic() + RELOAD
        while time.monotonic() < deadline and self.running:
            time.sleep(POLL)
            try:
                seen = haproxy.workers(self._master)
            except HaproxyError:
                continue
            if seen.failed > failed:
                return None
            for worker in seen.current:
                if worker != self._worker:
                    return worker
        raise HaproxyError(f"HAProxy did not reload within {RELOAD:g} s.")

    def _log_end(self) -> int:
        """Where the log ends now; it is emptied when it has become long."""
        log = self.folder / LOG
        if not log.exists():
            return 0
        if log.stat().st_size > LONGEST_LOG:
            os.truncate(log, 0)
        return log.stat().st_size

    def _alerts(self, begin: int) -> str:
        text = (self.folder / LOG).read_bytes()
        return haproxy.alerts(text[begin if begin <= len(text) else 0 :].decode(errors="replace"))


def works_in(pid: int, folder: str) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/cwd") == folder
    except OSError:
        return False


def is_haproxy(pid: int) -> bool:
    """Whether it is one of ours, whatever its command is called."""
    return {"-W", haproxy.CONFIG} <= set(processes.arguments(pid))


def unbindable(binds: Iterable[tuple[str, int]]) -> str | None:
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
