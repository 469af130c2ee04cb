"""`octavia serve` and the hosts around it, in namespaces of their own, so that a test leaves nothing on this machine.

Two kinds. `root`: a network and a mount namespace hold everything, the API included. `rootless`: `octavia serve` runs
as an unprivileged user (this one, or nobody when we are root) and makes its own namespaces.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from octavia.drivers.network.local import network_id
from octavia.host import links, namespaces

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
NOBODY = 65534
BASE = "mount -t tmpfs tmpfs /run && ip link set lo up && echo ready && exec sleep 3600"
PATIENCE = 30.0


class Stage:
    """One deployment and its surroundings."""

    def __init__(self, kind: str, *, serve: Sequence[str] | None = None) -> None:
        self.kind = kind
        self.port = 9876 if kind == "root" else free_port()
        self.command = list(serve or [python(kind), "-m", "octavia.cli"])
        self.state = Path(tempfile.mkdtemp(prefix="octavia-e2e-"))
        self.log = self.state / "serve.log"
        self.children: list[subprocess.Popen[Any]] = []
        self.serving: subprocess.Popen[Any] | None = None
        self.base: subprocess.Popen[str] | None = None
        if kind == "rootless" and os.geteuid() == 0:
            os.chown(self.state, NOBODY, NOBODY)
        if kind == "root":
            self.base = subprocess.Popen(
                ["unshare", "-n", "-m", "sh", "-c", BASE], stdout=subprocess.PIPE, text=True, start_new_session=True
            )
            assert self.base.stdout is not None
            assert self.base.stdout.readline() == "ready\n"

    # --- processes -------------------------------------------------------------------------------------------------

    def as_user(self, argv: Sequence[str]) -> list[str]:
        """The command as the user, and in the namespaces, that `octavia serve` is started in."""
        if self.base is not None:
            return ["nsenter", "-t", str(self.base.pid), "-n", "-m", f"--wdns={ROOT}", "--", *argv]
        if os.geteuid() == 0:
            user = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
            return ["setpriv", *user, "--", *argv]
        return list(argv)

    def environment(self) -> dict[str, str]:
        extra = {"OS_AUTH_TYPE": "none", "OS_ENDPOINT": self.endpoint, "PYTHONDONTWRITEBYTECODE": "1"}
        return os.environ | extra | {"HOME": str(self.state), "PYTHONPATH": python_path(self.kind)}

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def octavia(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """The `octavia` command with this state folder, where it takes one."""
        return self.run([*self.command, *arguments])

    def run(
        self, argv: Sequence[str], *, check: bool = True, timeout: float = 120
    ) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            self.as_user(argv),
            env=self.environment(),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert not check or done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done

    def reach(self, argv: Sequence[str]) -> list[str]:
        """The command where the VIPs are."""
        return self.as_user([*self.command, "exec", "--state-path", str(self.state / "state"), "--", *argv])

    def inside(self, argv: Sequence[str], *, check: bool = True) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            self.reach(argv), env=self.environment(), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        assert not check or done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done

    def spawn(self, argv: Sequence[str]) -> "subprocess.Popen[str]":
        child = subprocess.Popen(
            self.reach(argv),
            env=self.environment(),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.children.append(child)
        return child

    # --- octavia serve ---------------------------------------------------------------------------------------------

    def serve(self, *arguments: str, config: str | None = None) -> None:
        """`octavia serve` is ready."""
        argv = [*self.command, "serve", "--state-path", str(self.state / "state"), "--bind-port", str(self.port)]
        if config is not None:
            file = self.state / "octavia.conf"
            file.write_text(config)
            argv += ["--config-file", str(file)]
        with open(self.log, "ab") as log:
            self.serving = subprocess.Popen(
                self.as_user([*argv, *arguments]),
                env=self.environment(),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        assert self.serving.stdout is not None
        for line in self.serving.stdout:
            if line.startswith("ready:"):
                return
        raise AssertionError(f"octavia serve did not start: {self.log.read_text()[-3000:]}")

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """`octavia serve` is gone; the amphorae were not asked."""
        assert self.serving is not None
        for pid in [*descendants(self.serving.pid), self.serving.pid]:
            if " serve " in command_of(pid) or pid == self.serving.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        self.serving.wait(timeout=30)
        if self.serving.stdout is not None:
            self.serving.stdout.close()
        self.serving = None

    def close(self) -> None:
        """Nothing is left of it all."""
        for child in self.children:
            stop(child)
        if self.serving is not None:
            self.kill(signal.SIGTERM)
        self.octavia("destroy", "--all", "--state-path", str(self.state / "state"))
        if self.base is not None:
            self.end_base()
        shutil.rmtree(self.state)

    def end_base(self) -> None:
        assert self.base is not None
        left = [pid for pid in everyone() if pid != self.base.pid and same_network(pid, self.base.pid)]
        self.base.kill()
        self.base.wait()
        assert self.base.stdout is not None
        self.base.stdout.close()
        assert not left, [command_of(pid) for pid in left]

    # --- the API ---------------------------------------------------------------------------------------------------

    def call(self, verb: str, path: str, body: Any = None, *, status: int | None = None) -> Any:
        """The API's answer, decoded."""
        with self.near():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            headers = {"Content-Type": "application/json"} if body is not None else {}
            try:
                connection.request(
                    verb,
                    path if path.startswith("/v2/") else f"/v2/lbaas{path}",
                    json.dumps(body) if body is not None else None,
                    headers,
                )
                answer = connection.getresponse()
                content = answer.read()
            finally:
                connection.close()
        assert status is None or answer.status == status, f"{verb} {path}: {answer.status} {content!r}"
        assert status is not None or answer.status < 300, f"{verb} {path}: {answer.status} {content!r}"
        return json.loads(content) if content else None

    @contextmanager
    def near(self) -> Iterator[None]:
        """This thread opens its sockets where the API listens."""
        if self.base is None:
            yield
            return
        with namespaces.entered(Path(f"/proc/{self.base.pid}/ns/net")):
            yield

    def until(self, true: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
        """What the function returns, once that is true."""
        deadline = time.monotonic() + seconds
        while not (found := true()):
            assert time.monotonic() < deadline, f"{what} did not come true; {self.said()}"
            time.sleep(0.02)
        return found

    def said(self) -> str:
        return self.log.read_text()[-2000:]

    def active(self, load_balancer_id: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """The load balancer, once it is ACTIVE."""

        def seen() -> dict[str, Any] | None:
            found: dict[str, Any] = self.call("GET", f"/loadbalancers/{load_balancer_id}")["loadbalancer"]
            return found if found["provisioning_status"] == "ACTIVE" else None

        found: dict[str, Any] = self.until(seen, f"load balancer {load_balancer_id} ACTIVE", seconds)
        return found

    def subnet(self, name: str = "demo") -> str:
        with self.near():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            connection.request("GET", f"/v2.0/subnets?name={name}")
            found = json.loads(connection.getresponse().read())["subnets"]
            connection.close()
        return str(found[0]["id"])

    def create(self, *members: tuple[str, int], listeners: int = 1, port: int = 80, **pool: Any) -> dict[str, Any]:
        """A fully populated load balancer that is ACTIVE: listeners on ports from this one, one pool."""
        given = {"name": "pool", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"} | pool
        given["members"] = [{"address": address, "protocol_port": number} for address, number in members]
        body = {
            "name": "lb",
            "vip_subnet_id": self.subnet(),
            "pools": [given],
            "listeners": [
                {"name": f"l{n}", "protocol": "HTTP", "protocol_port": port + n, "default_pool": {"name": "pool"}}
                for n in range(listeners)
            ],
        }
        made = self.call("POST", "/loadbalancers", {"loadbalancer": body}, status=201)["loadbalancer"]
        return self.active(made["id"]) | {"pools": made["pools"], "listeners": made["listeners"]}

    # --- hosts and traffic -----------------------------------------------------------------------------------------

    def host(self, number: int, name: str | None = None, port: int = 8080) -> tuple[str, int]:
        """A web server of this name in a namespace of its own on the demo network. Its address and port."""
        address = f"198.18.12.{number}"
        namespace, bridge = f"host{number}", links.bridge_name(network_id("demo"))
        steps = [
            f"ip netns add {namespace}",
            f"ip link add host{number} type veth peer name eth0 netns {namespace}",
            f"ip link set host{number} master {bridge} up",
            f"ip -n {namespace} link set lo up",
            f"ip -n {namespace} address add {address}/20 dev eth0",
            f"ip -n {namespace} address add {six(number)}/64 dev eth0 nodad || :",
            f"ip -n {namespace} link set eth0 up",
        ]
        self.inside(["sh", "-ec", "\n".join(steps)])
        self.web(number, name or f"m{number}", address, port)
        return address, port

    def web(self, number: int, name: str, address: str, port: int = 8080) -> "subprocess.Popen[str]":
        """Another web server on this host, which has the address given or six(number) for IPv6."""
        argv = [python(self.kind), str(HERE / "member.py"), name, address, str(port)]
        return self.spawn(["nsenter", f"--net=/run/netns/host{number}", *argv])

    def traffic(self, vip: str, port: int = 80, interval: float = 0.005, limit: float = 60) -> "Traffic":
        argv = [python(self.kind), str(HERE / "traffic.py"), vip, str(port), str(interval), str(limit)]
        return Traffic(self.spawn(argv))

    def get(self, vip: str, port: int = 80) -> str:
        """Who answers on the VIP, as soon as somebody does."""
        target = f"http://[{vip}]:{port}/" if ":" in vip else f"http://{vip}:{port}/"

        def answer() -> str:
            done = self.inside(["curl", "-s", "-m", "2", "-f", target], check=False)
            return done.stdout.split()[0] if done.returncode == 0 and done.stdout else ""

        return str(self.until(answer, f"an answer from {target}"))

    # --- what is inside --------------------------------------------------------------------------------------------

    def amphorae(self) -> list[str]:
        folder = self.state / "state" / "amphorae"
        return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []

    def pid_of(self, amphora_id: str, what: str) -> int:
        """The process id of the `agent`, of the HAProxy `master`, or of its `worker`."""
        folder = self.state / "state" / "amphorae" / amphora_id
        if what == "agent":
            return int(json.loads((folder / "agent.json").read_text())["pid"])
        record = next(iter((folder / "lb").glob("*/haproxy.json")))
        master = int(json.loads(record.read_text())["pid"])
        return master if what == "master" else next(iter(descendants(master)))


class Traffic:
    """A client that runs beside the test."""

    def __init__(self, child: "subprocess.Popen[str]") -> None:
        self.child = child
        self.first("")

    def first(self, name: str) -> float:
        """When (seconds since 1970) this member, or any for an empty name, answered for the first time."""
        assert self.child.stdout is not None
        for line in self.child.stdout:
            words = line.split()
            if words[0] == "first" and name in ("", words[1]):
                return float(words[2])
        raise AssertionError(f"{name or 'nobody'} has answered")

    def stop(self) -> dict[str, Any]:
        """What it has seen."""
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.close()
        lines = self.child.stdout.read().splitlines()
        self.child.wait(timeout=30)
        self.child.stdout.close()
        found: dict[str, Any] = json.loads(lines[-1])
        return found


def free_port() -> int:
    """A port of this host that nobody has; one in namespaces of our own needs no choosing."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def six(number: int) -> str:
    """The IPv6 address of a host."""
    return f"fd6f:6374:6176::12:{number}"


def stop(child: "subprocess.Popen[Any]") -> None:
    child.terminate()
    try:
        child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None and not pipe.closed:
            pipe.close()


def everyone() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdecimal()]


def same_network(pid: int, other: int) -> bool:
    try:
        return os.stat(f"/proc/{pid}/ns/net").st_ino == os.stat(f"/proc/{other}/ns/net").st_ino
    except OSError:
        return False


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def descendants(pid: int) -> list[int]:
    """Children, and theirs."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    found = [int(child) for child in text.split()]
    return [*found, *(below for child in found for below in descendants(child))]


def python(kind: str) -> str:
    """A Python that the user of this kind can run."""
    if kind == "rootless" and os.geteuid() == 0 and not readable_by_all(Path(sys.executable).resolve()):
        return "/usr/bin/python3"
    return sys.executable


def python_path(kind: str) -> str:
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    return os.pathsep.join([str(ROOT), packages]) if python(kind) != sys.executable else str(ROOT)


def readable_by_all(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in (path, *path.parents))
