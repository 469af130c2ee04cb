"""Agents that die at the worst moment, documents that go wrong half-way: what is said to be in force is in force."""

import contextlib
import os
import signal
import threading
import time
from pathlib import Path

import msgspec
import pytest

from octavia.domain.document import Document, Fence
from octavia.drivers.faults import PortFault, Refused
from octavia.host import processes
from tests.amphora.stage import Stage, connection
from tests.amphora.wishes import Wish, simple
from tests.host.needs import until

replace = msgspec.structs.replace


def running(stage: Stage, wish: Wish) -> tuple[set[str], set[tuple[str, str]]]:
    """The listeners that HAProxy serves, and its servers with whether they rest."""
    head, *rows = stage.ask(wish.id, "show stat").splitlines()
    names = head.removeprefix("# ").split(",")
    found = [dict(zip(names, row.split(","), strict=False)) for row in rows if row]
    listeners = {each["pxname"] for each in found if each["svname"] == "FRONTEND"}
    servers = [each for each in found if each["svname"] not in ("FRONTEND", "BACKEND")]
    return listeners, {(f"{each['pxname']}/{each['svname']}", each["weight"]) for each in servers}


def wanted(document: Document) -> tuple[set[str], set[tuple[str, str]]]:
    listeners = {server.backend.partition(":")[2] for server in document.servers}
    return listeners, {(f"{server.backend}/{server.name}", str(server.weight)) for server in document.servers}


def is_true(stage: Stage, wish: Wish, documents: dict[int, Document]) -> bool:
    """Whether HAProxy runs what the agent says that it runs."""
    applied = stage.applied(wish.id)
    return running(stage, wish) == wanted(documents[applied.generation])


@pytest.mark.parametrize("delay", [0, 8, 30, 70, 110, 160])
def test_an_agent_that_is_killed_within_a_change(stage: Stage, delay: int) -> None:
    """Milliseconds after it was told to reload, with a change at runtime just before."""
    wish = simple(stage, stage.web("a"), stage.web("b"))
    documents = {}
    for turn in range(3):
        wish.change(wish.graph.members[0], weight=10 + turn)
        if turn:
            wish.add_listener(wish.pool, protocol_port=80 + turn)
        documents[wish.graph.load_balancer.generation] = wish.document()
        if turn == 0:
            stage.put(wish.document())
    with stage.traffic() as traffic:
        for document in list(documents.values())[1:]:
            killed_within(stage, document, delay)
            until(lambda: is_true(stage, wish, documents), 10)
        assert traffic.stop()["failures"] == {}
    stage.put(wish.document())
    assert is_true(stage, wish, documents)
    until(lambda: len(stage.ours()) == 3)


@pytest.mark.parametrize("delay", [0, 2, 4])
def test_an_agent_that_is_killed_within_a_runtime_change(stage: Stage, delay: int) -> None:
    wish = simple(stage, stage.web("a"), stage.web("b"))
    documents = {wish.graph.load_balancer.generation: wish.document()}
    stage.put(wish.document())
    for number in range(20):
        wish.add_member(stage.webs[number % 2])
    wish.delete(wish.graph.members[0])
    documents[wish.graph.load_balancer.generation] = wish.document()
    with stage.traffic() as traffic:
        killed_within(stage, wish.document(), delay)
        until(lambda: is_true(stage, wish, documents), 10)
        assert traffic.stop()["failures"] == {}


def killed_within(stage: Stage, document: Document, delay: int) -> None:
    """The agent dies so many milliseconds after it was told; another one has started."""

    def put() -> None:
        with contextlib.suppress(PortFault):
            stage.put(document)

    stage.state()
    telling = threading.Thread(target=put)
    telling.start()
    time.sleep(delay / 1000)
    stage.kill()
    telling.join()
    stage.start()
    stage.answering()


def test_a_document_that_goes_wrong_half_way(stage: Stage) -> None:
    """Some of its servers are taken at runtime, one is not, and a reload does not take it either."""
    wish = simple(stage, stage.web("a"), stage.web("b"))
    good = wish.document()
    stage.put(good)
    wish.change(wish.graph.members[0], weight=77)
    wish.add_member(stage.webs[0])
    bad = wish.document()
    *others, last = bad.servers
    broken = (*others, replace(last, options=("nonsense",)))
    config = bad.config.replace(f"id {last.id} weight", f"nonsense id {last.id} weight")
    with stage.traffic() as traffic:
        with pytest.raises(Refused, match="nonsense"):
            stage.put(replace(bad, config=config, servers=broken))
        assert running(stage, wish) == wanted(good)
        stage.put(bad)
        assert running(stage, wish) == wanted(bad)
    assert traffic.stop()["failures"] == {}


def test_a_new_agent_finishes_what_the_old_one_left(stage: Stage) -> None:
    """A member has been removed, but a connection still holds it."""
    wish = simple(stage, stage.web("a"), stage.web("b"), protocol="TCP")
    stage.put(wish.document())
    with connection(stage.vip) as first, connection(stage.vip) as second:
        for each in (first, second):
            each.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert each.recv(1000)
        wish.delete(wish.graph.members[1])
        stage.put(wish.document())
        assert len(running(stage, wish)[1]) == 2
        stage.restart()
        assert len(running(stage, wish)[1]) == 2
    until(lambda: running(stage, wish) == wanted(wish.document()))


def test_two_documents_at_once(stage: Stage) -> None:
    """The newer speaker wins, whoever comes first, and both get an answer."""
    wish = simple(stage, stage.web("a"), stage.web("b"))
    stage.put(wish.document(Fence(1, 1)))
    documents = [wish.document(Fence(1, 1))]
    for turn in range(6):
        wish.add_listener(wish.pool, protocol_port=100 + turn)
        documents.append(wish.document(Fence(1, 2 + turn)))

    def put(document: Document) -> None:
        with contextlib.suppress(PortFault):
            stage.put(document)

    telling = [threading.Thread(target=put, args=(document,)) for document in documents]
    with stage.traffic() as traffic:
        for each in telling:
            each.start()
        for each in telling:
            each.join()
        assert traffic.stop()["failures"] == {}
    assert stage.applied(wish.id).fence == documents[-1].fence
    assert running(stage, wish) == wanted(documents[-1])


def test_an_agent_of_another_version_touches_no_traffic(stage: Stage) -> None:
    """It cannot read the document, and waits for one that it can."""
    wish = simple(stage)
    stage.put(wish.document())
    path = stage.place(wish.id) / "document.json"
    master, worker = stage.master(wish.id), stage.worker(wish.id)
    with stage.traffic() as traffic:
        stage.kill()
        path.write_bytes(b'{"protocol": 0, "all": "different"}')
        stage.start()
        stage.answering()
        assert stage.state().load_balancers == {}
        assert (stage.master(wish.id), stage.worker(wish.id)) == (master, worker)
        wish.add_member(stage.web("new"))
        stage.put(wish.document())
        assert traffic.stop()["failures"] == {}
    assert stage.master(wish.id) == master
    assert running(stage, wish) == wanted(wish.document())


def test_what_another_version_had_in_force_is_kept_alive(stage: Stage) -> None:
    wish = simple(stage)
    stage.put(wish.document())
    stage.kill()
    (stage.place(wish.id) / "document.json").write_bytes(b"{}")
    stage.start()
    stage.answering()
    before = stage.master(wish.id)
    os.kill(before, signal.SIGKILL)
    until(lambda: stage.master(wish.id) not in (0, before))
    stage.served()


def test_a_record_that_was_lost(stage: Stage) -> None:
    """HAProxy runs, but nobody has written down that it does: it is found, and its port is not taken for a thief's."""
    wish = simple(stage)
    stage.put(wish.document())
    stage.kill()
    (stage.place(wish.id) / "haproxy.json").write_bytes(b"")
    stage.start()
    stage.answering()
    stage.served()
    until(lambda: stage.applied(wish.id).haproxy_running)
    assert len(stage.ours()) == 3


def test_a_folder_that_was_never_finished(stage: Stage) -> None:
    wish = simple(stage)
    place = stage.place(wish.id)
    place.mkdir(parents=True)
    (place / "haproxy.cfg").write_text("half")
    stage.restart()
    assert stage.state().load_balancers == {}
    stage.put(wish.document())
    assert stage.get() == "m1"


def test_a_folder_whose_path_is_long(tmp_path: Path) -> None:
    """Longer than the path of a socket may be."""
    deep = tmp_path.joinpath(*["a-folder-with-a-long-name"] * 8)
    deep.mkdir(parents=True)
    stage = Stage(deep)
    try:
        stage.certified()
        wish = simple(stage)
        stage.put(wish.document())
        wish.add_member(stage.web("second"))
        stage.put(wish.document())
        stage.answered_by("m1", "second")
        stage.restart()
        stage.remove(wish.id)
        assert [each.pid for each in stage.ours()] == [stage.running.pid]
    finally:
        stage.close()


def test_the_tests_own_eyes(stage: Stage) -> None:
    """All processes of the amphora are seen, so that none can be left behind unnoticed."""
    wish = simple(stage)
    stage.put(wish.document())
    assert {each.pid for each in stage.ours()} == {
        stage.running.pid,
        stage.master(wish.id),
        stage.worker(wish.id),
    }
    assert all(processes.alive(each) for each in stage.ours())


@pytest.mark.parametrize("delay", [0, 3, 10, 30])
def test_an_agent_that_is_killed_within_a_removal(stage: Stage, delay: int) -> None:
    """All of it is left, or nothing."""
    wish = simple(stage)
    stage.put(wish.document())

    def remove() -> None:
        with contextlib.suppress(PortFault):
            stage.remove(wish.id)

    telling = threading.Thread(target=remove)
    telling.start()
    time.sleep(delay / 1000)
    stage.kill()
    telling.join()
    stage.start()
    stage.answering()
    if stage.state().load_balancers:
        assert stage.get() == "m1"
        stage.remove(wish.id)
    assert [each.pid for each in stage.ours()] == [stage.running.pid]
    assert not stage.place(wish.id).exists()
