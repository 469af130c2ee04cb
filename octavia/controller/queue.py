"""Which cluster is visited next: a set of ids with the time at which each is due."""

import heapq
import threading
from collections.abc import Callable


class Queue:
    """Each id stands in it once, at its earliest time; an id that is being visited waits until that visit ends.

    Times are seconds of the caller's monotonic clock.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        self._busy: set[str] = set()
        self._closed = False

    def add(self, key: str, at: float) -> None:
        """The id is due at this time, or earlier if it was."""
        with self._changed:
            if at < self._due.get(key, float("inf")):
                self._due[key] = at
                heapq.heappush(self._heap, (at, key))
                self._changed.notify()

    def _take(self, now: float) -> tuple[str | None, float | None]:
        """An id that is due and now counts as busy, or None and the seconds until the next may be."""
        held: list[tuple[float, str]] = []
        try:
            while self._heap:
                at, key = self._heap[0]
                if self._due.get(key) != at:
                    heapq.heappop(self._heap)
                elif at > now:
                    return None, at - now
                else:
                    heapq.heappop(self._heap)
                    if key in self._busy:
                        held.append((at, key))
                        continue
                    del self._due[key]
                    self._busy.add(key)
                    return key, None
            return None, None
        finally:
            for entry in held:
                heapq.heappush(self._heap, entry)

    def next(self, clock: Callable[[], float]) -> str | None:
        """The next id that is due, waited for; None once the queue is closed. The id then counts as busy."""
        with self._changed:
            while not self._closed:
                key, seconds = self._take(clock())
                if key is not None:
                    return key
                self._changed.wait(seconds)
            return None

    def poll(self, now: float) -> str | None:
        """An id that is due at this time and counts as busy from now on, if there is one."""
        with self._changed:
            return self._take(now)[0]

    def busy(self, key: str) -> bool:
        """Whether it is being visited."""
        with self._changed:
            return key in self._busy

    def free(self, key: str) -> None:
        """The visit has ended."""
        with self._changed:
            self._busy.discard(key)
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
