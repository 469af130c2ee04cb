"""What an agent does with documents: the ones that fit, the ones that do not, and their end."""

import os
import socket
import stat

import msgspec
import pytest

from octavia.amphora import haproxy
from octavia.domain.document import Document, Fence, digest
from octavia.drivers.agent.https import Fenced
from octavia.drivers.faults import PortFault, Refused
from tests.amphora.stage import Stage
from tests.amphora.wishes import Wish, simple
from tests.host.needs import until

replace = msgspec.structs.replace


def test_a_document_is_in_force_when_put_returns(stage: Stage) -> None:
    wish = simple(stage)
    document = wish.document()
    applied = stage.put(document)
    assert stage.get() == "m1"
    assert (applied.generation, applied.digest) == (document.generation, digest(document))
    assert applied.fault is None
    assert applied.haproxy_running


def test_the_same_document_again_changes_nothing(stage: Stage) -> None:
    wish = simple(stage)
    stage.put(wish.document())
    before = stage.master(wish.id), stage.worker(wish.id)
    applied = stage.put(wish.document())
    assert applied.fault is None
    assert (stage.master(wish.id), stage.worker(wish.id)) == before


def test_a_newer_generation_of_the_same_wish_is_only_noted(stage: Stage) -> None:
    wish = simple(stage)
    stage.put(wish.document())
    before = stage.master(wish.id), stage.worker(wish.id)
    wish.edit()
    assert stage.put(wish.document()).generation == wish.graph.load_balancer.generation
    assert (stage.master(wish.id), stage.worker(wish.id)) == before


def test_several_load_balancers_in_one_amphora(stage: Stage) -> None:
    first, second = simple(stage, stage.web("a")), simple(stage, stage.web("b"), port=81)
    stage.put(first.document())
    stage.put(second.document())
    assert (stage.get(80), stage.get(81)) == ("a", "b")
    stage.remove(first.id)
    assert (stage.get(80), stage.get(81)) == ("", "b")


def test_an_older_fence_is_refused_even_after_a_restart(stage: Stage) -> None:
    wish = simple(stage)
    stage.put(wish.document(Fence(2, 5)))
    for older in (Fence(2, 4), Fence(1, 9)):
        with pytest.raises(Fenced, match="older"):
            stage.put(wish.document(older))
        with pytest.raises(Fenced, match="older"):
            stage.remove(wish.id, older)
    stage.restart()
    with pytest.raises(Fenced):
        stage.put(wish.document(Fence(2, 4)))
    assert stage.put(wish.document(Fence(2, 5))).fence == Fence(2, 5)
    assert stage.put(wish.document(Fence(3, 1))).fence == Fence(3, 1)
    assert stage.get() == "m1"


def test_the_fence_outlives_the_load_balancer(stage: Stage) -> None:
    wish = simple(stage)
    stage.put(wish.document(Fence(2, 5)))
    stage.remove(wish.id, Fence(2, 6))
    with pytest.raises(Fenced):
        stage.put(wish.document(Fence(2, 5)))
    assert stage.state().load_balancers == {}


def test_another_protocol_is_refused(stage: Stage) -> None:
    wish = simple(stage)
    with pytest.raises(Refused, match="protocol"):
        stage.put(replace(wish.document(), protocol=99))
    assert stage.state().load_balancers == {}


def test_what_is_no_document_is_refused(stage: Stage) -> None:
    wish = simple(stage)
    path = f"/v1/loadbalancers/{wish.id}"
    for body in (b"", b"{", b"{}", b"[]", b"\xff"):
        with pytest.raises(Refused, match="no document"):
            stage.agents._asked(stage.endpoint, "PUT", path, body)
    with pytest.raises(Refused, match="another load balancer"):
        stage.agents._asked(
            stage.endpoint, "PUT", "/v1/loadbalancers/" + "0" * 36, msgspec.json.encode(wish.document())
        )
    for path in ("/", "/v1/loadbalancers/../../x", "/v1/state/"):
        with pytest.raises(PortFault, match="There is no PUT"):
            stage.agents._asked(stage.endpoint, "PUT", path, b"")
    assert stage.state().load_balancers == {}


def broken(document: Document) -> Document:
    """HAProxy does not take it."""
    return replace(document, config=document.config + "\n    nonsense here\n", reload_key="other", generation=99)


def test_a_first_document_that_does_not_fit_leaves_nothing(stage: Stage) -> None:
    wish = simple(stage)
    with pytest.raises(Refused, match="nonsense"):
        stage.put(broken(wish.document()))
    assert stage.state().load_balancers == {}
    assert not stage.place(wish.id).exists()
    assert [process.pid for process in stage.ours()] == [stage.running.pid]
    stage.put(wish.document())
    assert stage.get() == "m1"


def test_a_document_that_does_not_fit_leaves_what_runs(stage: Stage) -> None:
    wish = simple(stage)
    good = wish.document()
    stage.put(good)
    before = stage.master(wish.id), stage.worker(wish.id)
    with stage.traffic() as traffic, pytest.raises(Refused, match="nonsense"):
        stage.put(broken(good))
    assert traffic.stop()["failures"] == {}
    assert (stage.master(wish.id), stage.worker(wish.id)) == before
    applied = stage.applied(wish.id)
    assert applied.digest == digest(good)
    assert applied.generation == good.generation
    assert applied.fault is not None
    assert "nonsense" in applied.fault
    assert stage.put(good).fault is None


def test_what_does_not_fit_is_not_started_later_either(stage: Stage) -> None:
    wish = simple(stage)
    stage.put(wish.document())
    with pytest.raises(Refused):
        stage.put(broken(wish.document()))
    assert (stage.place(wish.id) / haproxy.CONFIG).read_text() == wish.document().config
    os.kill(stage.master(wish.id), 9)
    stage.served()
    until(lambda: stage.applied(wish.id).haproxy_running)


def test_a_port_that_is_taken_breaks_no_traffic(stage: Stage) -> None:
    wish = simple(stage)
    good = wish.document()
    stage.put(good)
    wish.add_listener(wish.pool, protocol_port=81)
    with socket.create_server((stage.vip, 81)):
        with stage.traffic() as traffic, pytest.raises(Refused, match=f"{stage.vip} port 81"):
            stage.put(wish.document())
        assert traffic.stop()["failures"] == {}
    assert stage.applied(wish.id).fault is not None
    assert stage.put(wish.document()).fault is None
    assert stage.get(81) == "m1"


def test_a_first_document_whose_port_is_taken(stage: Stage) -> None:
    """Processes of one user could bind it together, and would share the connections."""
    wish = simple(stage)
    with socket.socket() as foreign:
        foreign.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        foreign.bind((stage.vip, 80))
        foreign.listen()
        with pytest.raises(Refused, match=f"{stage.vip} port 80"):
            stage.put(wish.document())
    assert stage.state().load_balancers == {}


def test_two_load_balancers_cannot_share_a_port(stage: Stage) -> None:
    first, second = simple(stage, stage.web("a")), simple(stage, stage.web("b"))
    stage.put(first.document())
    with pytest.raises(Refused, match="port 80"):
        stage.put(second.document())
    assert list(stage.state().load_balancers) == [first.id]
    assert stage.get() == "a"


def test_a_port_moves_within_one_document(stage: Stage) -> None:
    """A listener is deleted and another made on its port in the same breath."""
    wish = simple(stage, stage.web("old"))
    stage.put(wish.document())
    pool = wish.add_pool()
    wish.add_member(stage.web("new"), pool)
    wish.delete(wish.graph.listeners[0])
    wish.add_listener(pool)
    with stage.traffic() as traffic:
        stage.put(wish.document())
        assert stage.get() == "new"
    assert traffic.stop()["failures"] == {}


def test_delete_leaves_nothing(stage: Stage) -> None:
    wish = simple(stage)
    stage.put(wish.document())
    assert len(stage.ours()) == 3
    assert stage.remove(wish.id).load_balancers == {}
    assert [process.pid for process in stage.ours()] == [stage.running.pid]
    assert list((stage.folder / "lb").iterdir()) == []
    assert stage.remove(wish.id).load_balancers == {}
    assert stage.remove("00000000-0000-4000-8000-000000000000").load_balancers == {}
    with socket.create_server((stage.vip, 80)):
        pass
    stage.put(wish.document())
    assert stage.get() == "m1"


def test_a_document_that_cannot_be_kept_is_not_in_force(stage: Stage) -> None:
    """It may be in HAProxy by then; the next document that can be kept sets that right."""
    wish = simple(stage, stage.web("a"))
    stage.put(wish.document())
    before = stage.applied(wish.id).generation
    kept = stage.place(wish.id) / "document.json"
    kept.rename(kept.with_name("elsewhere"))
    (kept / "in the way").mkdir(parents=True)
    wish.add_member(stage.web("b"))
    with stage.traffic() as traffic:
        with pytest.raises(PortFault, match="cannot be kept") as caught:
            stage.put(wish.document())
        assert not isinstance(caught.value, Refused)
        assert (stage.applied(wish.id).generation, stage.applied(wish.id).fault is None) == (before, False)
        (kept / "in the way").rmdir()
        kept.rmdir()
        stage.put(wish.document())
        stage.answered_by("a", "b")
        assert traffic.stop()["failures"] == {}


def test_a_load_balancer_without_listeners(stage: Stage) -> None:
    wish = Wish(stage.vip)
    assert stage.put(wish.document()).haproxy_running
    pool = wish.add_pool()
    wish.add_member(stage.web(), pool)
    wish.add_listener(pool)
    stage.put(wish.document())
    assert stage.get() == "m1"


def test_files_are_for_their_owner_alone(stage: Stage) -> None:
    wish = simple(stage)
    stage.put(wish.document())
    wish.add_listener(wish.pool, protocol_port=81)
    stage.put(wish.document())
    stage.restart()
    theirs = {stage.folder / "seed.json", stage.folder / "agent.log"}
    for path in set(stage.folder.rglob("*")) - theirs:
        assert not stat.S_IMODE(os.lstat(path).st_mode) & 0o077, path


def test_the_agents_own_report(stage: Stage) -> None:
    state = stage.state()
    assert state.haproxy_version.startswith(("2.", "3."))
    assert state.limits.nofile > 0
    stage.restart()
    assert state.boot_id != stage.state().boot_id
