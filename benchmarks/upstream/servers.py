"""The three that are compared: upstream and ours as two API processes on MariaDB, and `octavia serve` on SQLite."""

import os
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from benchmarks.harness import undisturbed, waited
from benchmarks.machine import pss
from benchmarks.upstream.databases import Kept
from benchmarks.upstream.install import alone
from tools.mariadb import Server
from tools.stage import PROGRAMS, ROOT, Stage, StageError, end, processes, read_proc

LIST = "/v2/lbaas/loadbalancers"
WORKERS, THREADS = 2, 4
GUNICORN = f"--worker-class gthread --workers {WORKERS} --threads {THREADS} --keep-alive 75 --worker-tmp-dir /dev/shm"
"""As `octavia api` has it."""
NOOP = """[controller_worker]
compute_driver = noop
network_driver = noop
amphora_driver = noop
sweep_interval = 3600
"""
OURS = f"""[database]
connection = {{connection}}
[api_settings]
api_workers = {WORKERS}
api_threads = {THREADS}
"""
UPSTREAM = """[DEFAULT]
transport_url = fake://
[database]
connection = {connection}
[api_settings]
auth_strategy = noauth
enabled_provider_drivers = noop_driver:does nothing
default_provider_driver = noop_driver
[controller_worker]
compute_driver = compute_noop_driver
network_driver = network_noop_driver
amphora_driver = amphora_noop_driver
image_driver = image_noop_driver
[certificates]
cert_manager = noop_cert_manager
"""
# Its own entry point reads the command line of the WSGI server as its own.
ENTRY = """from octavia.api.app import setup_app
application = setup_app(argv=["octavia-api", "--config-file", {config!r}])
"""
READY = re.compile(r"(?:ready|Listening at): http://127\.0\.0\.1:(\d+)")
PATIENCE = 60.0


class Side(Protocol):
    """One of those that are compared."""

    name: str

    @property
    def port(self) -> int: ...

    def pids(self) -> list[int]:
        """Of all its API processes."""

    def reset(self) -> None:
        """Its database is as it was after it was filled."""


class Forked:
    """API processes that gunicorn has forked, with a database on the MariaDB server."""

    def __init__(self, name: str, kept: Kept, pid: int, port: int) -> None:
        self.name = name
        self.port = port
        self._kept = kept
        self._pid = pid

    def pids(self) -> list[int]:
        return family(self._pid)

    def keep(self) -> None:
        self._kept.keep()

    def reset(self) -> None:
        self._kept.restore()


class Serve:
    """`octavia serve` with everything in one process."""

    def __init__(self, name: str, stage: Stage) -> None:
        self.name = name
        self.stage = stage
        self._kept = stage.state.with_name(stage.state.name + "-kept")

    @property
    def port(self) -> int:
        return int(self.stage.endpoint.rpartition(":")[2])

    def pids(self) -> list[int]:
        return [pid for pid in processes() if self._is(read_proc(pid, "cmdline").split(b"\0"))]

    def _is(self, words: list[bytes]) -> bool:
        return b"serve" in words and os.fsencode(self.stage.state) in words

    def keep(self) -> None:
        self.stage.stop()
        shutil.copytree(self.stage.state, self._kept)
        self.stage.start(config=NOOP)

    def reset(self) -> None:
        self.stage.stop()
        for file in self.stage.state.glob("octavia.db*"):
            file.unlink()
        for file in self._kept.glob("octavia.db*"):
            shutil.copy2(file, self.stage.state)
        self.stage.start(config=NOOP)


@contextmanager
def staged(name: str) -> Iterator[Stage]:
    """A state folder for `octavia serve`, which is not started yet; nothing is left of it but its log."""
    parent = ROOT / ".state"
    parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=parent) as folder:
        stage = Stage(Path(folder, "state"), parent / f"{name}.log")
        try:
            yield stage
        finally:
            with undisturbed():
                stage.clear()


@contextmanager
def forked(
    name: str, kept: Kept, command: Sequence[str], environment: Mapping[str, str], folder: Path
) -> Iterator[Forked]:
    """This command, which forks API processes with gunicorn, serves until the end of the block."""
    log = ROOT / ".state" / f"bench-{name.replace(' ', '-')}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=dict(environment), cwd=folder)
    try:
        yield Forked(name, kept, process.pid, listening(process, log))
    finally:
        with undisturbed():
            end(process.pid)
            process.wait()


def listening(process: "subprocess.Popen[bytes]", log: Path) -> int:
    """The port on which it answers. Raises StageError."""
    ports: list[str] = []

    def ready() -> bool:
        if process.poll() is not None:
            raise StageError(f"it has ended: {log.read_text(errors='replace').strip()[-600:]} (more in {log})")
        ports[:] = READY.findall(log.read_text(errors="replace"))
        return bool(ports) and answers(int(ports[0]), log)

    waited(ready, f"an answer of the API (more in {log})", PATIENCE)
    return int(ports[0])


def answers(port: int, log: Path) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{LIST}?limit=1", timeout=PATIENCE):
            return True
    except urllib.error.HTTPError as error:
        raise StageError(f"the API answers {error.code} (more in {log})") from None
    except OSError:
        return False


@contextmanager
def upstream(server: Server, programs: Path, folder: Path) -> Iterator[Forked]:
    """OpenStack Octavia's API over drivers that do nothing, its database migrated."""
    config, entry = folder / "upstream.conf", folder / "upstream_entry.py"
    config.write_text(UPSTREAM.format(connection=server.create("upstream")))
    entry.write_text(ENTRY.format(config=str(config)))
    migrate = [str(programs / "octavia-db-manage"), "--config-file", str(config), "upgrade", "head"]
    done = subprocess.run(migrate, env=alone(), cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StageError(f"upstream's database was not migrated: {done.stderr.strip()[-600:]}")
    # Its name is that of our package: a folder in which ours is must not be the current one.
    command = [str(programs / "gunicorn"), "--bind", "127.0.0.1:0", "--no-control-socket", *GUNICORN.split()]
    with forked("upstream", Kept(server, "upstream"), [*command, f"{entry.stem}:application"], alone(), folder) as side:
        yield side


@contextmanager
def ours(server: Server, stage: Stage, connection: str) -> Iterator[Forked]:
    """Our API over the same drivers; its database is there and filled."""
    config = stage.state.parent / "octavia.conf"
    config.write_text(OURS.format(connection=connection) + NOOP)
    command = [str(PROGRAMS / "octavia"), "api", "--bind-port", "0", "--config-file", str(config)]
    command += ["--state-path", str(stage.state)]
    with forked("octavia api", Kept(server, "ours"), command, os.environ, stage.state.parent) as side:
        yield side


def family(pid: int) -> list[int]:
    """This process and those that it has forked."""
    found = [pid]
    for other in processes():
        fields = read_proc(other, "stat").rpartition(b")")[2].split()
        if len(fields) > 1 and int(fields[1]) == pid:
            found.append(other)
    return found


def memory(side: Side) -> float:
    """Megabytes (PSS) of all its API processes together."""
    return sum(pss(pid) for pid in side.pids())
