"""An `octavia serve` of its own for the tour and the benchmarks, with web servers as members; nothing is left of it."""

import hashlib
import ipaddress
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from octavia.host.links import bridge_name

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = Path(sys.executable).parent
MARK = "OCTAVIA_STAGE"
"""The environment variable that tells to which stage a web server or a source of load belongs."""
WEB_PORT = 8080


class StageError(Exception):
    """The stage could not be set; a sentence, and what the daemon said last."""


class Refused(StageError):
    """The API refused a request."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(f"the API answered {code}: {sentence}")
        self.code = code


class Answer(NamedTuple):
    """One request of a Load, in monotonic seconds."""

    ended: float
    began: float
    who: str
    """A web server's name, or an exclamation mark and what went wrong."""

    @property
    def failed(self) -> bool:
        return self.who.startswith("!")


class Stage:
    """One state folder and what runs over it."""

    def __init__(self, state: Path, log: Path) -> None:
        self.state = state
        self.log = log
        self.endpoint = ""
        self.said: list[str] = []
        self.prefix = "octd" + hashlib.sha256(str(state).encode()).hexdigest()[:6] + "-"
        self._serve: subprocess.Popen[str] | None = None

    # The daemon

    def start(self, *, port: int | None = None, config: str = "", patience: float = 60) -> float:
        """`octavia serve` answers. Returns the seconds that it took."""
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = [str(PROGRAMS / "octavia"), "serve", "--state-path", str(self.state)]
        command += ["--bind-port", str(usable(port))]
        if config:
            file = self.log.with_suffix(".conf")
            file.write_text(config)
            command += ["--config-file", str(file)]
        began = time.monotonic()
        with self.log.open("a") as log:
            self._serve = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True, cwd=ROOT
            )
        watch = threading.Timer(patience, self._serve.kill)
        watch.start()
        try:
            self._await_ready(self._serve)
        finally:
            watch.cancel()
        return time.monotonic() - began

    def _await_ready(self, serve: "subprocess.Popen[str]") -> None:
        assert serve.stdout is not None
        for line in serve.stdout:
            if line.startswith("ready: "):
                self.endpoint = line.split()[1]
                # Whatever it says later must not fill the pipe.
                threading.Thread(target=serve.stdout.read, daemon=True).start()
                return
            self.said.append(line.rstrip())
        serve.wait()
        tail = "".join(self.log.read_text().splitlines(keepends=True)[-5:])
        raise StageError(f"`octavia serve` did not start.\n{tail}(more in {self.log})")

    @property
    def own_network(self) -> bool:
        """Whether amphorae have network namespaces."""
        return not any("compute: process" in line for line in self.said)

    def stop(self) -> None:
        """No `octavia serve` of this stage runs, however it was started."""
        serve, self._serve = self._serve, None
        if serve is not None:
            end(serve.pid)
            serve.wait()
            if serve.stdout is not None:
                serve.stdout.close()
        for pid in self._forgotten():
            end(pid)

    def _forgotten(self) -> Iterator[int]:
        for pid in processes():
            words = read_proc(pid, "cmdline").split(b"\0")
            if b"serve" in words and os.fsencode(self.state) in words:
                yield pid

    def clear(self) -> None:
        """Nothing is left of this stage but its log."""
        self.stop()
        for pid in processes():
            if f"{MARK}={self.state}".encode() in read_proc(pid, "environ").split(b"\0"):
                end(pid, signal.SIGKILL)
        self._remove_namespaces()
        if self.state.exists():
            self.octavia("destroy", "--all")
            shutil.rmtree(self.state, ignore_errors=True)

    def keep_agents_logs(self) -> None:
        """The end of each agent's log stands in ours, which outlives the state folder."""
        with self.log.open("a") as log:
            for file in sorted(self.state.glob("amphorae/*/agent.log")):
                lines = file.read_text(errors="replace").splitlines(keepends=True)[-50:]
                log.write(f"\n==> {file}\n" + "".join(lines))

    def haproxies(self) -> list[int]:
        """The HAProxy processes of all amphorae, masters and workers."""
        inside = os.fsencode(self.state.resolve()) + b"/"
        return [pid for pid in processes() if read_proc(pid, "comm") == b"haproxy\n" and within(pid, inside)]

    def _remove_namespaces(self) -> None:
        # Without root they are the holder's, and go with it.
        folder = Path("/run/netns")
        for name in sorted(folder.glob(self.prefix + "*")) if os.geteuid() == 0 and folder.exists() else ():
            # The kernel takes a namespace apart some time later, and the link's other end with it.
            subprocess.run(["ip", "link", "del", name.name], check=False, stderr=subprocess.DEVNULL)
            subprocess.run(["ip", "netns", "del", name.name], check=True)

    def octavia(self, *words: str) -> str:
        """A subcommand of octavia on this stage. Raises StageError."""
        command, *rest = words
        done = subprocess.run(
            [str(PROGRAMS / "octavia"), command, "--state-path", str(self.state), *rest],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
        if done.returncode:
            raise StageError(f"octavia {' '.join(words)} failed: {done.stderr.strip()}")
        return done.stdout

    def inside(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs this command where the VIPs are."""
        if os.geteuid() == 0 or not self.own_network:
            return list(argv)
        return [str(PROGRAMS / "octavia"), "exec", "--state-path", str(self.state), "--", *argv]

    @property
    def marked(self) -> dict[str, str]:
        return os.environ | {MARK: str(self.state)}

    # The API

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """What the API answers. Raises Refused."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.endpoint + path, data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.read().decode(errors="replace")) from None
        return json.loads(content) if content else None

    def exists(self, path: str) -> bool:
        try:
            self.call("GET", path)
        except Refused as refused:
            if refused.code == 404:
                return False
            raise
        return True

    def subnet(self) -> dict[str, Any]:
        """The subnet named demo."""
        found: dict[str, Any] = self.call("GET", "/v2.0/subnets?name=demo")["subnets"][0]
        return found

    # Members

    def member_address(self, number: int) -> str:
        """Near the end of the subnet, where no VIP is for a long time: 198.18.15.11 is the first."""
        cidr = ipaddress.ip_network(self.subnet()["cidr"])
        return str(cidr[-246 + number])

    def start_member(self, number: int) -> str:
        """A web server named web<number> answers on port 8080 of the address that is returned."""
        subnet, address = self.subnet(), self.member_address(number)
        length = subnet["cidr"].partition("/")[2]
        if self.own_network:
            more = ["up", bridge_name(subnet["network_id"]), self.prefix, str(number), f"{address}/{length}"]
        else:
            more = ["here", str(number), address]
        program = str(ROOT / "tools" / "members.py")
        subprocess.run(self.inside([sys.executable, program, *more]), env=self.marked, cwd=ROOT, check=True)
        return address

    def load(self, address: str, port: int, *, threads: int = 2, pause: float = 0.005) -> "Load":
        program = str(ROOT / "tools" / "load.py")
        argv = [sys.executable, program, address, str(port), str(threads), str(pause)]
        return Load(self.inside(argv), self.marked)


class Load:
    """Requests that go on until stop(); what became of each is in `answers`."""

    def __init__(self, argv: Sequence[str], environment: dict[str, str]) -> None:
        self.answers: list[Answer] = []
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=ROOT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            ended, began, who = line.rstrip("\n").split(" ", 2)
            self.answers.append(Answer(float(ended), float(began), who))

    def until(self, true: Callable[[Answer], bool], *, seconds: float = 30) -> Answer:
        """The first answer, from now or before, for which it is true. Raises StageError."""
        deadline = time.monotonic() + seconds
        seen = 0
        while time.monotonic() < deadline:
            for answer in self.answers[seen:]:
                seen += 1
                if true(answer):
                    return answer
            time.sleep(0.002)
        last = self.answers[-1].who if self.answers else "no answer at all"
        raise StageError(f"Not seen within {seconds:g} s; the last answer was: {last}")

    def stop(self) -> list[Answer]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        return self.answers


def usable(port: int | None) -> int:
    """This port where it is free; 0, which takes any, where it is not or does not matter."""
    if port is None:
        return 0
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


def processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]


def read_proc(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def within(pid: int, folder: bytes) -> bool:
    """Whether the process's current folder is in this one."""
    try:
        return os.readlink(f"/proc/{pid}/cwd".encode()).startswith(folder)
    except OSError:
        return False


def end(pid: int, number: signal.Signals = signal.SIGTERM, patience: float = 15) -> None:
    """The process is gone; it may be ours to reap or not."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, number)
            if not ended(handle, patience):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                ended(handle, patience)
    finally:
        os.close(handle)


def ended(handle: int, seconds: float) -> bool:
    return bool(select.select([handle], [], [], seconds)[0])
