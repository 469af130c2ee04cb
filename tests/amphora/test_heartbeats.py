"""What an amphora tells of itself: valid, in time, at once when something changes, and only growing."""

import os
import signal
import socket
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from octavia.domain.document import PROTOCOL
from octavia.domain.heartbeat import BadHeartbeat, Heartbeat, ListenerReport, decode
from tests.amphora.stage import MASTER, Stage
from tests.amphora.wishes import Wish, simple
from tests.host.needs import until

REQUEST = b"GET / HTTP/1.1\r\nHost: vip\r\n\r\n"


@pytest.fixture
def wish(stage: Stage) -> Wish:
    made = simple(stage)
    stage.put(made.document())
    return made


def told(stage: Stage, fits: Callable[[Heartbeat], object], seconds: float = 10) -> Heartbeat:
    """The first heartbeat that fits."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        beat = stage.beat()
        if fits(beat):
            return beat
    raise AssertionError(f"not told within {seconds} s; the last was {beat}")


def traffic_of(beat: Heartbeat, wish: Wish) -> ListenerReport:
    """What it says of the listener; nothing has happened where it does not know it yet."""
    return beat.listeners.get(wish.graph.listeners[0].id, ListenerReport(status="OPEN"))


def test_the_first_heartbeat_comes_when_the_agent_listens(bare: Stage) -> None:
    begin = time.monotonic()
    bare.start()
    beat = bare.beat()
    print(f"figure: from exec to the first heartbeat: {(time.monotonic() - begin) * 1000:.0f} ms")
    assert bare.listening()
    assert (beat.amphora_id, beat.protocol, beat.generations) == (bare.id, PROTOCOL, {})
    assert abs(time.time() - beat.time) < 5


def test_they_come_in_time_and_in_order(stage: Stage) -> None:
    stage.beats()
    beats = [stage.beat() for _ in range(4)]
    sequences = [beat.sequence for beat in beats]
    assert sequences == list(range(sequences[0], sequences[0] + 4))
    assert len({beat.boot_id for beat in beats}) == 1
    assert beats[0].boot_id == stage.state().boot_id
    for before, after in pairwise(beats):
        assert after.time - before.time < 2 * stage.seed.heartbeat_interval + 0.2


def test_each_boot_has_an_id_of_its_own(stage: Stage) -> None:
    before = stage.beat().boot_id
    stage.restart()
    assert told(stage, lambda beat: beat.boot_id != before)


def test_nobody_else_can_read_them_as_theirs(stage: Stage) -> None:
    stage.receiver.settimeout(5)
    datagram = stage.receiver.recv(65536)
    decode(datagram, MASTER)
    with pytest.raises(BadHeartbeat):
        decode(datagram, b"another master")


def test_they_leave_from_the_management_address(stage: Stage) -> None:
    stage.receiver.settimeout(5)
    _, sender = stage.receiver.recvfrom(65536)
    assert sender[0] == stage.endpoint.address


def test_a_silent_receiver_delays_nothing(bare: Stage) -> None:
    nobody = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    nobody.bind((f"{bare.network}.3", 0))
    gone = nobody.getsockname()
    nobody.close()
    bare.planted(receivers=(gone, ("0.0.0.1", 9), bare.receiver.getsockname()))
    bare.start()
    first = bare.beat()
    assert bare.beat().time - first.time < 2


def test_a_document_is_told_at_once(stage: Stage) -> None:
    """Long before the next one would be due."""
    wish = simple(stage)
    stage.beats()
    stage.put(wish.document())
    begin = time.monotonic()
    beat = told(stage, lambda beat: beat.generations)
    assert beat.generations == {wish.id: wish.graph.load_balancer.generation}
    assert beat.edge
    assert time.monotonic() - begin < 0.4
    beat = told(stage, lambda beat: beat.listeners)
    assert list(beat.pools) == [f"{wish.pool.id}:{wish.graph.listeners[0].id}"]
    stage.remove(wish.id)
    told(stage, lambda beat: beat.generations == {} and beat.listeners == {} and beat.pools == {})


def test_a_member_that_goes_down_is_told_at_once(bare: Stage) -> None:
    bare.planted(heartbeat_interval=30.0, boot_secret=bare.seed.boot_secret)
    bare.certified()
    wish = simple(bare, bare.web("a"), bare.web("b"), lb_algorithm="ROUND_ROBIN")
    wish.add_monitor(type="TCP", delay=0)
    bare.put(wish.document())
    first, second = (member.id for member in wish.graph.members)

    def statuses(beat: Heartbeat) -> dict[str, str]:
        return next(iter(beat.pools.values())).members if beat.pools else {}

    told(bare, lambda beat: statuses(beat) == {first: "UP", second: "UP"})
    bare.webs[1].close()
    begin = time.monotonic()
    assert told(bare, lambda beat: statuses(beat).get(second) == "DOWN").edge
    print(f"figure: down after {(time.monotonic() - begin) * 1000:.0f} ms, with a check each 100 ms")
    bare.webs[0].close()
    beat = told(bare, lambda beat: statuses(beat).get(first) == "DOWN")
    assert [report.status for report in beat.pools.values()] == ["DOWN"]


def test_statuses_of_members(stage: Stage) -> None:
    wish = simple(stage, stage.web("a"), stage.web("b"))
    wish.change(wish.graph.members[1], admin_state_up=False)
    stage.put(wish.document())
    first, second = (member.id for member in wish.graph.members)
    expected = {first: "no check", second: "MAINT"}
    beat = told(stage, lambda beat: [report.members for report in beat.pools.values()] == [expected])
    assert traffic_of(beat, wish).status == "OPEN"


def test_a_full_listener(stage: Stage) -> None:
    wish = simple(stage)
    wish.change(wish.graph.listeners[0], connection_limit=1)
    stage.put(wish.document())
    with socket.create_connection((stage.vip, 80)):
        beat = told(stage, lambda beat: traffic_of(beat, wish).status == "FULL")
        assert traffic_of(beat, wish).active_connections == 1
    told(stage, lambda beat: traffic_of(beat, wish).status == "OPEN")


def test_counters_count(stage: Stage, wish: Wish) -> None:
    for _ in range(10):
        assert stage.get() == "m1"
    with socket.create_connection((stage.vip, 80)) as client:
        client.sendall(b"nonsense\r\n\r\n")
        client.recv(1000)
    report = traffic_of(told(stage, lambda beat: traffic_of(beat, wish).request_errors), wish)
    assert report.total_connections == 11
    assert report.request_errors == 1
    assert report.bytes_in >= 10 * 40
    assert report.bytes_out >= 10 * 40


def test_counters_only_grow_over_reloads_and_deaths(stage: Stage, wish: Wish) -> None:
    done = requests(stage, wish, 0)
    for port in (81, 82):
        wish.add_listener(wish.pool, protocol_port=port)
        stage.put(wish.document())
        done = requests(stage, wish, done)
        died(stage, wish)
        done = requests(stage, wish, done + 1)


def requests(stage: Stage, wish: Wish, before: int) -> int:
    """So many connections were counted after five more."""
    for _ in range(5):
        assert stage.get()
    beat = told(stage, lambda beat: traffic_of(beat, wish).total_connections >= before + 5)
    assert traffic_of(beat, wish).total_connections == before + 5
    return before + 5


def died(stage: Stage, wish: Wish) -> None:
    """Another HAProxy serves, and has answered one request."""
    before = stage.master(wish.id)
    os.kill(before, signal.SIGKILL)
    until(lambda: stage.master(wish.id) not in (0, before))
    stage.served()


def test_a_new_boot_counts_from_its_own_beginning(stage: Stage, wish: Wish) -> None:
    for _ in range(5):
        stage.get()
    told(stage, lambda beat: traffic_of(beat, wish).total_connections == 5)
    stage.kill()
    for _ in range(3):
        stage.get()
    stage.beats()
    stage.start()
    beat = told(stage, lambda beat: beat.listeners)
    assert traffic_of(beat, wish).total_connections == 0
    stage.answering()
    stage.get()
    beat = told(stage, lambda beat: traffic_of(beat, wish).total_connections > 0)
    assert traffic_of(beat, wish).total_connections == 1


def test_connections_that_outlive_a_reload_are_counted(stage: Stage, wish: Wish) -> None:
    """Those in the middle of a request stay with the old worker, which lives on as long as it has some."""
    with socket.create_connection((stage.vip, 80)) as slow, socket.create_connection((stage.vip, 80)) as client:
        for each in (slow, client):
            each.sendall(REQUEST[:20])
        told(stage, lambda beat: traffic_of(beat, wish).active_connections == 2)
        wish.add_listener(wish.pool, protocol_port=81)
        stage.put(wish.document())
        client.sendall(REQUEST[20:])
        assert client.recv(1000)
        beat = told(stage, lambda beat: traffic_of(beat, wish).bytes_out)
        assert traffic_of(beat, wish).total_connections == 2
        told(stage, lambda beat: traffic_of(beat, wish).active_connections == 1)


def test_heartbeats_go_on_while_haproxy_cannot_start(stage: Stage, wish: Wish) -> None:
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        thief.bind((stage.vip, 80))
        os.kill(stage.master(wish.id), signal.SIGKILL)
        until(lambda: not stage.applied(wish.id).haproxy_running)
        stage.beats()
        assert stage.beat().generations == {wish.id: wish.graph.load_balancer.generation}
        assert stage.beat().sequence
    stage.served(within=15)
