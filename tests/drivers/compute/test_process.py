"""Amphorae as process groups on loopback addresses."""

import os
import uuid
from collections.abc import Iterator

import pytest

from octavia.drivers.compute import Compute, Wish
from octavia.drivers.compute.folders import Folders
from octavia.drivers.compute.onhost import MARK, Deployment, marked
from octavia.drivers.compute.process import PORT_START, ProcessGroups, lowest_port
from octavia.host import processes
from tests.host.needs import until


@pytest.fixture
def compute(deployment: Deployment) -> Iterator[ProcessGroups]:
    made = ProcessGroups(deployment)
    yield made
    for amphora_id in made.list():
        made.remove(amphora_id)
    made.close()


def test_it_is_a_compute(compute: ProcessGroups) -> None:
    port: Compute = compute
    assert port.receiver_address() == ("127.19.0.1", 5555)


def test_it_says_what_it_cannot_do(compute: ProcessGroups, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert lowest_port() == max(1, int(PORT_START.read_text()))
    abilities = compute.abilities()
    assert abilities.kind == "process"
    assert "from this host alone" in abilities.summary


def test_amphorae_come_and_go_on_addresses_of_their_own(compute: ProcessGroups, deployment: Deployment) -> None:
    wishes = [Wish(amphora_id=str(uuid.uuid4()), boot_secret="s") for _ in range(3)]
    instances = [compute.ensure(each) for each in wishes]
    assert [each.address for each in instances] == ["127.19.0.2", "127.19.0.3", "127.19.0.4"]
    assert {each.status for each in instances} == {"RUNNING"}
    seed = Folders(deployment.folder).seed(wishes[0].amphora_id)
    assert seed is not None
    assert seed.shared_host
    for each in wishes:
        compute.remove(each.amphora_id)
        assert marked(each.amphora_id) == []
        assert compute.get(each.amphora_id) is None


def test_what_the_agent_started_goes_with_it(compute: ProcessGroups, deployment: Deployment) -> None:
    made, other = (Wish(amphora_id=str(uuid.uuid4()), boot_secret="s") for _ in range(2))
    compute.ensure(made)
    compute.ensure(other)
    haproxy = processes.spawn(
        ["sleep", "1000"], cwd=deployment.folder, log=deployment.folder / "log", env={MARK: made.amphora_id}
    )
    # While it becomes another program, a process shows nothing for a moment.
    until(lambda: len(marked(made.amphora_id)) == 2)
    compute.remove(made.amphora_id)
    assert not processes.alive(haproxy)
    until(lambda: len(marked(other.amphora_id)) == 1)


def test_an_agent_is_kept_alive_and_renewed(compute: ProcessGroups, deployment: Deployment) -> None:
    made = Wish(amphora_id=str(uuid.uuid4()), boot_secret="s")
    compute.ensure(made)
    folders = Folders(deployment.folder)
    first = folders.agent(made.amphora_id)
    assert first is not None
    processes.end(first, grace=1)
    until(lambda: folders.agent(made.amphora_id))
    second = folders.agent(made.amphora_id)
    compute.set_agent_version(made.amphora_id)
    assert folders.agent(made.amphora_id) not in (None, first, second)
