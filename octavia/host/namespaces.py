"""Named network namespaces, as `ip netns` knows them, and threads that step into them."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from octavia.host import kernel

T = TypeVar("T")
FOLDER = Path("/run/netns")
PREFIX = "octavia-"
MAKING = threading.Lock()
SYSCTLS = {
    "net/ipv4/ip_nonlocal_bind": "1",
    "net/ipv6/ip_nonlocal_bind": "1",
    "net/ipv4/ip_unprivileged_port_start": "0",
    "net/ipv6/conf/default/accept_dad": "0",
    "net/ipv6/conf/all/accept_dad": "0",
    "net/ipv6/conf/default/accept_ra": "0",
    "net/ipv6/conf/all/accept_ra": "0",
}
"""Binds succeed before their address is there, addresses are of use at once, and routers are not listened to."""


def name_for(identifier: str) -> str:
    """The name of this amphora's namespace."""
    return PREFIX + identifier[:13]


def path_of(name: str) -> Path:
    return FOLDER / name


def there(name: str) -> bool:
    """Whether the namespace is there: a file alone is one that was never finished, or lost by a reboot."""
    try:
        return path_of(name).stat().st_dev != FOLDER.stat().st_dev
    except FileNotFoundError:
        return False


def ensure(name: str) -> Path:
    """The namespace exists, with its loopback up and the sysctls set. Raises OSError."""
    with MAKING:
        if not there(name):
            share_folder()
            path_of(name).touch(mode=0o444)
            apart(lambda: pin(name))
    return path_of(name)


def remove(name: str) -> None:
    """The name is gone, and the namespace with the last process in it."""
    with MAKING, suppress(FileNotFoundError):
        if there(name):
            kernel.umount(str(path_of(name)))
        path_of(name).unlink()


def share_folder() -> None:
    """The folder is a mount of its own that other mount namespaces see too, as `ip netns` makes it."""
    FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder = str(FOLDER)
    try:
        kernel.mount("", folder, "none", kernel.MS_SHARED | kernel.MS_REC)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        kernel.mount(folder, folder, "none", kernel.MS_BIND | kernel.MS_REC)
        kernel.mount("", folder, "none", kernel.MS_SHARED | kernel.MS_REC)


def pin(name: str) -> None:
    """The current thread is in a new namespace, ready for use and held by the file of this name."""
    kernel.unshare(kernel.NEWNET)
    raise_loopback()
    for key, value in SYSCTLS.items():
        write_sysctl(key, value)
    kernel.mount("/proc/thread-self/ns/net", str(path_of(name)), "none", kernel.MS_BIND)


def raise_loopback() -> None:
    """The loopback of the current thread's namespace is up."""
    import fcntl
    import socket
    import struct

    get, put, up = 0x8913, 0x8914, 0x1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = fcntl.ioctl(control, get, struct.pack("16sH14x", b"lo", 0))
        flags = struct.unpack("16sH14x", request)[1]
        fcntl.ioctl(control, put, struct.pack("16sH14x", b"lo", flags | up))


def write_sysctl(key: str, value: str) -> None:
    """The sysctl of the current thread's namespace has this value; a machine without IPv6 has none of its keys."""
    with suppress(FileNotFoundError):
        Path("/proc/sys", key).write_text(value)


@contextmanager
def entered(namespace: Path) -> Iterator[None]:
    """The current thread, and it alone, is in this network namespace until the block ends."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        join(namespace)
        try:
            yield
        finally:
            kernel.setns(home, kernel.NEWNET)
    finally:
        os.close(home)


def join(namespace: Path) -> None:
    """The current thread is in this network namespace from now on."""
    descriptor = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        kernel.setns(descriptor, kernel.NEWNET)
    finally:
        os.close(descriptor)


def apart(call: Callable[[], T]) -> T:
    """What the call returns or raises, done in a thread that nobody uses afterwards, wherever it has gone."""
    done: list[T] = []
    failed: list[BaseException] = []

    def body() -> None:
        try:
            done.append(call())
        except BaseException as error:  # noqa: BLE001  it is raised again by the caller
            failed.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return done[0]
