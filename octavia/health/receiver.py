"""The receiver: one socket, one thread that reads, one that writes down what was read."""

import logging
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime

from octavia.domain.heartbeat import BadHeartbeat, Heartbeat, decode
from octavia.health.intake import counts, says_the_same, wakes
from octavia.health.operating import operating_statuses
from octavia.store.reports import Reports

LOG = logging.getLogger(__name__)
LARGEST = 65535
LISTEN = 0.5
"""Seconds after which the reader looks whether it is to stop."""
BATCH = 0.1
"""Seconds over which heartbeats are gathered into one transaction; an edge does not wait."""


class Receiver:
    """Takes in heartbeats until it is stopped."""

    def __init__(
        self, listener: socket.socket, master_key: bytes, reports: Reports, ring: Callable[[str], None]
    ) -> None:
        listener.settimeout(LISTEN)
        self._socket = listener
        self._key = master_key
        self._reports = reports
        self._ring = ring
        self._last: dict[str, Heartbeat] = {}
        self._shown: dict[str, Heartbeat] = {}
        self._waiting: OrderedDict[str, Heartbeat] = OrderedDict()
        self._news = threading.Condition()
        self._urgent = False
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._read, name="heartbeats", daemon=True),
            threading.Thread(target=self._write, name="health", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """What was read is written down, and nothing more is read."""
        with self._news:
            self._stopped = True
            self._news.notify_all()
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def _read(self) -> None:
        while not self._stopped:
            try:
                self.take(self._socket.recv(LARGEST))
            except TimeoutError:
                continue
            except OSError as error:
                if not self._stopped:
                    LOG.error("heartbeats cannot be received: %s", error)
                    time.sleep(1)

    def take(self, datagram: bytes) -> None:
        """The heartbeat waits to be written down, if it is one that counts."""
        if not datagram:
            return
        try:
            beat = decode(datagram, self._key)
        except BadHeartbeat as error:
            LOG.warning("a datagram was dropped: %s", error)
            return
        before = self._last.get(beat.amphora_id)
        boot, sequence = (before.boot_id, before.sequence) if before else self._recalled(beat.amphora_id)
        if not counts(beat, boot, sequence, time.time()):
            return
        with self._news:
            self._waiting[beat.amphora_id] = beat
            self._urgent |= beat.edge
            self._news.notify()
        if wakes(beat, boot, before):
            self._wake_cluster(beat.amphora_id)
        self._last[beat.amphora_id] = beat

    def _recalled(self, amphora_id: str) -> tuple[str | None, int]:
        known = self._reports.known(amphora_id)
        return (known.boot_id, known.sequence) if known else (None, 0)

    def _wake_cluster(self, amphora_id: str) -> None:
        if known := self._reports.known(amphora_id):
            self._ring(known.cluster_id)

    def _write(self) -> None:
        while True:
            with self._news:
                while not self._waiting and not self._stopped:
                    self._news.wait()
                if not self._waiting:
                    return
                self._gather()
                beats, self._waiting, self._urgent = dict(self._waiting), OrderedDict(), False
            try:
                self._write_down(beats)
            except Exception:
                LOG.exception("heartbeats of %d amphorae could not be written down", len(beats))

    def _gather(self) -> None:
        """BATCH is over, or something came that must not wait. Each heartbeat notifies: that alone ends nothing."""
        self._news.wait_for(lambda: self._urgent or self._stopped, timeout=BATCH)

    def _write_down(self, beats: dict[str, Heartbeat]) -> None:
        now = datetime.now(UTC).replace(tzinfo=None)
        owners = self._reports.owners(tuple(beats))
        self._reports.take_in({key: beats[key] for key in owners}, owners, now)
        for amphora_id, load_balancer_id in owners.items():
            self._show(load_balancer_id, beats[amphora_id])

    def _show(self, load_balancer_id: str, beat: Heartbeat) -> None:
        """The graph's operating statuses are what this heartbeat says; most say nothing new, and cost nothing."""
        shown = self._shown.get(beat.amphora_id)
        if shown is not None and says_the_same(shown, beat):
            return
        graph = self._reports.graph(load_balancer_id)
        if graph is not None:
            self._reports.set_operating_statuses(graph, operating_statuses(graph, beat))
            self._shown[beat.amphora_id] = beat
