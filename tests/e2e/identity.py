"""A real Keystone on loopback, and an API behind it: `octavia serve` with the noop drivers."""

import base64
import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple

from tests.e2e.stage import HERE, ROOT, free_port, stop

PINNED = HERE / "keystone-constraints.txt"
CACHE = ROOT / ".cache"
PASSWORD = "secret"
PATIENCE = 90.0
SERVICE_USER = "octavia"

KEYSTONE = """
[DEFAULT]
log_file = {folder}/keystone.log
[database]
connection = sqlite:///{folder}/keystone.db
[fernet_tokens]
key_repository = {folder}/keys
[fernet_receipts]
key_repository = {folder}/keys
[credential]
key_repository = {folder}/keys
[token]
expiration = {expiration}
[identity]
password_hash_rounds = 4
[cache]
enabled = false
"""
OCTAVIA = """
[controller_worker]
compute_driver = noop
network_driver = noop
amphora_driver = noop
[keystone_authtoken]
auth_type = password
auth_url = {keystone}
www_authenticate_uri = {keystone}
username = octavia
password = secret
project_name = service
user_domain_id = default
project_domain_id = default
http_request_max_retries = 0
"""


class NotInstalled(Exception):
    """Keystone cannot be had here; the reason."""


class Answer(NamedTuple):
    status: int
    body: Any
    headers: Message


def python_of_keystone() -> Path:
    """The Python of an environment with Keystone in it, and its first database beside it; made once for each set of
    pins. Raises NotInstalled.
    """
    pins = hashlib.sha256(PINNED.read_bytes() + sys.version.encode()).hexdigest()[:12]
    home = CACHE / f"keystone-{pins}"
    CACHE.mkdir(exist_ok=True)
    with open(CACHE / "keystone.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "complete").exists():
            shutil.rmtree(home, ignore_errors=True)
            run([sys.executable, "-m", "venv", str(home)])
            pip = [str(home / "bin" / "pip"), "install", "-q", "--disable-pip-version-check"]
            run([*pip, "-c", str(PINNED), "keystone", "waitress"])
            bootstrap(home)
            (home / "complete").touch()
    return home / "bin" / "python"


def bootstrap(home: Path) -> None:
    """A database with the roles and the administrator that every Keystone begins with, and its keys."""
    folder = home / "bootstrapped"
    keys = folder / "keys"
    keys.mkdir(mode=0o700, parents=True)
    for number in (0, 1):
        (keys / str(number)).write_bytes(base64.urlsafe_b64encode(os.urandom(32)))
    manage = [str(home / "bin" / "keystone-manage"), "--config-file", str(configured(folder, "first.conf"))]
    run([*manage, "db_sync"])
    run([*manage, "bootstrap", "--bootstrap-password", PASSWORD])


def configured(folder: Path, name: str, *, expiration: int = 3600) -> Path:
    """A configuration file for what is in this folder."""
    file = folder / name
    file.write_text(KEYSTONE.format(folder=folder, expiration=expiration))
    return file


def run(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=280, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NotInstalled(f"Keystone cannot be installed ({Path(argv[0]).name}): {last}")


def asked(port: int, verb: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    sent = dict(headers or {}) | ({"Content-Type": "application/json"} if body is not None else {})
    try:
        connection.request(verb, path, None if body is None else json.dumps(body), sent)
        answer = connection.getresponse()
        content = answer.read()
        is_json = (answer.headers.get("Content-Type") or "").startswith("application/json")
        return Answer(answer.status, json.loads(content) if is_json and content else content, answer.headers)
    finally:
        connection.close()


def until_answered(port: int, path: str, child: "subprocess.Popen[Any]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while child.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if asked(port, "GET", path).status < 500:
                return
        time.sleep(0.05)
    raise AssertionError(f"nobody answers on port {port}: {log.read_text()[-3000:]}")


class Keystone:
    """Users admin, member, reader, cook (of no meaning) and service in projects of their own; `other` elsewhere."""

    def __init__(self, folder: Path) -> None:
        self._python = python_of_keystone()
        self._folder = folder
        self.port = free_port()
        shutil.copytree(self._python.parents[1] / "bootstrapped", folder, dirs_exist_ok=True)
        self._child = self._served(configured(folder, "keystone.conf"), self.port)
        self._ids: dict[tuple[str, str], str] = {}
        try:
            self._populate()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v3"

    def _served(self, config: Path, port: int) -> "subprocess.Popen[Any]":
        log = self._folder / f"{config.stem}.out"
        argv = [str(self._python), "-W", "ignore", str(HERE / "identity_server.py"), str(config), str(port)]
        with open(log, "wb") as output:
            child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self._folder)
        try:
            until_answered(port, "/v3", child, log)
        except BaseException:
            stop(child)
            raise
        return child

    def close(self) -> None:
        stop(self._child)

    # --- who there is ----------------------------------------------------------------------------------------------

    def _populate(self) -> None:
        self._admin = self.token("admin", "admin")
        for name in ("one", "two", "service"):
            self._make("project", name, domain_id="default")
        self._make("role", "cook")
        people = [("member", "one", "member"), ("reader", "one", "reader"), ("cook", "one", "cook")]
        people += [("other", "two", "member"), ("service", "service", "service"), (SERVICE_USER, "service", "service")]
        for user, project, role in people:
            self._make(
                "user", user, password=PASSWORD, domain_id="default", default_project_id=self.id_of("project", project)
            )
            self._grant(f"/projects/{self.id_of('project', project)}", user, role)
        self._ids["user", "admin"] = self._find("user", "admin")
        self._grant("/domains/default", "admin", "admin")
        self.offer("identity", self.url)

    def _make(self, kind: str, name: str, **fields: Any) -> str:
        made = self.admin("POST", f"/{kind}s", {kind: {"name": name, **fields}}).body[kind]
        self._ids[kind, name] = made["id"]
        return str(made["id"])

    def _find(self, kind: str, name: str) -> str:
        return str(self.admin("GET", f"/{kind}s?name={name}").body[f"{kind}s"][0]["id"])

    def _grant(self, scope: str, user: str, role: str) -> None:
        found = self._ids.get(("role", role)) or self._find("role", role)
        self.admin("PUT", f"{scope}/users/{self.id_of('user', user)}/roles/{found}")

    def offer(self, kind: str, url: str) -> None:
        """The catalog of every token names this service."""
        service = self._make("service", kind, type=kind)
        for interface in ("public", "internal", "admin"):
            endpoint = {"service_id": service, "interface": interface, "url": url}
            self.admin("POST", "/endpoints", {"endpoint": endpoint})

    def id_of(self, kind: str, name: str) -> str:
        """The id of a user, a project, a role or a service."""
        return self._ids[kind, name]

    def admin(self, verb: str, path: str, body: Any = None) -> Answer:
        answer = asked(self.port, verb, f"/v3{path}", body, {"X-Auth-Token": self._admin})
        assert answer.status < 300, (verb, path, answer)
        return answer

    # --- tokens ----------------------------------------------------------------------------------------------------

    def token(self, user: str, project: str | None = None, *, scope: Any = None, port: int | None = None) -> str:
        """A token of this user, for a project or another scope."""
        domain = {"id": "default"}
        identity = {"methods": ["password"], "password": {"user": {"name": user, "domain": domain}}}
        identity["password"]["user"]["password"] = PASSWORD  # type: ignore[index]
        wanted = scope or {"project": {"name": project, "domain": domain}}
        answer = asked(port or self.port, "POST", "/v3/auth/tokens", {"auth": {"identity": identity, "scope": wanted}})
        assert answer.status == 201, answer
        return str(answer.headers["X-Subject-Token"])

    def expired_token(self, user: str, project: str) -> str:
        """A token that was good: by a second Keystone on the same keys, which gives them a second."""
        port = free_port()
        child = self._served(configured(self._folder, "brief.conf", expiration=1), port)
        try:
            token = self.token(user, project, port=port)
        finally:
            stop(child)
        deadline = time.monotonic() + PATIENCE
        while asked(self.port, "GET", "/v3/auth/tokens", None, self._subject(token)).status != 404:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        return token

    def _subject(self, token: str) -> dict[str, str]:
        return {"X-Auth-Token": self._admin, "X-Subject-Token": token}


class Api:
    """`octavia serve` with callers known by Keystone."""

    def __init__(self, folder: Path, keystone_url: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = folder / "serve.log"
        config = folder / "octavia.conf"
        config.write_text(OCTAVIA.format(keystone=keystone_url))
        argv = [sys.executable, "-m", "octavia.cli", "serve", "--state-path", str(folder / "state")]
        argv += ["--config-file", str(config), "--bind-port", str(self.port)]
        with open(self.log, "wb") as output:
            self._child = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=ROOT, env=environment()
            )
        try:
            until_answered(self.port, "/healthcheck", self._child, self.log)
        except BaseException:
            stop(self._child)
            raise

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, verb: str, path: str, token: str | None, body: Any = None, **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["X-Auth-Token"] = token
        return asked(self.port, verb, path, body, sent)

    def close(self) -> None:
        stop(self._child)


def environment() -> dict[str, str]:
    """Nothing of the caller's own cloud is in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


class Cloud(NamedTuple):
    keystone: Keystone
    api: Api
    clouds: Path
    """A clouds.yaml with an entry for each user."""

    def token(self, user: str) -> str:
        return self.keystone.token(user, project_of(user))

    def run(self, user: str, *words: str) -> "subprocess.CompletedProcess[str]":
        """`openstack WORDS`, by this user's entry in clouds.yaml."""
        argv = [sys.executable, "-m", "openstackclient.shell", "--os-cloud", user, *words]
        extra = {"OS_CLIENT_CONFIG_FILE": str(self.clouds), "HOME": str(self.clouds.parent)}
        return subprocess.run(argv, env=environment() | extra, capture_output=True, text=True, timeout=120, check=False)


def project_of(user: str) -> str:
    return {"admin": "admin", "other": "two", "service": "service"}.get(user, "one")


def clouds(folder: Path, keystone: Keystone, users: tuple[str, ...]) -> Path:
    entries = {
        user: {
            "auth": {
                "auth_url": keystone.url,
                "username": user,
                "password": PASSWORD,
                "project_name": project_of(user),
                "user_domain_id": "default",
                "project_domain_id": "default",
            }
        }
        for user in users
    }
    file = folder / "clouds.yaml"
    # JSON is YAML.
    file.write_text(json.dumps({"clouds": entries}))
    return file


@contextlib.contextmanager
def cloud(folder: Path) -> Iterator[Cloud]:
    """Raises NotInstalled."""
    with contextlib.ExitStack() as left:
        keystone = Keystone(folder)
        left.callback(keystone.close)
        api = Api(folder, keystone.url)
        left.callback(api.close)
        for kind in ("load-balancer", "network"):
            keystone.offer(kind, api.url)
        yield Cloud(keystone, api, clouds(folder, keystone, ("admin", "member", "reader", "other", "service")))
