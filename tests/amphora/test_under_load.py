"""Documents change while clients are served: not one request fails, and what runs is what a fresh start would run."""

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.amphora.stage import Stage
from tests.amphora.wishes import Wish, simple
from tests.host.needs import until

needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
Change = Callable[[Stage, Wish], object]


class Wrk:
    """Clients that keep their connections, with a request in flight on each of them at every time."""

    def __init__(self, address: str) -> None:
        argv = ["wrk", "-t1", "-c8", "-d120s", "--timeout", "5s", f"http://{address}/"]
        self._child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)

    def result(self) -> tuple[int, list[str]]:
        """Requests until now, and what went wrong in wrk's words."""
        self._child.send_signal(signal.SIGINT)
        said, _ = self._child.communicate(timeout=60)
        found = re.search(r"(\d+) requests in", said)
        assert found, said
        return int(found.group(1)), re.findall(r"(?:Socket errors|Non-2xx).*", said)

    def close(self) -> None:
        self._child.kill()
        self._child.communicate()


@pytest.fixture
def wish(stage: Stage) -> Wish:
    made = simple(stage, stage.web("one"), stage.web("two"))
    stage.put(made.document())
    return made


def add(stage: Stage, wish: Wish) -> None:
    wish.add_member(stage.webs[len(wish.graph.members) % len(stage.webs)], protocol_port=8080)


def remove(stage: Stage, wish: Wish) -> None:
    wish.delete(wish.graph.members[-1])


def weigh(stage: Stage, wish: Wish) -> None:
    member = wish.graph.members[-1]
    wish.change(member, weight=(member.weight * 7 + 1) % 256)


def switch(stage: Stage, wish: Wish) -> None:
    member = wish.graph.members[-1]
    wish.change(member, admin_state_up=not member.admin_state_up)


def listen(stage: Stage, wish: Wish) -> None:
    wish.add_listener(wish.pool, protocol_port=100 + len(wish.graph.listeners))


def unlisten(stage: Stage, wish: Wish) -> None:
    if len(wish.graph.listeners) > 1:
        wish.delete(wish.graph.listeners[-1])


def watch(stage: Stage, wish: Wish) -> None:
    if wish.graph.health_monitors:
        wish.delete(wish.graph.health_monitors[0])
    else:
        wish.add_monitor(type="TCP", delay=1)


RUNTIME: tuple[Change, ...] = (add, weigh, switch, switch, weigh, remove)
RELOADS: tuple[Change, ...] = (listen, watch, unlisten, watch)


def test_changes_of_members_need_no_reload(stage: Stage, wish: Wish) -> None:
    worker = stage.worker(wish.id)
    for change in RUNTIME * 3:
        change(stage, wish)
        stage.put(wish.document())
    assert stage.worker(wish.id) == worker


def test_members_change_at_runtime(stage: Stage, wish: Wish) -> None:
    """A number that a member who is still busy had before may need a reload now and then."""
    times = []
    with stage.traffic(interval=0.002) as traffic:
        for change in RUNTIME * 50:
            change(stage, wish)
            begin = time.monotonic()
            stage.put(wish.document())
            times.append(time.monotonic() - begin)
        seen = traffic.stop()
    print(f"figure: {seen['requests']} requests; a runtime change took {sorted(times)[len(times) // 2] * 1000:.1f} ms")
    assert seen["failures"] == {}


def test_reloads(stage: Stage, wish: Wish) -> None:
    times = []
    with stage.traffic(interval=0.002) as traffic:
        for change in RELOADS * 3:
            change(stage, wish)
            begin = time.monotonic()
            stage.put(wish.document())
            times.append(time.monotonic() - begin)
        seen = traffic.stop()
    print(f"figure: {seen['requests']} requests; a reload took {sorted(times)[len(times) // 2] * 1000:.1f} ms")
    assert seen["failures"] == {}


@needs_wrk
@pytest.mark.parametrize("mix", [RUNTIME * 50, RELOADS * 4, (RUNTIME + RELOADS) * 3], ids=["runtime", "reloads", "mix"])
def test_kept_connections(stage: Stage, wish: Wish, mix: tuple[Change, ...]) -> None:
    wrk = Wrk(stage.vip)
    try:
        for change in mix:
            change(stage, wish)
            stage.put(wish.document())
        requests, wrong = wrk.result()
    finally:
        wrk.close()
    print(f"figure: {requests} requests on kept connections, {len(mix)} changes")
    assert wrong == []


def test_a_new_member_is_used_and_a_removed_one_is_not(stage: Stage) -> None:
    wish = simple(stage, stage.web("old"))
    stage.put(wish.document())
    new = stage.web("new")
    member = wish.add_member(new)
    stage.put(wish.document())
    stage.answered_by("old", "new")
    wish.delete(member)
    stage.put(wish.document())
    assert {stage.get() for _ in range(10)} == {"old"}
    until(lambda: len(state(stage, wish)) == 1)


def test_the_last_member_goes_and_another_comes(stage: Stage) -> None:
    wish = simple(stage, stage.web("old"))
    stage.put(wish.document())
    stage.web("new")
    wish.delete(wish.graph.members[0])
    wish.add_member(stage.webs[1])
    with stage.traffic() as traffic:
        stage.put(wish.document())
        assert stage.get() == "new"
        assert traffic.stop()["failures"] == {}


def state(stage: Stage, wish: Wish) -> set[tuple[str, ...]]:
    """What `show servers state` says of each server, without what only time and checks tell.

    That a file has disabled a server once is marked too, and means nothing (management guide, srv_admin_state 0x04).
    """
    head, *rows = stage.ask(wish.id, "show servers state").splitlines()[1:]
    names = head.removeprefix("# ").split()
    kept = ("be_name", "srv_id", "srv_name", "srv_addr", "srv_port", "srv_uweight", "srv_check_port")
    found = (dict(zip(names, row.split(), strict=True)) for row in rows)
    return {(*(each[name] for name in kept), str(int(each["srv_admin_state"]) & ~4)) for each in found}


def statuses(stage: Stage, wish: Wish) -> set[tuple[str, ...]]:
    """Name, status, weight and kind of each server, as its counters show them.

    A server at rest shows a weight that was changed meanwhile only when it works again.
    """
    head, *rows = stage.ask(wish.id, "show stat").splitlines()
    names = head.removeprefix("# ").split(",")
    found = [dict(zip(names, row.split(","), strict=False)) for row in rows if row]
    found = [each | {"status": each["status"].partition(" ")[0]} for each in found]
    kept = ("pxname", "svname", "status", "act", "bck", "cookie", "mode", "addr", "check_rise", "check_fall")
    servers = [each for each in found if each["svname"] not in ("FRONTEND", "BACKEND")]
    weights = ["" if each["status"] == "MAINT" else each["weight"] for each in servers]
    return {(*(each[name] for name in kept), weight) for each, weight in zip(servers, weights, strict=True)}


def fresh(stage: Stage, wish: Wish) -> None:
    """HAProxy starts with the document as if there had never been another."""
    stage.remove(wish.id)
    stage.put(wish.document())


MIX = st.lists(st.sampled_from((add, remove, weigh, switch, add, weigh, listen, unlisten, watch)), max_size=12)


@pytest.fixture
def bed(stage: Stage) -> Stage:
    """One amphora for all examples."""
    for name in ("a", "b", "c"):
        stage.web(name)
    return stage


@settings(
    max_examples=15,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(changes=MIX, persistence=st.sampled_from((None, "HTTP_COOKIE", "SOURCE_IP")), together=st.booleans())
def test_what_runs_is_what_a_fresh_start_runs(
    bed: Stage, changes: list[Change], persistence: str | None, together: bool
) -> None:
    wish = simple(bed, *bed.webs, session_persistence={"type": persistence} if persistence else None)
    try:
        bed.put(wish.document())
        for change in changes:
            if wish.graph.members or change not in (remove, weigh, switch):
                change(bed, wish)
            if not together:
                bed.put(wish.document())
        bed.put(wish.document())
        drained(bed, wish)
        after = state(bed, wish) | statuses(bed, wish)
        fresh(bed, wish)
        assert after ^ (state(bed, wish) | statuses(bed, wish)) == set()
    finally:
        bed.remove(wish.id)


def drained(stage: Stage, wish: Wish) -> None:
    """No server is left that is not wished any more."""
    wanted = {server.name for server in wish.document().servers}
    until(lambda: {row[2] for row in state(stage, wish)} == wanted)
