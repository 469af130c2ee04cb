"""Compute without a host: noop, and memory with its faults."""

import threading
import uuid

import pytest

from octavia.drivers.compute import Compute, Wish
from octavia.drivers.compute.memory import Memory
from octavia.drivers.compute.noop import Noop
from octavia.drivers.faults import ANY, Crash, Faults, PortFault, Refused
from octavia.drivers.network import NetworkPort

PORT = NetworkPort(id="p", network_id="n", owner="a", device_owner="octavia:amphora", mac_address="m", fixed_ips=())


def wish() -> Wish:
    return Wish(amphora_id=str(uuid.uuid4()), boot_secret="secret")


@pytest.mark.parametrize("kind", [Noop, Memory])
def test_what_was_ensured_is_there_until_it_is_removed(kind: type[Noop] | type[Memory]) -> None:
    compute: Compute = kind()
    first, second = wish(), wish()
    made = compute.ensure(first)
    assert compute.ensure(first) == made == compute.get(first.amphora_id)
    assert made.status == "RUNNING"
    assert compute.ensure(second).address != made.address
    compute.set_port(first.amphora_id, PORT)
    compute.remove_port(first.amphora_id, PORT.id)
    compute.set_agent_version(first.amphora_id)
    assert compute.list() == compute.adopt() == {first.amphora_id, second.amphora_id}
    compute.remove(first.amphora_id)
    compute.remove(first.amphora_id)
    compute.remove_port(first.amphora_id, PORT.id)
    assert compute.get(first.amphora_id) is None
    assert compute.list() == {second.amphora_id}
    assert compute.abilities().lowest_port == 1
    compute.receiver_address()
    compute.close()


def test_machines_tell_what_was_done_to_them() -> None:
    compute, made = Memory(), wish()
    compute.ensure(made)
    compute.set_port(made.amphora_id, PORT)
    compute.set_agent_version(made.amphora_id)
    machine = compute.machines[made.amphora_id]
    assert machine.ports == {"p": PORT}
    assert machine.agent_starts == 2
    compute.stop(made.amphora_id)
    stopped = compute.get(made.amphora_id)
    assert stopped is not None
    assert stopped.status == "STOPPED"
    assert compute.ensure(made).status == "RUNNING"
    compute.vanish(made.amphora_id)
    assert compute.get(made.amphora_id) is None
    with pytest.raises(PortFault, match="no amphora"):
        compute.set_port(made.amphora_id, PORT)


def test_calls_fail_as_they_are_told_to() -> None:
    faults = Faults()
    compute, made = Memory(faults), wish()
    faults.fail("compute.ensure", 2)
    for _ in range(2):
        with pytest.raises(PortFault, match=r"compute\.ensure"):
            compute.ensure(made)
    assert compute.list() == frozenset()
    faults.fail("compute.ensure", fault=Refused("never"))
    with pytest.raises(Refused, match="never"):
        compute.ensure(made)
    assert compute.ensure(made).status == "RUNNING"


def test_calls_lie() -> None:
    compute, made = Memory(), wish()
    compute.ensure(made)
    compute.faults.lie("compute.get", None)
    assert compute.get(made.amphora_id) is None
    assert compute.get(made.amphora_id) is not None


def test_a_crash_comes_before_or_after_the_effect() -> None:
    compute, made = Memory(), wish()
    compute.faults.crash_before("compute.ensure")
    with pytest.raises(Crash):
        compute.ensure(made)
    assert compute.list() == frozenset()
    compute.faults.crash_after("compute.ensure")
    with pytest.raises(Crash):
        compute.ensure(made)
    assert compute.list() == {made.amphora_id}
    assert not issubclass(Crash, Exception)


def test_a_call_hangs_until_it_is_released() -> None:
    compute, made = Memory(), wish()
    release = compute.faults.hang("compute.ensure")
    thread = threading.Thread(target=compute.ensure, args=[made])
    thread.start()
    assert compute.list() == frozenset()
    release.set()
    thread.join(5)
    assert compute.list() == {made.amphora_id}


def test_any_call_may_be_meant_and_some_let_through() -> None:
    compute, made = Memory(), wish()
    compute.faults.crash_after(ANY, skip=2)
    compute.ensure(made)
    compute.get(made.amphora_id)
    with pytest.raises(Crash, match=r"after compute\.remove"):
        compute.remove(made.amphora_id)
    assert compute.list() == frozenset()
    compute.faults.fail(ANY)
    compute.faults.clear()
    compute.ensure(made)
