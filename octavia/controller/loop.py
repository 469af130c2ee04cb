"""The loop: rings, and looks at the database and the world, fill a queue; a few threads visit what is due."""

import logging
import random
import threading
import time
from collections.abc import Callable

from octavia.bus import Bus
from octavia.controller.queue import Queue
from octavia.controller.sweep import Found, Sweeper
from octavia.controller.visit import Outcome, Visitor
from octavia.controller.world import Fault

LOG = logging.getLogger(__name__)
LONGEST_BACKOFF = 60.0
WATCH = 1.0
"""Seconds between two looks at the database for what nobody rang for: another process's API has asked for it, or a
ring was lost."""
RARELY = 6
"""A cluster where nothing is known to be amiss is looked at in every so many sweeps, at the latest."""


class Loop:
    """Visits clusters until it is stopped; a visit that has begun is finished."""

    def __init__(
        self,
        visitor: Visitor,
        sweeper: Sweeper,
        bus: Bus,
        *,
        workers: int,
        sweep_interval: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._visitor = visitor
        self._sweeper = sweeper
        self._interval = sweep_interval
        self._clock = clock
        self._queue = Queue()
        self._failures: dict[str, int] = {}
        self._rung: set[str] = set()
        self._told: dict[str, frozenset[str]] = {}
        self._looked: dict[str, float] = {}
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"visit-{number}", daemon=True) for number in range(workers)
        ]
        for name, seconds, look in (("watch", WATCH, self._watch), ("sweep", sweep_interval, self._sweep)):
            self._threads.append(threading.Thread(target=self._every, args=(seconds, look), name=name, daemon=True))
        bus.listen(self.ring)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No visit begins any more, and those that had begun have ended."""
        self._stop.set()
        self._queue.close()
        for thread in self._threads:
            thread.join()

    def ring(self, cluster_id: str) -> None:
        """The cluster is visited as soon as a thread is free."""
        self._rung.add(cluster_id)
        self._queue.add(cluster_id, self._clock())

    def _work(self) -> None:
        while (cluster_id := self._queue.next(self._clock)) is not None:
            try:
                self._visit(cluster_id)
            except Exception:
                LOG.exception("the visit to cluster %s failed in a way that nobody foresaw", cluster_id)
                self._later(cluster_id)
            finally:
                self._queue.free(cluster_id)

    def _visit(self, cluster_id: str) -> None:
        rung = cluster_id in self._rung
        self._rung.discard(cluster_id)
        if not rung and cluster_id not in self._failures and self._visitor.idle(cluster_id):
            return
        self._follow(cluster_id, self._visitor.visit(cluster_id))

    def _follow(self, cluster_id: str, outcome: Outcome) -> None:
        if isinstance(outcome.result, Fault):
            LOG.warning("cluster %s: %s", cluster_id, outcome.sentence)
            self._later(cluster_id)
            return
        LOG.info("cluster %s: %s", cluster_id, outcome.sentence)
        self._failures.pop(cluster_id, None)
        if outcome.again is not None:
            self._rung.add(cluster_id)
            self._queue.add(cluster_id, self._clock() + outcome.again)

    def _later(self, cluster_id: str) -> None:
        """Another visit is due after a time that doubles with each failure, jittered so that they do not march."""
        count = self._failures[cluster_id] = self._failures.get(cluster_id, 0) + 1
        delay = min(LONGEST_BACKOFF, 0.5 * 2 ** min(count, 10)) * random.uniform(0.7, 1.0)  # noqa: S311
        self._queue.add(cluster_id, self._clock() + delay)

    def _every(self, seconds: float, look: Callable[[], None]) -> None:
        """Looks about so often, jittered, until the end. Only the first failure in a row is told at length."""
        failures = 0
        while not self._stop.is_set():
            try:
                look()
                failures = 0
            except Exception as error:
                name = threading.current_thread().name
                LOG.error("the %s failed; the next is due in %g s: %s", name, seconds, error, exc_info=not failures)
                failures += 1
            self._stop.wait(seconds * random.uniform(0.8, 1.2))  # noqa: S311

    def _watch(self) -> None:
        """What is unfinished is rung for once. Whoever visits it follows it from there on, at a pace of their own."""
        told = {}
        for cluster_id, marks in self._sweeper.unfinished().items():
            if self._queue.busy(cluster_id):
                # The visit may have begun before this was asked for.
                continue
            if self._told.get(cluster_id) != marks:
                self.ring(cluster_id)
            told[cluster_id] = marks
        self._told = told

    def _sweep(self) -> None:
        found = self._sweeper.sweep()
        for cluster_id in self._due(found):
            spread = random.uniform(0, self._interval / 2)  # noqa: S311
            self._queue.add(cluster_id, self._clock() + spread)

    def _due(self, found: Found) -> list[str]:
        """What went astray, and what was not looked at for long; the latter at different times for each."""
        now, longest = self._clock(), RARELY * self._interval
        self._looked = {cluster_id: self._looked.get(cluster_id, now - longest) for cluster_id in found.every}
        due = [key for key in found.every if key in found.astray or now - self._looked[key] >= longest]
        for cluster_id in due:
            self._looked[cluster_id] = now - random.uniform(0, longest / 2)  # noqa: S311
        return due
