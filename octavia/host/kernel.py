"""System calls that Python 3.11 does not offer. They act on the calling thread alone, but for what `unshare(2)` says
of user and mount namespaces."""

import os
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ctypes

NEWNS: Final = 0x00020000
NEWUSER: Final = 0x10000000
NEWNET: Final = 0x40000000

MS_REC: Final = 0x4000
MS_BIND: Final = 0x1000
MS_SHARED: Final = 1 << 20
MNT_DETACH: Final = 2


@cache
def libc() -> "ctypes.CDLL":
    # The agent imports this module without ever calling it: ctypes is a megabyte that it can do without.
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    import ctypes

    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def setns(descriptor: int, kinds: int) -> None:
    """The calling thread is in the namespaces of this file or pidfd."""
    check(libc().setns(descriptor, kinds), "setns")


def unshare(kinds: int) -> None:
    check(libc().unshare(kinds), "unshare")


def mount(source: str, target: str, kind: str, flags: int) -> None:
    check(libc().mount(source.encode(), target.encode(), kind.encode(), flags, None), f"mount {target}")


def umount(target: str, flags: int = MNT_DETACH) -> None:
    check(libc().umount2(target.encode(), flags), f"umount {target}")
