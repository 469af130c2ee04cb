"""Processes by pidfd: started in sessions of their own, told apart from those that reuse their pid, watched, ended."""

import errno
import heapq
import itertools
import logging
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import msgspec

from octavia.host.files import write
from octavia.host.namespaces import entered

LOG = logging.getLogger(__name__)
KILLED = 10.0
"""Seconds that the kernel may take to end what was sent SIGKILL."""


class Process(msgspec.Struct, frozen=True):
    """One process, for all time: a later one with its pid has started at another tick."""

    pid: int
    started: int


class Record(msgspec.Struct, frozen=True):
    """A process as a file remembers it: pids and ticks begin anew with every boot of the machine."""

    pid: int
    started: int
    boot: str


OnExit = Callable[[Process], None]


def identify(pid: int) -> Process | None:
    """Who runs as this pid; None where nobody does, or only a zombie is left."""
    stat = status(pid)
    return None if stat is None or stat[0] in "ZX" else Process(pid, stat[1])


def alive(process: Process) -> bool:
    return identify(process.pid) == process


def status(pid: int) -> tuple[str, int] | None:
    """The state's letter, and the tick at which the process started (field 22, counted from after the name)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(b")")[2].split()
    return fields[0].decode(), int(fields[19])


def spawn(
    argv: Sequence[str],
    *,
    cwd: Path,
    log: Path,
    namespace: Path | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    reaped: bool = True,
) -> Process:
    """A child in a session of its own, its output appended to the log, started in this network namespace.

    It outlives us, and leaves no zombie while we live; unless reaped is False, for who must not have a second
    thread yet and calls `reap` later. Raises OSError where it cannot be started.
    """
    place: AbstractContextManager[None] = entered(namespace) if namespace else nullcontext()
    with open(log, "ab") as output, place:
        child = subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=pass_fds,
        )
    process = taken_over(child)
    if reaped:
        reap(process)
    return process


def taken_over(child: "subprocess.Popen[bytes]") -> Process:
    """The child does not depend on Popen any more, which would complain about a child that outlives it."""
    stat = status(child.pid)
    assert stat is not None, "a child stays visible until it is reaped"
    child.returncode = 0
    return Process(child.pid, stat[1])


def end(process: Process, *, grace: float) -> None:
    """It is gone: asked first, killed when the grace is over. Raises TimeoutError if not even that helps."""
    end_all([process], grace=grace)


def end_all(processes: Iterable[Process], *, grace: float) -> None:
    """All of them are gone, after one grace for all."""
    left = {fd for process in processes if (fd := handle(process)) is not None}
    try:
        for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, KILLED)):
            for fd in left:
                send(fd, number)
            for fd in exited(left, seconds):
                left.remove(fd)
                release(fd)
        if left:
            raise TimeoutError(f"{len(left)} processes did not end {KILLED} s after SIGKILL")
    finally:
        for fd in left:
            os.close(fd)


def wait(process: Process, timeout: float) -> bool:
    """Whether it was gone within this time."""
    fd = handle(process)
    if fd is None:
        return True
    try:
        return bool(exited({fd}, timeout))
    finally:
        os.close(fd)


def handle(process: Process) -> int | None:
    """A pidfd of the process, zombies included; None when it is gone."""
    try:
        fd = os.pidfd_open(process.pid)
    except OSError as error:
        # EINVAL: the number now belongs to a thread of another process.
        if error.errno in (errno.ESRCH, errno.EINVAL):
            return None
        raise
    stat = status(process.pid)
    if stat is not None and stat[1] == process.started:
        return fd
    os.close(fd)
    return None


def send(fd: int, number: signal.Signals) -> None:
    try:
        signal.pidfd_send_signal(fd, number)
    except ProcessLookupError:
        pass


def exited(handles: set[int], seconds: float) -> set[int]:
    """Those that have exited when all have, or when the time is over."""
    poll = select.poll()
    for fd in handles:
        poll.register(fd, select.POLLIN)
    deadline = time.monotonic() + seconds
    done: set[int] = set()
    while len(done) < len(handles):
        ready = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
        if not ready:
            break
        for fd, _ in ready:
            poll.unregister(fd)
            done.add(fd)
    return done


def release(fd: int) -> None:
    """The pidfd of an exited process is closed, and the process reaped if it was our child."""
    try:
        os.waitid(os.P_PIDFD, fd, os.WEXITED | os.WNOHANG)
    except ChildProcessError:
        pass
    os.close(fd)


class Watch:
    """One thread that waits for processes to exit, ours or not, and for moments to come."""

    def __init__(self, name: str = "watch") -> None:
        self._lock = threading.Lock()
        self._watched: dict[int, tuple[Process, OnExit]] = {}
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._closed = False
        self._bell = os.eventfd(0)
        self._epoll = select.epoll()
        self._epoll.register(self._bell, select.EPOLLIN)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def add(self, process: Process, on_exit: OnExit) -> None:
        """on_exit is called once in the watch's thread, as soon as the process has exited, or at once if it has."""
        fd = handle(process)
        if fd is None:
            self.later(0, lambda: on_exit(process))
            return
        with self._lock:
            if self._closed:
                os.close(fd)
                return
            self._watched[fd] = (process, on_exit)
            self._epoll.register(fd, select.EPOLLIN)

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """It is called in the watch's thread when this time has passed, unless the watch is closed before."""
        with self._lock:
            if not self._closed:
                heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), call))
                os.eventfd_write(self._bell, 1)

    def close(self) -> None:
        """Nothing is called any more; the processes go on."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            os.eventfd_write(self._bell, 1)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._closed:
            for call in [*self._exits(self._epoll.poll(self._patience())), *self._moments()]:
                if not self._closed:
                    self._safely(call)
        for fd in [*self._watched, self._bell]:
            os.close(fd)
        self._epoll.close()

    def _patience(self) -> float | None:
        with self._lock:
            return max(0.0, self._due[0][0] - time.monotonic()) if self._due else None

    def _exits(self, events: list[tuple[int, int]]) -> Iterator[Callable[[], None]]:
        for fd, _ in events:
            if fd == self._bell:
                os.eventfd_read(fd)
                continue
            with self._lock:
                process, on_exit = self._watched.pop(fd)
                self._epoll.unregister(fd)
            release(fd)
            yield lambda process=process, on_exit=on_exit: on_exit(process)  # type: ignore[misc]

    def _moments(self) -> Iterator[Callable[[], None]]:
        with self._lock:
            while self._due and self._due[0][0] <= time.monotonic():
                yield heapq.heappop(self._due)[2]

    def _safely(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:
            LOG.exception("a watcher failed")


REAPER_LOCK = threading.Lock()
REAPERS: list[Watch] = []


def reaper() -> Watch:
    """The watch that leaves no zombie of what was spawned, whether anybody else watches it or not."""
    with REAPER_LOCK:
        if not REAPERS:
            REAPERS.append(Watch("reaper"))
        return REAPERS[0]


def reap(process: Process) -> None:
    """It will leave no zombie, if it is our child."""
    reaper().add(process, lambda _: None)


def in_namespace(where: int | Path, kind: str = "net") -> list[Process]:
    """All processes in this namespace, named by its inode or by a file; those that we may not look at are left out."""
    inode = where if isinstance(where, int) else inode_at(where)
    return [] if inode is None else those(lambda pid: inode_of(pid, kind) == inode)


def those(fit: Callable[[int], bool]) -> list[Process]:
    """All processes whose pid fits: asked before and after they are identified, as a pid may pass to another."""
    found = ((pid, identify(pid)) for pid in pids() if fit(pid))
    return [process for pid, process in found if process is not None and fit(pid)]


def everyone() -> Iterator[Process]:
    return (process for pid in pids() if (process := identify(pid)) is not None)


def pids() -> Iterator[int]:
    return (int(entry) for entry in os.listdir("/proc") if entry.isdecimal())


def inode_of(pid: int, kind: str = "net") -> int | None:
    """The namespace of a process; None where it is gone or not ours to look at."""
    return inode_at(Path(f"/proc/{pid}/ns/{kind}"))


def inode_at(path: Path) -> int | None:
    try:
        return os.stat(path).st_ino
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None


def arguments(of: Process | int) -> tuple[str, ...]:
    """Its command line; empty where it is gone or not ours to look at."""
    return texts(f"/proc/{of if isinstance(of, int) else of.pid}/cmdline")


def environment(of: Process | int) -> tuple[str, ...]:
    """NAME=value, as it was started; empty where it is gone or not ours to look at."""
    return texts(f"/proc/{of if isinstance(of, int) else of.pid}/environ")


def texts(path: str) -> tuple[str, ...]:
    try:
        content = Path(path).read_bytes()
    except OSError:
        return ()
    return tuple(os.fsdecode(part) for part in content.split(b"\0")[:-1])


def record(process: Process) -> Record:
    return Record(process.pid, process.started, boot_id())


def living(written: Record) -> Process | None:
    """The process of the record, if it is alive."""
    process = Process(written.pid, written.started)
    return process if written.boot == boot_id() and alive(process) else None


def remember(path: Path, process: Process) -> None:
    """The file holds the process; it is whole at every moment."""
    write(path, msgspec.json.encode(record(process)), durable=False)


def recall(path: Path) -> Process | None:
    """The living process that the file holds, if there is one."""
    try:
        return living(msgspec.json.decode(path.read_bytes(), type=Record))
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
