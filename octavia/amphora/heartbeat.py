"""Heartbeats: at every interval, and at once when something changes. They go on when HAProxy is silent."""

import logging
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from octavia.amphora import haproxy
from octavia.amphora.apply import LoadBalancer
from octavia.amphora.counters import Counters, pools
from octavia.amphora.haproxy import HaproxyError
from octavia.domain.document import PROTOCOL, Seed
from octavia.domain.heartbeat import Heartbeat, ListenerReport, PoolReport, encode

LOG = logging.getLogger(__name__)
T = TypeVar("T")
LOOK = 0.25
"""Seconds between two looks at HAProxy, for changes that are told at once."""


class Sender:
    """Tells all receivers what the amphora sees."""

    def __init__(self, seed: Seed, load_balancers: Callable[[], Iterable[LoadBalancer]]) -> None:
        self.boot_id = str(uuid.uuid4())
        self._seed = seed
        self._key = bytes.fromhex(seed.heartbeat_key)
        self._load_balancers = load_balancers
        self._counters: dict[str, Counters] = {}
        self._listeners: dict[str, dict[str, ListenerReport]] = {}
        self._pools: dict[str, dict[str, PoolReport]] = {}
        self._sequence = 0
        self._due = 0.0
        self._shown: object = None
        self._news = threading.Event()
        self._stopped = False
        self._socket = socket.socket(socket.AF_INET6 if ":" in seed.listen[0] else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((seed.listen[0], 0))
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def changed(self) -> None:
        """Something may be worth telling: it is looked at now."""
        self._news.set()

    def stop(self) -> None:
        self._stopped = True
        self._news.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self._socket.close()

    def baseline(self, load_balancer: LoadBalancer) -> None:
        """What an adopted HAProxy had counted before this boot is not told again."""
        counters = self._counters[load_balancer.folder.name] = Counters()
        try:
            counters.baseline(haproxy.statistics(load_balancer.haproxy.runtime))
        except HaproxyError as error:
            LOG.info("%s", error)

    def _run(self) -> None:
        while not self._stopped:
            try:
                self._beat()
            except OSError as error:
                LOG.warning("the heartbeat could not be sent: %s", error)
            self._news.wait(min(LOOK, self._seed.heartbeat_interval))
            self._news.clear()

    def _beat(self) -> None:
        generations = self._look()
        shown = (generations, self._statuses(), self._pools)
        edge, now = shown != self._shown, time.monotonic()
        if not edge and now < self._due:
            return
        self._shown, self._due = shown, now + self._seed.heartbeat_interval
        self._sequence += 1
        datagram = encode(self._heartbeat(generations, edge=edge), self._key)
        for receiver in self._seed.receivers:
            self._socket.sendto(datagram, tuple(receiver))

    def _look(self) -> dict[str, int]:
        """Load balancer to generation in force; what HAProxy shows is noted, or left as it was where it is silent."""
        generations = {}
        reports, seen = {}, {}
        for load_balancer in self._load_balancers():
            name = load_balancer.folder.name
            if load_balancer.document is not None:
                generations[name] = load_balancer.document.generation
            try:
                rows = haproxy.statistics(load_balancer.haproxy.runtime)
            except HaproxyError:
                reports[name], seen[name] = self._listeners.get(name, {}), self._pools.get(name, {})
                continue
            reports[name] = self._counters.setdefault(name, Counters()).take_in(rows)
            seen[name] = pools(rows)
        self._listeners, self._pools = reports, seen
        return generations

    def _statuses(self) -> dict[str, str]:
        return {key: report.status for reports in self._listeners.values() for key, report in reports.items()}

    def _heartbeat(self, generations: dict[str, int], *, edge: bool) -> Heartbeat:
        return Heartbeat(
            protocol=PROTOCOL,
            amphora_id=self._seed.amphora_id,
            boot_id=self.boot_id,
            sequence=self._sequence,
            time=time.time(),
            edge=edge,
            generations=generations,
            listeners=merged(self._listeners.values()),
            pools=merged(self._pools.values()),
        )


def merged(maps: Iterable[Mapping[str, T]]) -> dict[str, T]:
    return {key: value for each in maps for key, value in each.items()}
