"""Looking at all HAProxies several times a second: what they show, and whether that is news."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from msgspec import Struct

from octavia.amphora.apply import LoadBalancer
from octavia.amphora.counters import Counters, pools
from octavia.amphora.haproxy import HaproxyError
from octavia.domain.heartbeat import ListenerReport, PoolReport

LOG = logging.getLogger(__name__)
T = TypeVar("T")
LOOK = 0.25
"""Seconds between two looks where members are monitored: a change of theirs waits so long at most."""
CALM_LOOK = 1.0
"""Where nothing but traffic changes by itself: a look costs a millisecond of CPU, and hosts have many amphorae."""
SILENCE = 5.0
"""Seconds after which a HAProxy that does not answer is not spoken for any more."""
HANGING = 10.0
"""Seconds after which it is replaced, which costs its connections: one that is only slow must not be."""
MISSES = 8
"""It must have been silent so many times too: it may be us who slept."""


class View(Struct, frozen=True, kw_only=True):
    """What was seen last of all load balancers."""

    generations: dict[str, int] = {}
    answering: frozenset[str] = frozenset()
    listeners: dict[str, ListenerReport] = {}
    pools: dict[str, PoolReport] = {}

    def news(self) -> object:
        """What must be told at once when it changes: all but the traffic."""
        statuses = {key: report.status for key, report in self.listeners.items()}
        return self.generations, self.answering, statuses, self.pools


class Seen:
    """One load balancer, as it was seen last."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.is_adopted = False
        self.answered = time.monotonic()
        self.misses = 0
        self.listeners: dict[str, ListenerReport] = {}
        self.pools: dict[str, PoolReport] = {}

    def look(self, load_balancer: LoadBalancer) -> bool:
        """Whether its HAProxy answers."""
        try:
            shown = load_balancer.haproxy.statistics()
        except HaproxyError:
            self.miss(load_balancer)
            return False
        if self.is_adopted:
            # What it counted before our boot is not for us to tell.
            self.counters.baseline(shown)
            self.is_adopted = False
        self.listeners = self.counters.take_in(shown)
        self.pools = pools(next(iter(shown.values())))
        self.answered, self.misses = time.monotonic(), 0
        return True

    def miss(self, load_balancer: LoadBalancer) -> None:
        """What was seen last is believed for a while."""
        self.misses += 1
        silence = time.monotonic() - self.answered
        if silence > SILENCE:
            self.listeners, self.pools = {}, {}
        if self.misses >= MISSES and silence > HANGING:
            self.misses = 0
            load_balancer.wake()


class Observer:
    """Calls `tell` with each view, in its own thread, and says whether it is news."""

    def __init__(
        self, load_balancers: Callable[[], Iterable[LoadBalancer]], tell: Callable[[View, bool], None]
    ) -> None:
        self._load_balancers = load_balancers
        self._tell = tell
        self._seen: dict[str, Seen] = {}
        self._told: object = None
        self._bell = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)

    def adopted(self, load_balancer_id: str) -> None:
        """Its HAProxy had counted already when we found it."""
        seen = self._seen[load_balancer_id] = Seen()
        seen.is_adopted = True

    def start(self) -> None:
        self._thread.start()

    def ring(self) -> None:
        """Something has changed: it is looked at now."""
        self._bell.set()

    def stop(self) -> None:
        self._stopped = True
        self._bell.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> View:
        """What all load balancers show now."""
        load_balancers = {each.folder.name: each for each in self._load_balancers() if each.document is not None}
        self._seen = {name: self._seen.get(name) or Seen() for name in load_balancers}
        answering = {name for name, seen in self._seen.items() if seen.look(load_balancers[name])}
        return View(
            generations={
                name: applied.generation for name, each in load_balancers.items() if (applied := each.document)
            },
            answering=frozenset(answering),
            listeners=merged(seen.listeners for seen in self._seen.values()),
            pools=merged(seen.pools for seen in self._seen.values()),
        )

    def _run(self) -> None:
        while not self._stopped:
            try:
                view = self.look()
                news = view.news()
                self._tell(view, news != self._told)
                self._told = news
            except Exception:
                LOG.exception("looking at HAProxy failed in a way that nobody foresaw")
            self._bell.wait(LOOK if any(each.is_monitored for each in self._load_balancers()) else CALM_LOOK)
            self._bell.clear()


def merged(maps: Iterable[Mapping[str, T]]) -> dict[str, T]:
    return {key: value for each in maps for key, value in each.items()}
