"""What an amphora takes of its machine, and what it says that it can hold. Figures are printed (pytest -s)."""

import os
import re
import resource
import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from octavia.amphora.process import LONGEST_LOG
from octavia.domain.document import Limits
from octavia.drivers.faults import Refused
from octavia.host import processes
from octavia.render import document
from tests.amphora.stage import MARK, Stage, connection
from tests.amphora.wishes import Wish, simple
from tests.host.needs import until

MEMORY = 40 << 10
"""KiB of an amphora at most; the aim is half of it."""


def pss(pid: int) -> int:
    """KiB, shared pages shared out."""
    found = re.search(r"^Pss: +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found
    return int(found.group(1))


def test_memory(stage: Stage) -> None:
    wish = simple(stage)
    stage.put(wish.document())
    for number in range(5):
        wish.add_member(stage.web())
        wish.add_listener(wish.pool, protocol_port=81 + number)
        stage.put(wish.document())
    until(lambda: len(stage.ours()) == 3)
    agent = pss(stage.running.pid)
    all_of_it = sum(pss(process.pid) for process in stage.ours())
    print(f"figure: PSS: agent {agent / 1024:.1f} MB, with HAProxy {all_of_it / 1024:.1f} MB")
    assert all_of_it < MEMORY


def test_start(bare: Stage) -> None:
    """The first start makes a key, the second has one."""
    for kind in ("first", "second"):
        bare.beats()
        begin = time.monotonic()
        bare.start()
        bare.beat()
        took = time.monotonic() - begin
        print(f"figure: {kind} start: a heartbeat after {took * 1000:.0f} ms")
        assert took < 3
        bare.kill()


def start_with(stage: Stage, nofile: int) -> None:
    """The agent, and all that it starts, may open so many files."""
    agent = f"{sys.executable} -m octavia.amphora {stage.folder}"
    script = f"ulimit -S -n {nofile // 2}; ulimit -H -n {nofile}; exec {agent}"
    env = os.environ | {MARK: stage.id}
    stage.agent = processes.spawn(["sh", "-c", script], cwd=stage.folder, log=stage.folder / "agent.log", env=env)
    stage.certified()


@pytest.mark.parametrize("nofile", [400, 1000])
def test_what_it_says_is_what_it_holds(bare: Stage, nofile: int) -> None:
    start_with(bare, nofile)
    assert bare.state().limits == Limits(nofile=nofile)
    wish = simple(bare)
    made = document(wish.graph, fence=wish.document().fence, limits=bare.state().limits)
    bare.put(made)
    most = int(re.findall(r"maxconn (\d+)", made.config)[0])
    with ExitStack() as held:
        clients = [held.enter_context(connection(bare.vip)) for _ in range(most)]
        for client in clients:
            client.sendall(b"GET / HTTP/1.1\r\nHost: vip\r\n\r\n")
        assert all(client.recv(1000).startswith(b"HTTP/1.1 200") for client in clients)
    assert bare.get() == "m1"


def test_the_hard_limit_counts(stage: Stage) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert stage.state().limits.nofile == hard


def test_a_document_that_asks_for_more_is_refused_or_held(bare: Stage) -> None:
    """HAProxy itself says so: the agent does not pretend."""
    start_with(bare, 400)
    wish = simple(bare)
    with pytest.raises(Refused, match="limit"):
        bare.put(document(wish.graph, fence=wish.document().fence, limits=Limits(nofile=20_000)))


def test_files_do_not_leak(stage: Stage) -> None:
    """Neither in changes, nor in deaths, nor with clients who come and go."""
    wish = simple(stage)
    stage.put(wish.document())
    before = 0
    for turn in range(3):
        work(stage, wish)
        stage.agents.forget(stage.id)
        if turn == 0:
            before = settled(stage)
    until(lambda: settled(stage) <= before + 2)


def work(stage: Stage, wish: Wish) -> None:
    for port in (81, 82):
        row = wish.add_listener(wish.pool, protocol_port=port)
        stage.put(wish.document())
        wish.delete(row)
    stage.put(wish.document())
    for _ in range(5):
        with socket.create_connection((stage.endpoint.address, stage.endpoint.port)):
            pass
    os.kill(stage.master(wish.id), 9)
    until(lambda: not stage.get())
    stage.served()


def settled(stage: Stage) -> int:
    return len(os.listdir(f"/proc/{stage.running.pid}/fd"))


def test_the_log_of_haproxy_does_not_fill_the_disk(stage: Stage) -> None:
    """Members that go up and down are told there, too."""
    wish = simple(stage)
    stage.put(wish.document())
    log = stage.place(wish.id) / "haproxy.log"
    with log.open("ab") as file:
        file.truncate(LONGEST_LOG + 1)
    until(lambda: log.stat().st_size < LONGEST_LOG)
