"""What this machine lets us do: tried in a child process, not guessed from user ids."""

import os
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from msgspec import Struct

CGROUPS = Path("/sys/fs/cgroup")
PARENT = "octavia"
TRY = "mount -t tmpfs tmpfs /run && echo 1 > /proc/sys/net/ipv4/ip_nonlocal_bind"
"""What an amphora's surroundings need: mounts, and the network's own sysctls."""


class Privileges(Struct, frozen=True, kw_only=True):
    """The strongest kind of namespaces that we can make, and a sentence for each stronger one that we cannot."""

    kind: Literal["root", "user-namespaces", "none"]
    reasons: tuple[str, ...] = ()
    cgroups: tuple[str, ...] = ()
    """Controllers of cgroup v1 whose limits we can set."""


def probe() -> Privileges:
    """Tries to make namespaces, in children; nothing is left of them."""
    why_not_root = refusal(["unshare", "-n", "-m"])
    if why_not_root is None:
        return Privileges(kind="root", cgroups=tuple(filter(writable, ("memory", "pids"))))
    no_root = f"Network namespaces of this host cannot be made: {why_not_root}."
    why_no_user = refusal(["unshare", "-U", "-r", "-n", "-m"])
    if why_no_user is None:
        return Privileges(kind="user-namespaces", reasons=(no_root,))
    return Privileges(kind="none", reasons=(no_root, f"User namespaces cannot be used: {why_no_user}{hint()}."))


def refusal(unshare: Sequence[str]) -> str | None:
    """Why this command cannot surround an amphora; None where it can."""
    try:
        done = subprocess.run([*unshare, "sh", "-c", TRY], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit status {done.returncode}"


def hint() -> str:
    """The setting that most likely forbids user namespaces."""
    for path, forbidding in (
        ("/proc/sys/user/max_user_namespaces", "0"),
        ("/proc/sys/kernel/unprivileged_userns_clone", "0"),
        ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"),
    ):
        file = Path(path)
        if file.exists() and file.read_text().strip() == forbidding:
            return f" ({path[10:].replace('/', '.')} is {forbidding})"
    return ""


@cache
def writable(controller: str) -> bool:
    """Whether a group of this controller of cgroup v1 can be made: a mere folder of that name would set no limit."""
    folder = CGROUPS / controller
    return (folder / "cgroup.procs").exists() and os.access(folder, os.W_OK | os.X_OK) and can_make_group(folder)


def can_make_group(folder: Path) -> bool:
    trial = folder / f"{PARENT}-trial-{os.getpid()}"
    try:
        trial.mkdir()
        trial.rmdir()
    except OSError:
        return False
    return True


def limit(name: str, pid: int, *, memory: int | None = None, pids: int | None = None) -> None:
    """The process, and what it starts from now on, has at most this much memory (bytes) and this many tasks.

    Says nothing where the machine cannot limit it. Raises OSError.
    """
    for controller, file, value in (("memory", "memory.limit_in_bytes", memory), ("pids", "pids.max", pids)):
        if value is not None and writable(controller):
            group = CGROUPS / controller / PARENT / name
            group.mkdir(parents=True, exist_ok=True)
            (group / file).write_text(str(value))
            (group / "cgroup.procs").write_text(str(pid))


def unlimit(name: str) -> None:
    """The group is gone; its processes must be."""
    remove_groups(f"{PARENT}/{name}")


def unlimit_all() -> None:
    """No group is left, where none is in use any more."""
    remove_groups(PARENT)


def remove_groups(path: str) -> None:
    for controller in ("memory", "pids"):
        try:
            (CGROUPS / controller / path).rmdir()
        except OSError:
            continue
