"""Talking to one HAProxy through its master, which hands each command to the worker that is meant.

The runtime socket itself is shared by the old and the new worker for a moment of each reload: a command could reach
the one that is leaving. Paths are relative to the agent's folder, since a socket's path must be short.
"""

import re
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

CONFIG: Final = "haproxy.cfg"
MASTER: Final = "master.sock"
RUNTIME: Final = "haproxy.sock"
"""For people who want to look; the agent speaks through the master."""
PATIENCE: Final = 5.0
BATCH: Final = 40
"""Commands for one connection: they must fit into a buffer of 16 KiB."""
ACCEPTED: Final = re.compile(r"(New server registered\.|Server deleted\.|(IP|port) changed |no need to change )")
"""What HAProxy says to a command that it has done; to most it says nothing."""

Row = Mapping[str, str]
COLUMNS: Final = frozenset({"pxname", "svname", "scur", "slim", "stot", "bin", "bout", "ereq", "status"})


class HaproxyError(Exception):
    """HAProxy does not answer, or does not do what it was told; its own words. Trying again later may help."""


class Unfit(HaproxyError):
    """HAProxy will never do this, or not until somebody else gives way; what ran before runs still."""


class Workers(Struct, frozen=True):
    """The processes as the master sees them (management guide 9.4, `show proc`)."""

    failed: int
    """Reloads that failed since the last good one."""
    current: tuple[int, ...]
    """The worker that takes new connections, if there is one."""
    old: tuple[int, ...]
    """Those that finish their last connections."""


def ask(path: Path, command: str, timeout: float = PATIENCE) -> str:
    """The answer to one line. Raises HaproxyError."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.settimeout(timeout)
            channel.connect(str(path))
            channel.sendall(command.encode() + b"\n")
            # The master waits for the end of what we say before it ends what it says.
            channel.shutdown(socket.SHUT_WR)
            return b"".join(pieces(channel)).decode(errors="replace").strip()
    except OSError as error:
        raise HaproxyError(f"HAProxy does not answer on {path}: {error}") from error


def pieces(channel: socket.socket) -> Iterator[bytes]:
    while piece := channel.recv(65536):
        yield piece


def ask_worker(path: Path, worker: int, command: str, timeout: float = PATIENCE) -> str:
    """This worker's answer. Raises HaproxyError."""
    answer = ask(path, f"@!{worker} {command}", timeout)
    if answer.startswith("Can't find the target"):
        raise HaproxyError(f"HAProxy has no worker {worker} any more.")
    return answer


def tell(path: Path, worker: int, commands: Iterable[str]) -> None:
    """The worker has done the commands, in order. Raises HaproxyError with what it said against one of them: then it
    may have done others, those after it too."""
    for complaint in complaints(path, worker, commands):
        raise HaproxyError(complaint)


def complaints(path: Path, worker: int, commands: Iterable[str]) -> Iterator[str]:
    """What the worker says against these commands, which it does in order. Raises HaproxyError."""
    waiting = [f"@!{worker} {command}" for command in commands]
    while waiting:
        batch, waiting = waiting[:BATCH], waiting[BATCH:]
        said = ask(path, ";".join(batch)).splitlines()
        yield from (line.strip() for line in said if line.strip() and not ACCEPTED.match(line))


def workers(path: Path, timeout: float = 1.0) -> Workers:
    """Raises HaproxyError."""
    return parsed_workers(ask(path, "show proc", timeout))


def parsed_workers(text: str) -> Workers:
    failed, section = 0, ""
    found: dict[str, list[int]] = {"# workers": [], "# old workers": []}
    for line in text.splitlines():
        fields = line.split()
        if line.startswith("# "):
            section = line
        elif fields[1:2] == ["master"]:
            failed = int(said.group(1)) if (said := re.search(r"\[failed: (\d+)\]", line)) else 0
        elif fields[1:2] == ["worker"] and section in found:
            found[section].append(int(fields[0]))
    return Workers(failed, tuple(found["# workers"]), tuple(found["# old workers"]))


def statistics(path: Path, worker: int, timeout: float) -> list[Row]:
    """The rows of `show stat` (management guide 9.1) with the columns of use to us. Raises HaproxyError."""
    return list(parsed_statistics(ask_worker(path, worker, "show stat", timeout)))


def parsed_statistics(text: str) -> Iterator[Row]:
    """Nothing that could be quoted stands before or in our columns; names are identifiers of ours."""
    head, *lines = text.removeprefix("# ").splitlines() or [""]
    wanted = [(index, name) for index, name in enumerate(head.split(",")) if name in COLUMNS]
    if len(wanted) < len(COLUMNS):
        raise HaproxyError("HAProxy's statistics cannot be read.")
    last = wanted[-1][0]
    for line in lines:
        fields = line.split(",", last + 1)
        if len(fields) > last:
            yield {name: fields[index] for index, name in wanted}


def version(command: str) -> str:
    """The version of the binary, such as 2.6.12; empty where it cannot be run."""
    try:
        said = subprocess.run([command, "-v"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"version (\d+(?:\.\d+)+)", said)
    return found.group(1) if found else ""


def objection(command: str, folder: Path, config: str) -> str | None:
    """What HAProxy has against this configuration file (binds are not tried); None when nothing."""
    try:
        done = subprocess.run(
            [command, "-c", "-f", config], cwd=folder, capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{command} cannot be run: {error}"
    return None if done.returncode == 0 else alerts(done.stderr + done.stdout)


def alerts(text: str) -> str:
    """The lines that say what is wrong, without HAProxy's decoration."""
    found = [line.partition(") : ")[2] or line for line in text.splitlines() if "[ALERT]" in line]
    return "; ".join(found[:3]) or text.strip()[-300:] or "HAProxy gave no reason."
