"""Heartbeats: at every interval, and at once when something changes. Nothing that is silent holds them up."""

import logging
import socket
import threading
import time
import uuid
from collections.abc import Sequence

import msgspec

from octavia.amphora.observe import View
from octavia.domain.document import PROTOCOL, Seed
from octavia.domain.heartbeat import Heartbeat, encode

LOG = logging.getLogger(__name__)
LARGEST = 65_000
"""Bytes that fit into a datagram: some 2700 members."""


class Sender:
    """Tells all receivers what was seen last, from the management address."""

    def __init__(self, seed: Seed) -> None:
        self.boot_id = str(uuid.uuid4())
        self._seed = seed
        self._key = bytes.fromhex(seed.heartbeat_key)
        self._view = View()
        self._news = threading.Event()
        self._sequence = 0
        self._stopped = False
        self._silent: dict[Sequence[object], str] = {}
        self._sockets: dict[socket.AddressFamily, socket.socket] = {}
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """The first heartbeat is an edge: it tells that there is an agent that listens."""
        self._news.set()
        self._thread.start()

    def show(self, view: View, is_news: bool) -> None:
        """This is what the next heartbeat tells, and news are told now."""
        self._view = view
        if is_news:
            self._news.set()

    def stop(self) -> None:
        self._stopped = True
        self._news.set()
        if self._thread.is_alive():
            self._thread.join()
        for each in self._sockets.values():
            each.close()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stopped:
            edge = self._news.wait(max(0.0, due - time.monotonic()))
            self._news.clear()
            due = time.monotonic() + self._seed.heartbeat_interval
            try:
                self._beat(edge=edge)
            except Exception:
                LOG.exception("a heartbeat failed in a way that nobody foresaw")

    def _beat(self, *, edge: bool) -> None:
        self._sequence += 1
        datagram = self._datagram(edge=edge)
        for receiver in self._seed.receivers:
            self._send(datagram, receiver)

    def _datagram(self, *, edge: bool) -> bytes:
        """The heartbeat; without what is said of members where that does not fit: that we are alive matters more."""
        beat = self._heartbeat(self._view, edge=edge)
        whole = encode(beat, self._key)
        if len(whole) <= LARGEST:
            return whole
        LOG.warning("%d bytes do not fit into a heartbeat: members are left out", len(whole))
        return encode(msgspec.structs.replace(beat, pools={}), self._key)

    def _send(self, datagram: bytes, receiver: tuple[str, int]) -> None:
        """A receiver that cannot be reached costs the others nothing, and the log one line."""
        try:
            self._from_management(receiver[0]).sendto(datagram, tuple(receiver))
            why = ""
        except OSError as error:
            why = str(error)
        if why and self._silent.get(receiver) != why:
            LOG.warning("heartbeats do not reach %s: %s", receiver, why)
        self._silent[receiver] = why

    def _from_management(self, receiver: str) -> socket.socket:
        family = socket.AF_INET6 if ":" in receiver else socket.AF_INET
        if family not in self._sockets:
            made = self._sockets[family] = socket.socket(family, socket.SOCK_DGRAM)
            made.setblocking(False)
            if (":" in self._seed.listen[0]) == (family == socket.AF_INET6):
                made.bind((self._seed.listen[0], 0))
        return self._sockets[family]

    def _heartbeat(self, view: View, *, edge: bool) -> Heartbeat:
        return Heartbeat(
            protocol=PROTOCOL,
            amphora_id=self._seed.amphora_id,
            boot_id=self.boot_id,
            sequence=self._sequence,
            time=time.time(),
            edge=edge,
            generations=view.generations,
            listeners=view.listeners,
            pools=view.pools,
        )
