"""How many connections a listener and HAProxy as a whole may hold."""

from collections.abc import Sequence
from typing import Final

from octavia.domain.document import Limits
from octavia.domain.listener import Listener

UNLIMITED: Final = 50_000
"""What a listener without a limit may hold at most (upstream's default_connection_limit)."""
SMALLEST: Final = 16
OWN: Final = 64
"""Descriptors that HAProxy 2.6 takes for itself: 29 measured with one listener, the rest for more listeners."""
CHECKED: Final = 128


def capacity(limits: Limits, servers: int, listeners: int) -> int:
    """The connections that fit: each takes two descriptors, each checked server one (measured, without splicing).

    The servers count in powers of two, so that one more hardly ever changes the result, which would need a reload.
    """
    steps = max(CHECKED, 1 << servers.bit_length())
    return max(SMALLEST, (limits.nofile - OWN - listeners - steps) // 2)


def listener_limit(listener: Listener, most: int) -> int:
    """The limit that was asked for, as far as it can be held. 0 is none, as in HAProxy (section 4.2, maxconn)."""
    return min(listener.connection_limit if listener.connection_limit > 0 else UNLIMITED, most)


def global_limit(listeners: Sequence[Listener], most: int) -> int:
    return max(SMALLEST, min(sum(listener_limit(listener, most) for listener in listeners), most))
