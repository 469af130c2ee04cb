"""Named network namespaces, and threads inside of them."""

import os
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from octavia.host import namespaces
from tests.host import needs

pytestmark = needs.namespaces


@pytest.fixture
def name() -> Iterator[str]:
    made = namespaces.name_for(str(uuid.uuid4()))
    yield made
    namespaces.remove(made)


def current() -> int:
    return os.stat("/proc/thread-self/ns/net").st_ino


def test_a_namespace_is_made_once(name: str) -> None:
    path = namespaces.ensure(name)
    inode = path.stat().st_ino
    assert namespaces.there(name)
    assert namespaces.ensure(name).stat().st_ino == inode != current()


def test_a_namespace_is_ready_for_use(name: str) -> None:
    with namespaces.entered(namespaces.ensure(name)):
        assert "00000000000000000000000000000001" in Path("/proc/thread-self/net/if_inet6").read_text()
        values = {key: Path("/proc/sys", key).read_text().strip() for key in namespaces.SYSCTLS}
    assert values == namespaces.SYSCTLS


def test_our_own_namespace_keeps_its_sysctls(name: str) -> None:
    before = [Path("/proc/sys", key).read_text() for key in namespaces.SYSCTLS]
    namespaces.ensure(name)
    assert [Path("/proc/sys", key).read_text() for key in namespaces.SYSCTLS] == before


def test_a_removed_namespace_is_gone(name: str) -> None:
    namespaces.ensure(name)
    namespaces.remove(name)
    namespaces.remove(name)
    assert not namespaces.there(name)
    assert not namespaces.path_of(name).exists()


def test_a_half_made_namespace_is_completed_or_removed(name: str) -> None:
    namespaces.share_folder()
    namespaces.path_of(name).touch()
    assert not namespaces.there(name)
    namespaces.ensure(name)
    assert namespaces.there(name)
    namespaces.remove(name)
    namespaces.path_of(name).touch()
    namespaces.remove(name)
    assert not namespaces.path_of(name).exists()


def test_a_thread_comes_home(name: str) -> None:
    home = current()
    path = namespaces.ensure(name)
    with namespaces.entered(path):
        assert current() == path.stat().st_ino
        assert os.stat("/proc/self/ns/net").st_ino in (home, current())
    assert current() == home
    with pytest.raises(ValueError, match="inside"), namespaces.entered(path):
        raise ValueError("inside")
    assert current() == home


def test_a_thread_stays_home_when_there_is_no_such_namespace() -> None:
    home = current()
    with pytest.raises(FileNotFoundError), namespaces.entered(Path("/run/netns/octavia-nonexistent")):
        pass
    assert current() == home


def test_other_threads_are_not_taken_along(name: str) -> None:
    home = current()
    path = namespaces.ensure(name)
    inside, seen = threading.Event(), threading.Event()

    def visit() -> None:
        with namespaces.entered(path):
            inside.set()
            seen.wait(5)

    thread = threading.Thread(target=visit)
    thread.start()
    assert inside.wait(5)
    assert current() == home
    seen.set()
    thread.join()


def test_eight_threads_at_once() -> None:
    names = [namespaces.name_for(str(uuid.uuid4())) for _ in range(16)]
    home = current()
    try:
        with ThreadPoolExecutor(8) as pool:
            inodes = {path.stat().st_ino for path in pool.map(namespaces.ensure, [*names, *names])}
            assert len(inodes) == 16
            assert set(pool.map(lambda _: current(), range(16))) == {home}
    finally:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(namespaces.remove, names))
    assert not any(namespaces.path_of(name).exists() for name in names)


def test_what_fails_apart_is_raised_here() -> None:
    with pytest.raises(ValueError, match="apart"):
        namespaces.apart(lambda: (_ for _ in ()).throw(ValueError("apart")).__next__())
    assert namespaces.apart(lambda: 7) == 7
