"""Where this process runs and where it keeps things: settings, state folder, privileges, the namespaces to be in."""

import fcntl
import logging
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from msgspec import Struct, structs

from octavia.drivers.network.local import DEMO_LOOPBACK, Definition
from octavia.host import holder, privileges
from octavia.settings import Settings, SettingsError, load


class CannotStart(Exception):
    """The command cannot do what it was asked to; one sentence that says what to do."""


class Place(Struct, frozen=True, kw_only=True):
    """What the amphorae are on this machine, and why."""

    compute: Literal["netns", "process", "noop"]
    rootless: bool = False
    sentences: tuple[str, ...] = ()

    def haproxy_user(self, settings: Settings) -> str | None:
        """Whom HAProxy becomes: only root can become somebody else."""
        can = os.geteuid() == 0 and not self.rootless and self.compute != "noop"
        return settings.haproxy_amphora.user if can else None

    def subnets(self, settings: Settings) -> Sequence[Definition]:
        if self.compute == "process":
            return DEMO_LOOPBACK
        return [
            Definition(name=subnet.name, cidr=subnet.cidr, network=subnet.network, gateway=subnet.gateway)
            for subnet in settings.local_network.subnets
        ]

    def enter(self, settings: Settings) -> None:
        """This process, which must have one thread, is where the amphorae's links are."""
        if self.rootless:
            holder.enter(holder.ensure(settings.state_path))

    def leave_nothing(self, settings: Settings, clear: Callable[[], None]) -> None:
        """What `clear` removes is removed, from where it can be reached, and the holder after it."""
        if not self.rootless:
            clear()
            return
        # A child goes into the namespaces, so that we can remove them from outside.
        child = os.fork()
        if child == 0:
            self._cleared(settings, clear)
        os.waitpid(child, 0)
        holder.remove(settings.state_path)

    def _cleared(self, settings: Settings, clear: Callable[[], None]) -> None:
        status = 1
        try:
            found = holder.find(settings.state_path)
            if found is not None:
                holder.enter(found)
            clear()
            status = 0
        finally:
            sys.stdout.flush()
            os._exit(status)


def find(settings: Settings) -> Place:
    """The best kind of compute that this machine allows, or the one that is configured. Raises CannotStart."""
    wanted = settings.controller_worker.compute_driver
    if wanted == "noop":
        return Place(compute="noop", sentences=("compute: noop, as configured. Nothing carries traffic.",))
    if wanted == "process":
        check_programs(settings)
        return Place(compute="process", sentences=("compute: process, as configured.",))
    check_programs(settings)
    can = privileges.probe()
    if can.kind != "none":
        rootless = can.kind == "user-namespaces"
        kind = "netns, rootless in user namespaces" if rootless else "netns, with root"
        return Place(compute="netns", rootless=rootless, sentences=(*can.reasons, f"compute: {kind}."))
    if wanted == "netns":
        raise CannotStart("compute_driver is netns, but " + " ".join(can.reasons))
    return Place(compute="process", sentences=(*can.reasons, "compute: process, the last resort."))


def elsewhere(settings: Settings) -> Place:
    """The kind of compute that a controller elsewhere has: the one that is configured, else what it would be here."""
    wanted = settings.controller_worker.compute_driver
    if wanted == "auto":
        wanted = "netns" if privileges.probe().kind != "none" else "process"
    return Place(compute=wanted)


def check_programs(settings: Settings) -> None:
    """What amphorae are made with is installed. Raises CannotStart."""
    packages = {settings.haproxy_amphora.haproxy_command: "haproxy", "ip": "iproute2", "openssl": "openssl"}
    packages |= {"unshare": "util-linux", "nsenter": "util-linux"}
    missing = {package for program, package in packages.items() if shutil.which(program) is None}
    if missing:
        names = " ".join(sorted(missing))
        raise CannotStart(f"These programs are not installed: {names}. On Debian: apt-get install {names}")


def settings(
    config_files: Sequence[Path], state_path: Path | None, *, bind_host: str | None = None, bind_port: int | None = None
) -> Settings:
    """The settings of these files, with what the command line says in their place. Raises CannotStart."""
    try:
        loaded = load(config_files, state_path=state_path, privileged=os.geteuid() == 0)
        said = {"bind_host": bind_host, "bind_port": bind_port}
        given = {name: value for name, value in said.items() if value is not None}
        # The struct checks itself again: what the command line says is no better than a file.
        api = structs.replace(loaded.api_settings, **given)
    except SettingsError as error:
        raise CannotStart(str(error)) from None
    for warning in loaded.warnings:
        print(f"octavia: {warning}", file=sys.stderr)
    return structs.replace(loaded, api_settings=api)


@contextmanager
def alone(state_path: Path) -> Iterator[None]:
    """No second controller works on this state folder. Raises CannotStart where one does."""
    with locked(state_path / "serve.lock", fcntl.LOCK_EX) as other:
        if other is not None:
            raise CannotStart(
                f"`octavia serve` works on {state_path} already (process {other}). Stop it with `kill {other}`, "
                "or choose another folder with --state-path."
            )
        yield


@contextmanager
def beside(state_path: Path) -> Iterator[None]:
    """An API works on this state folder: one of any number, with a controller or without."""
    with locked(state_path / "api.lock", fcntl.LOCK_SH):
        yield


@contextmanager
def no_api(state_path: Path) -> Iterator[None]:
    """No `octavia api` works on this state folder. Raises CannotStart where one does."""
    with locked(state_path / "api.lock", fcntl.LOCK_EX) as other:
        if other is not None:
            raise CannotStart(f"`octavia api` works on {state_path} (process {other}). Stop it with `kill {other}`.")
        yield


@contextmanager
def locked(path: Path, how: int) -> Iterator[str | None]:
    """The lock is ours; or the id of a process that has it in our way."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    other = None
    try:
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            other = os.pread(lock, 32, 0).decode().strip()
        yield other
    finally:
        os.close(lock)


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host if ':' not in host else f'[{host}]'}:{port}"


def api_socket(settings: Settings) -> socket.socket:
    """The API's listening socket. Opened before any namespace is entered, so that clients outside reach it."""
    api = settings.api_settings
    family = socket.AF_INET6 if ":" in api.bind_host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((api.bind_host, api.bind_port))
    except OSError as error:
        listener.close()
        raise CannotStart(
            f"{api.bind_host}:{api.bind_port} cannot be listened on: {error.strerror or error}. "
            "Choose another port with --bind-port."
        ) from None
    listener.listen(1024)
    return listener


def reaching(settings: Settings, argv: Sequence[str]) -> list[str]:
    """The command line that runs this command where the VIPs are."""
    found = holder.find(settings.state_path)
    return list(argv) if found is None else holder.exec_argv(found, argv)


def kept_secret(path: Path) -> bytes:
    """The secret in this file, made when there is none; only its owner can read it."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return bytes.fromhex(path.read_text())
    with open(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    return bytes.fromhex(path.read_text())


def remove_state(state_path: Path) -> None:
    """What we keep in the folder is gone, and the folder too where nothing else is in it."""
    for name in ("amphorae", "pki"):
        shutil.rmtree(state_path / name, ignore_errors=True)
    for pattern in ("octavia.db*", "heartbeat.key", "holder.json", "holder.log", "serve.lock", "api.lock"):
        for file in state_path.glob(pattern):
            file.unlink(missing_ok=True)
    try:
        state_path.rmdir()
    except OSError:
        print(f"{state_path} holds files that are not ours; they are left alone.", file=sys.stderr)


def log_to_stderr(*, debug: bool) -> None:
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
