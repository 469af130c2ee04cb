"""Without privileges: a small process that owns user, mount and network namespaces, and outlives `octavia serve`."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from octavia.host import kernel, namespaces, processes
from octavia.host.files import write
from octavia.host.processes import Process, Record

RECORD = "holder.json"
LOG = "holder.log"
GRACE = 1.0
SETUP = (
    "mount -t tmpfs -o mode=755 tmpfs /run && (ip link set lo up || :) && "
    "echo ready >/proc/self/fd/{news} && exec sleep infinity"
)
KINDS = kernel.NEWUSER | kernel.NEWNS | kernel.NEWNET


class Held(Struct, frozen=True):
    """What the state folder remembers of its holder."""

    process: Record
    user_namespace: int


def find(state: Path) -> Process | None:
    """The holder of this state folder, if one runs."""
    held = read(state)
    return processes.living(held.process) if held else None


def read(state: Path) -> Held | None:
    try:
        return msgspec.json.decode((state / RECORD).read_bytes(), type=Held)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def ensure(state: Path) -> Process:
    """A holder runs: we are root in its namespaces, /run is empty and ours, the network has but a loopback.

    Raises OSError with a sentence where the machine does not allow it.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(state):
        holder = find(state)
        if holder is None:
            # The network died with the last holder: what still runs in its namespaces cannot be reached any more.
            end_members(state)
            holder = start(state)
    return holder


@contextmanager
def locked(state: Path) -> Iterator[None]:
    """One at a time for each state folder, over all processes."""
    folder = os.open(state, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def start(state: Path) -> Process:
    reading, writing = os.pipe()
    with open(reading, "rb") as news:
        try:
            holder = spawn(state, writing)
        finally:
            os.close(writing)
        if news.readline() != b"ready\n":
            raise OSError(f"User namespaces cannot be used here: {last_line(state / LOG)}")
    inode = os.stat(f"/proc/{holder.pid}/ns/user").st_ino
    write(state / RECORD, msgspec.json.encode(Held(processes.record(holder), inode)), durable=False)
    return holder


def spawn(state: Path, news: int) -> Process:
    return processes.spawn(
        ["unshare", "-U", "-r", "-n", "-m", "sh", "-c", SETUP.format(news=news)],
        cwd=Path("/"),
        log=state / LOG,
        pass_fds=[news],
        reaped=False,
    )


def last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no reason was given"


def enter(holder: Process) -> None:
    """The current process, which has no second thread, is in the holder's namespaces, in the same folder as before.

    Sockets that were opened before stay where they were. Raises OSError.
    """
    if len(os.listdir("/proc/self/task")) > 1:
        raise OSError("Only a process without a second thread can enter the holder's namespaces.")
    folder = Path.cwd()
    handle = processes.handle(holder)
    if handle is None:
        raise ProcessLookupError(f"The holder (process {holder.pid}) is gone.")
    try:
        kernel.setns(handle, KINDS)
    finally:
        os.close(handle)
    processes.reap(holder)
    namespaces.raise_loopback()
    os.chdir(folder)


def exec_argv(holder: Process, command: Sequence[str]) -> list[str]:
    """The command line that runs this command in the holder's namespaces, in the current folder."""
    target = ["-t", str(holder.pid)]
    return ["nsenter", "-U", "--preserve-credentials", "-n", "-m", *target, f"--wdns={Path.cwd()}", "--", *command]


def remove(state: Path) -> None:
    """The holder is gone, with every process in its namespaces but ourselves, and so are they."""
    if not state.exists():
        return
    with locked(state):
        end_members(state)
        for name in (RECORD, LOG):
            (state / name).unlink(missing_ok=True)


def end_members(state: Path) -> None:
    """No process but ourselves is left in the user namespace of the folder's holder, living or dead."""
    held = read(state)
    if held is not None and held.process.boot == processes.boot_id():
        members = processes.in_namespace(held.user_namespace, "user")
        processes.end_all([member for member in members if member.pid != os.getpid()], grace=GRACE)
