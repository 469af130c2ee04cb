"""The composition root: what a WSGI server gets, and where secrets are kept."""

import os
import stat
from pathlib import Path

import falcon.testing
import pytest

from octavia import apart, places

NOOP = """
[DEFAULT]
state_path = {state}
[controller_worker]
compute_driver = noop
network_driver = noop
amphora_driver = noop
"""


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    file = tmp_path / "octavia.conf"
    file.write_text(NOOP.format(state=tmp_path / "state"))
    return file


def test_the_wsgi_entry_is_the_api_over_the_configured_store(configured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCTAVIA_CONFIG_FILES", str(configured))
    try:
        client = falcon.testing.TestClient(apart.application)
        assert client.simulate_get("/healthcheck").status_code == 200
        body = {"loadbalancer": {"name": "lb", "vip_subnet_id": "11111111-1111-4111-8111-111111111111"}}
        assert client.simulate_post("/v2/lbaas/loadbalancers", json=body).status_code == 201
        assert len(client.simulate_get("/v2/lbaas/loadbalancers").json["loadbalancers"]) == 1
    finally:
        apart.from_environment()[1].close()
        apart.from_environment.cache_clear()


def test_a_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat.key"
    before = os.umask(0)
    try:
        first = places.kept_secret(path)
    finally:
        os.umask(before)
    assert len(first) == 32
    assert places.kept_secret(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_state_folder_is_worked_on_by_one_process(tmp_path: Path) -> None:
    refused = pytest.raises(places.CannotStart, match=f"process {os.getpid()}")
    with places.alone(tmp_path), refused, places.alone(tmp_path):
        raise AssertionError("two at once")
    with places.alone(tmp_path):
        pass
