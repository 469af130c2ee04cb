"""What stands before the API: passwords, what browsers and proxies need, and configurations that cannot be used."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from falcon import testing

from octavia.api.front import front
from octavia.api.ports import NOBODY, Services
from octavia.settings import SettingsError, load
from octavia.store.engine import Database
from tests.api.world import Api
from tests.databases import Fleet, opened

ORIGIN = "https://console.example"
GLOBAL = "req-6f9e1bd2-0d7f-4a3c-8d52-3f8b6a0c9e11"


@pytest.fixture
def database(tmp_path: Path, fleet: Fleet) -> Iterator[Database]:
    """Which one makes no difference here."""
    with opened("sqlite", fleet=fleet, folder=tmp_path) as made:
        yield made


def behind(services: Services, folder: Path, text: str) -> testing.TestClient:
    """A client of the API that this configuration makes."""
    file = folder / "octavia.conf"
    file.write_text(text)
    settings = load([file], state_path=folder, privileged=False)
    assert settings.warnings == ()
    size = settings.oslo_middleware.max_request_body_size
    app = front(settings).over(replace(services, max_request_body_size=size))
    # Falcon's client looks for the arguments of a function.
    return testing.TestClient(lambda environ, start_response: app(environ, start_response))


def htpasswd(folder: Path, *users: tuple[str, str]) -> str:
    """The configuration with these users and passwords."""
    file = folder / "htpasswd"
    hashed = [(name, bcrypt.hashpw(word.encode(), bcrypt.gensalt(4)).decode()) for name, word in users]
    file.write_text("".join(f"{name}:{digest}\n" for name, digest in hashed))
    return f"[api_settings]\nauth_strategy = http_basic\n[oslo_middleware]\nhttp_basic_auth_user_file = {file}\n"


@pytest.fixture
def basic(services: Services, tmp_path: Path) -> testing.TestClient:
    return behind(services, tmp_path, htpasswd(tmp_path, ("ann", "secret"), ("bob", "söze")))


def test_a_user_is_admin_of_the_project_that_is_named(basic: testing.TestClient) -> None:
    for project, headers in [(NOBODY, {}), ("p1", {"X-Project-Id": "p1"})]:
        made = basic.simulate_post(
            "/v2/lbaas/loadbalancers",
            json={"loadbalancer": {"vip_subnet_id": "demo"}},
            headers=credentials("ann:secret") | headers,
        )
        assert made.status_code == 201
        assert made.json["loadbalancer"]["project_id"] == project
    listed = basic.simulate_get("/v2/lbaas/loadbalancers", headers=credentials("bob:söze"))
    assert len(listed.json["loadbalancers"]) == 2


def credentials(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


WRONG = [
    {},
    credentials("ann:wrong"),
    credentials("ann:"),
    credentials("nobody:secret"),
    credentials(":secret"),
    credentials("ann" * 30),
    credentials("ann:" + "x" * 100),
    credentials("ann\nbob:secret"),
    {"Authorization": ""},
    {"Authorization": "Basic"},
    {"Authorization": "Basic not base64"},
    {"Authorization": "Basic /////w=="},
    {"Authorization": "Bearer secret"},
    {"X-Auth-Token": "token"},
]


@pytest.mark.parametrize("headers", WRONG)
def test_who_is_not_known_gets_401(basic: testing.TestClient, headers: dict[str, str]) -> None:
    answer = basic.simulate_get("/v2/lbaas/loadbalancers", headers=headers)
    assert answer.status_code == 401
    said = {"code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication."}
    assert answer.json == {"error": said}
    assert answer.headers["www-authenticate"] == 'Basic realm="octavia"'
    assert answer.headers["x-openstack-request-id"].startswith("req-")


@pytest.mark.parametrize(
    "path", ["/", "/healthcheck", "/load-balancer", "/load-balancer/", "/load-balancer/healthcheck"]
)
def test_what_everybody_may_ask(basic: testing.TestClient, path: str) -> None:
    assert basic.simulate_get(path).status_code == 200


@pytest.mark.parametrize("path", ["/v2", "/v2/nowhere", "/v2.0/subnets", "/projects/x", "/load-balancer/v2", "//x"])
def test_what_nobody_may_ask_unknown(basic: testing.TestClient, path: str) -> None:
    assert basic.simulate_get(path).status_code == 401


def test_a_changed_password_counts_at_once(services: Services, tmp_path: Path) -> None:
    client = behind(services, tmp_path, htpasswd(tmp_path, ("ann", "secret")))

    def status(password: str) -> int:
        return client.simulate_get("/v2", headers=credentials(f"ann:{password}")).status_code

    assert [status("secret"), status("secret"), status("wrong")] == [200, 200, 401]
    htpasswd(tmp_path, ("ann", "another"))
    assert [status("secret"), status("another")] == [401, 200]
    (tmp_path / "htpasswd").unlink()
    assert status("another") == 401


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[api_settings]\nauth_strategy = http_basic\n", None),
        ("[keystone_authtoken]\n", r"\[keystone_authtoken\] auth_type is not set"),
        ("[keystone_authtoken]\nauth_type = paper\n", r"\[keystone_authtoken\] cannot be used: .*paper"),
        ("[keystone_authtoken]\nauth_type = password\n", r"\[keystone_authtoken\] cannot be used: .*auth_url"),
        (
            "[keystone_authtoken]\nauth_type = none\nmemcached_servers = 127.0.0.1:11211\n",
            "memcached_servers: install python-memcached",
        ),
        ("[keystone_authtoken]\nauth_type = none\nhttp_connect_timeout = soon\n", "http_connect_timeout"),
        ("[cors]\nallowed_origin = *\nmax_age = long\n", "max_age"),
        ("[oslo_middleware]\nenable_proxy_headers_parsing = perhaps\n", "enable_proxy_headers_parsing"),
        ("[keystone_authtoken]\nauth_type = none\n[oslo_policy]\npolicy_file = gone.yaml\n", "policy_file = gone.yaml"),
    ],
)
def test_a_configuration_that_cannot_be_used(text: str, sentence: str | None, tmp_path: Path) -> None:
    if sentence is None:
        text += f"[oslo_middleware]\nhttp_basic_auth_user_file = {tmp_path}/nowhere\n"
        sentence = "http_basic_auth_user_file = .*nowhere: it cannot be read"
    file = tmp_path / "octavia.conf"
    file.write_text(text)
    settings = load([file], state_path=tmp_path, privileged=False)
    with pytest.raises(SettingsError, match=sentence):
        front(settings)


def test_passwords_by_another_digest_are_refused(tmp_path: Path) -> None:
    (tmp_path / "htpasswd").write_text("ann:{SHA}xyz\n")
    text = "[api_settings]\nauth_strategy = http_basic\n[oslo_middleware]\nhttp_basic_auth_user_file = "
    (tmp_path / "octavia.conf").write_text(f"{text}{tmp_path}/htpasswd\n")
    settings = load([tmp_path / "octavia.conf"], state_path=tmp_path, privileged=False)
    with pytest.raises(SettingsError, match="Only bcrypt digested passwords are supported for ann"):
        front(settings)


def preflight(client: testing.TestClient, **headers: str) -> Any:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    asked["Access-Control-Request-Headers"] = "X-Auth-Token,Content-Type"
    return client.simulate_options("/v2/lbaas/loadbalancers", headers=asked | headers)


@pytest.mark.parametrize("strategy", ["", "basic"])
def test_a_browser_asks_first(services: Services, tmp_path: Path, strategy: str) -> None:
    base = htpasswd(tmp_path, ("ann", "secret")) if strategy else ""
    client = behind(services, tmp_path, f"{base}[cors]\nallowed_origin = {ORIGIN}\n")
    answer = preflight(client)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-headers"] == "X-Auth-Token,Content-Type"
    assert "access-control-allow-origin" not in preflight(client, Origin="https://elsewhere.example").headers
    headers = {"Origin": ORIGIN} | credentials("ann:secret")
    listed = client.simulate_get("/v2/lbaas/loadbalancers", headers=headers)
    assert listed.headers["access-control-allow-origin"] == ORIGIN
    assert "X-OpenStack-Request-ID" in listed.headers["access-control-expose-headers"]
    assert listed.json["loadbalancers"] == []
    # An error is for the browser's page, too.
    assert client.simulate_get("/v2/x", headers=headers).headers["access-control-allow-origin"] == ORIGIN


def test_no_origin_is_allowed_unless_it_is_said(api: Api) -> None:
    assert "access-control-allow-origin" not in preflight(api.client).headers


FORWARDED = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "lb.example",
    "X-Forwarded-Prefix": "/cloud",
}


def test_links_are_as_the_proxy_says(services: Services, tmp_path: Path) -> None:
    client = behind(services, tmp_path, "[oslo_middleware]\nenable_proxy_headers_parsing = True\n")
    base = "https://lb.example/cloud"
    assert href(client, "/", FORWARDED) == f"{base}/v2"
    assert href(client, "/load-balancer/", FORWARDED) == f"{base}/load-balancer/v2"
    assert href(client, "/", {"Forwarded": "for=192.0.2.1;proto=https;host=one.example"}) == "https://one.example/v2"
    api = Api(client.app)
    for _ in range(2):
        api.load_balancer()
    page = client.simulate_get("/v2/lbaas/loadbalancers?limit=1&name=", headers=FORWARDED).json
    assert page["loadbalancers_links"][0]["href"].startswith(f"{base}/v2/lbaas/loadbalancers?")


def href(client: testing.TestClient, path: str, headers: dict[str, str]) -> str:
    return str(client.simulate_get(path, headers=headers).json["versions"][-1]["links"][0]["href"])


def test_nobody_poses_as_a_proxy_unless_it_is_said(api: Api) -> None:
    assert "lb.example" not in href(api.client, "/", FORWARDED)


def test_bodies_of_another_size(services: Services, tmp_path: Path) -> None:
    client = behind(services, tmp_path, "[oslo_middleware]\nmax_request_body_size = 100\n")
    body = {"loadbalancer": {"vip_subnet_id": "demo", "name": "x" * 60}}
    answer = client.simulate_post("/v2/lbaas/loadbalancers", json=body)
    assert answer.status_code == 413
    assert "up to 100 bytes" in answer.text
    body["loadbalancer"]["name"] = ""
    assert client.simulate_post("/v2/lbaas/loadbalancers", json=body).status_code == 201


@pytest.mark.parametrize("given", [GLOBAL, "req-1", GLOBAL + "\t", GLOBAL.upper(), ""])
def test_a_global_request_id_is_logged_beside_ours(api: Api, given: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    answer = api.client.simulate_get("/", headers={"X-OpenStack-Request-ID": given})
    ours = answer.headers["x-openstack-request-id"]
    assert ours != given
    assert (f"({ours}, global {GLOBAL}," in caplog.text) == (given.strip() == GLOBAL)
