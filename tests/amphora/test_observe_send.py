"""What is looked at and what is sent, without a HAProxy: silence, sizes, receivers that are not there."""

import logging
import secrets
import socket
from collections.abc import Iterator
from typing import Any, cast

import pytest

from octavia.amphora import observe
from octavia.amphora.apply import LoadBalancer
from octavia.amphora.haproxy import HaproxyError, Row
from octavia.amphora.heartbeat import LARGEST, Sender
from octavia.amphora.observe import Observer, Seen, View
from octavia.domain.document import Document, Fence, Seed
from octavia.domain.heartbeat import Heartbeat, PoolReport, amphora_key, decode
from tests.amphora.test_counters import frontend, other
from tests.builders import new_id

MASTER = b"master"


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(5)
        yield made


def sender(*receivers: tuple[str, int]) -> Sender:
    identifier = new_id()
    return Sender(
        Seed(
            amphora_id=identifier,
            boot_secret="",
            certificate_authority="",
            listen=("127.0.0.1", 1),
            receivers=receivers,
            heartbeat_key=amphora_key(MASTER, identifier).hex(),
            heartbeat_interval=30.0,
        )
    )


def heard(receiver: socket.socket) -> Heartbeat:
    return decode(receiver.recv(1 << 16), MASTER)


def test_receivers_that_cannot_be_reached_cost_the_others_nothing(
    receiver: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    """No route, no such family from this address, and one that is there."""
    made = sender(("255.255.255.255", 9), ("2001:db8::1", 9), receiver.getsockname())
    made.start()
    try:
        for number in range(3):
            assert heard(receiver).sequence == number + 1
            made.show(View(), True)
    finally:
        made.stop()
    complaints = [record for record in caplog.records if "do not reach" in record.message]
    assert len({record.message for record in complaints}) == len(complaints)


def test_news_are_sent_at_once_and_nothing_else_is(receiver: socket.socket) -> None:
    made = sender(receiver.getsockname())
    made.start()
    try:
        assert heard(receiver).edge
        made.show(View(generations={"a": 1}), False)
        made.show(View(generations={"a": 2}), True)
        beat = heard(receiver)
        assert (beat.sequence, beat.edge, beat.generations) == (2, True, {"a": 2})
    finally:
        made.stop()


def test_what_does_not_fit_is_left_out(receiver: socket.socket, caplog: pytest.LogCaptureFixture) -> None:
    members = {secrets.token_hex(16): "UP" for _ in range(4000)}
    made = sender(receiver.getsockname())
    made.show(View(generations={"a": 1}, pools={"p:l": PoolReport(status="UP", members=members)}), True)
    with caplog.at_level(logging.WARNING):
        made.start()
        beat = heard(receiver)
        made.stop()
    assert (beat.generations, beat.pools) == ({"a": 1}, {})
    assert "members are left out" in caplog.text
    assert LARGEST < 65_507


class Balancer:
    """Stands for a load balancer: what its HAProxy shows, and whether it was woken."""

    def __init__(self, shown: dict[int, list[Row]] | None) -> None:
        self.folder = type("Folder", (), {"name": new_id()})()
        self.document = Document(
            load_balancer_id=self.folder.name, generation=4, fence=Fence(1, 1), config="", reload_key=""
        )
        self.is_monitored = False
        self.shown = shown
        self.woken = 0
        self.haproxy = self

    def statistics(self) -> dict[int, list[Row]]:
        if self.shown is None:
            raise HaproxyError("silent")
        return self.shown

    def wake(self) -> None:
        self.woken += 1


def as_real(balancer: Balancer) -> LoadBalancer:
    return cast(LoadBalancer, balancer)


def test_what_an_adopted_haproxy_had_counted_is_not_told() -> None:
    balancer = Balancer({1: [frontend(100, "l")]})
    observer = Observer(lambda: [as_real(balancer)], lambda view, news: None)
    observer.adopted(balancer.folder.name)
    assert observer.look().listeners["l"].bytes_in == 0
    balancer.shown = {1: [frontend(107, "l")]}
    assert observer.look().listeners["l"].bytes_in == 7


def test_a_silent_haproxy_is_spoken_for_only_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    balancer = Balancer({1: [frontend(1, "l"), other("p:l", "BACKEND", "UP")]})
    observer = Observer(lambda: [as_real(balancer)], lambda view, news: None)
    answering = observer.look()
    balancer.shown = None
    for _ in range(2 * observe.MISSES):
        silent = observer.look()
        assert (silent.listeners, silent.pools) == (answering.listeners, answering.pools)
        assert silent.news() != answering.news()
    assert balancer.woken == 0
    monkeypatch.setattr(observe, "SILENCE", 0.0)
    monkeypatch.setattr(observe, "HANGING", 0.0)
    silent = observer.look()
    assert (silent.listeners, silent.pools, silent.generations) == ({}, {}, answering.generations)
    assert balancer.woken == 1


def test_one_miss_after_a_long_sleep_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observe, "SILENCE", 0.0)
    monkeypatch.setattr(observe, "HANGING", 0.0)
    balancer, seen = Balancer(None), Seen()
    for _ in range(observe.MISSES - 1):
        assert not seen.look(as_real(balancer))
    assert balancer.woken == 0


def test_traffic_is_no_news() -> None:
    balancer = Balancer({1: [frontend(1, "l")]})
    observer = Observer(lambda: [as_real(balancer)], lambda view, news: None)
    first = observer.look()
    balancer.shown = {1: [frontend(1000, "l", scur=3)]}
    second = observer.look()
    assert (first.news(), first) != (second.news(), second)
    assert first.news() == second.news()
    balancer.shown = {1: [frontend(1000, "l", scur=100)]}
    assert observer.look().news() != first.news()


def test_who_is_gone_is_not_spoken_for() -> None:
    balancers: list[Any] = [Balancer({1: [frontend(1, "a")]}), Balancer({1: [frontend(1, "b")]})]
    observer = Observer(lambda: list(balancers), lambda view, news: None)
    assert set(observer.look().listeners) == {"a", "b"}
    gone = balancers.pop()
    view = observer.look()
    assert set(view.listeners) == {"a"}
    assert gone.folder.name not in view.generations
