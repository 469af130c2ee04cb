"""Which heartbeats count: pure. Replays, late ones and strangers do not."""

from octavia.domain.heartbeat import Heartbeat

LATE = 30.0
"""Seconds that a heartbeat's own time may be off ours before it is dropped."""


def counts(beat: Heartbeat, last_boot: str | None, last_sequence: int, now: float) -> bool:
    """Whether this heartbeat is news: of a boot not heard before, or later in the one that is."""
    if abs(now - beat.time) > LATE:
        return False
    return beat.boot_id != last_boot or beat.sequence > last_sequence


def wakes(beat: Heartbeat, last_boot: str | None, before: Heartbeat | None) -> bool:
    """Whether the controller should look: the agent has just started, or what is in force has changed by itself."""
    if beat.boot_id != last_boot:
        return True
    return before is not None and not beat.edge and before.generations != beat.generations


def says_the_same(before: Heartbeat, beat: Heartbeat) -> bool:
    """Whether both lead to the same operating statuses: traffic counters do not matter."""
    return (
        before.generations == beat.generations
        and before.pools == beat.pools
        and {key: report.status for key, report in before.listeners.items()}
        == {key: report.status for key, report in beat.listeners.items()}
    )
