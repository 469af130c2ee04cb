"""Named network namespaces, as `ip netns` knows them, and threads that step into them."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from octavia.host import kernel

FOLDER = Path("/run/netns")
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
"""Binds succeed before their address is there, and addresses are of use at once."""


def path_of(name: str) -> Path:
    return FOLDER / name


@contextmanager
def entered(namespace: Path) -> Iterator[None]:
    """The current thread, and it alone, is in this network namespace until the block ends."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        there = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
        try:
            kernel.setns(there, kernel.NEWNET)
        finally:
            os.close(there)
        try:
            yield
        finally:
            kernel.setns(home, kernel.NEWNET)
    finally:
        os.close(home)
