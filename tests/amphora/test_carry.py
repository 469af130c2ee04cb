"""What a new worker learns from the old one: told by HAProxy's own words, and tried on a real one."""

import os
import signal
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octavia.amphora import carry
from octavia.amphora.carry import Entry
from tests.amphora.stage import Stage
from tests.amphora.wishes import Wish, simple
from tests.host.needs import until

LISTING = """# table: p:a, type: ipv6, size:100000, used:2
# table: p:b, type: string, size:100000, used:0
# table: peers-only, type: ipv6, size:10, used:1
"""
TABLES = {
    "show table": LISTING,
    "show table p:a": """# table: p:a, type: ipv6, size:100000, used:2
0x5649edc76460: key=::ffff:127.0.0.1 use=0 exp=0 server_id=3 server_key=b17ede45
0x5649edc76461: key=2001:db8::1 use=1 exp=1000 server_id=12 server_key=-
""",
    "show table peers-only": """# table: peers-only, type: ipv6, size:10, used:1
0x5649edc76462: key=2001:db8::1 use=1 exp=1000 gpc0=1
""",
}


def test_entries_are_read_from_the_tables_in_use() -> None:
    asked: list[str] = []

    def ask(command: str) -> str:
        asked.append(command)
        return TABLES[command]

    assert carry.entries(ask) == [Entry("p:a", "::ffff:127.0.0.1", 3), Entry("p:a", "2001:db8::1", 12)]
    assert asked == ["show table", "show table p:a", "show table peers-only"]


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_keys_pass_the_command_line(key: str) -> None:
    """Whatever a cookie holds: it is one word, and no command ends in it."""
    line = f"0x1: key={key} use=0 exp=0 server_id=3 server_key=x"
    (entry,) = carry.parsed("t", line)
    (command,) = carry.commands([entry], [])
    assert command.replace("\\\\", "").count(";") == command.replace("\\\\", "").count("\\;")
    assert (
        command.removeprefix("set table t key ")
        .removesuffix(" data.server_id 3")
        .replace("\\\\", "\0")
        .replace("\\;", ";")
        .replace("\0", "\\")
        == entry.key
    )


@pytest.fixture
def wish(stage: Stage) -> Wish:
    return simple(stage, *(stage.web(name) for name in "abcd"), session_persistence={"type": "SOURCE_IP"})


def reload(stage: Stage, wish: Wish) -> None:
    before = stage.worker(wish.id)
    listener = wish.graph.listeners[0]
    wish.change(listener, timeout_client_data=listener.timeout_client_data + 1000)
    stage.put(wish.document())
    assert stage.worker(wish.id) != before


def test_a_client_sticks_over_reloads_soon_after_the_start(stage: Stage, wish: Wish) -> None:
    stage.put(wish.document())
    first = stage.get()
    for _ in range(3):
        reload(stage, wish)
        assert {stage.get() for _ in range(8)} == {first}


def test_a_member_that_is_down_stays_down_over_a_reload(stage: Stage, wish: Wish) -> None:
    down_over(stage, wish, lambda: reload(stage, wish))


def test_a_member_that_is_down_stays_down_when_haproxy_is_killed(stage: Stage, wish: Wish) -> None:
    def kill() -> None:
        before = stage.master(wish.id)
        os.kill(before, signal.SIGKILL)
        until(lambda: stage.master(wish.id) not in (0, before) and stage.applied(wish.id).haproxy_running)

    down_over(stage, wish, kill)


def down_over(stage: Stage, wish: Wish, change: Callable[[], None]) -> None:
    """A monitor that looks once a minute would take long to find out again."""
    wish.add_monitor(type="TCP", delay=1, timeout=1, max_retries=1, max_retries_down=1)
    stage.put(wish.document())
    victim = wish.graph.members[0]
    web = next(web for web in stage.webs if web.address == victim.address)
    web.close()
    until(lambda: status(stage, wish, victim.id) == "DOWN", 10)
    until(lambda: "DOWN" in seen(stage, victim.id), 5)
    change()
    assert status(stage, wish, victim.id) == "DOWN"


def status(stage: Stage, wish: Wish, member_id: str) -> str:
    rows = (line.split(",") for line in stage.ask(wish.id, "show stat").splitlines())
    return next((row[17] for row in rows if row[1:2] == [member_id]), "")


def seen(stage: Stage, member_id: str) -> str:
    """What the agent knows."""
    stage.beats()
    reports = stage.beat().pools.values()
    return next((report.members[member_id] for report in reports if member_id in report.members), "")
