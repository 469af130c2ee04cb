"""Talking to one HAProxy: its runtime API, its master, its counters. Paths are relative to the agent's folder."""

import csv
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

CONFIG = "haproxy.cfg"
RUNTIME = "haproxy.sock"
MASTER = "master.sock"
PATIENCE = 5.0


class HaproxyError(Exception):
    """HAProxy does not answer, or does not do what it was told; its own words."""


class Workers(Struct, frozen=True):
    """The processes as the master sees them (management guide 9.4, `show proc`)."""

    reloads: int
    failed: int
    current: tuple[int, ...]


def ask(path: Path, command: str, timeout: float = PATIENCE) -> str:
    """The answer to one command. Raises HaproxyError."""
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


SILENT = ("", "New server registered.", "Server deleted.")


def tell(path: Path, command: str) -> None:
    """The command is done. Raises HaproxyError with what HAProxy said against it."""
    answer = ask(path, command)
    if answer not in SILENT:
        raise HaproxyError(f"{command.split(' id ')[0]}: {answer}")


def workers(path: Path) -> Workers:
    """Raises HaproxyError."""
    return parsed_workers(ask(path, "show proc", timeout=1.0))


def parsed_workers(text: str) -> Workers:
    reloads, failed, current, section = 0, 0, [], ""
    for line in text.splitlines():
        fields = line.split()
        if line.startswith("# "):
            section = line
        elif len(fields) > 3 and fields[1] == "master":
            reloads = int(fields[2]) if fields[2].isdecimal() else int(fields[3])
            failed = int(found.group(1)) if (found := re.search(r"\[failed: (\d+)\]", line)) else 0
        elif len(fields) > 2 and fields[1] == "worker" and section == "# workers":
            current.append(int(fields[0]))
    return Workers(reloads, failed, tuple(current))


def statistics(path: Path) -> list[dict[str, str]]:
    """The rows of `show stat` (management guide 9.1). Raises HaproxyError."""
    text = ask(path, "show stat", timeout=1.0)
    return list(csv.DictReader(text.removeprefix("# ").splitlines()))


def version(command: str) -> str:
    """The version of the binary, such as 2.6.12; empty where it cannot be run."""
    try:
        said = subprocess.run([command, "-v"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"version (\d+(?:\.\d+)+)", said)
    return found.group(1) if found else ""


def complaint(command: str, folder: Path, config: str) -> str | None:
    """What HAProxy has against this configuration file (binds are not tried); None when nothing."""
    done = subprocess.run(
        [command, "-c", "-f", config], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    return None if done.returncode == 0 else alerts(done.stderr + done.stdout)


def alerts(text: str) -> str:
    """The lines that say what is wrong, without HAProxy's decoration."""
    found = [line.partition(") : ")[2] or line for line in text.splitlines() if "[ALERT]" in line]
    return "; ".join(found[:3]) or text.strip()[-300:] or "HAProxy gave no reason."
