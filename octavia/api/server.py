"""The API inside a process of ours: waitress on a socket that is open already."""

import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from waitress import create_server, wasyncore

log = logging.getLogger(__name__)
LARGEST_READ = 8 * 1024 * 1024
"""The application refuses far smaller bodies, in words; beyond this size waitress hangs up on its own."""


class Server:
    """Serves until it is told to stop, and then answers what it has begun to read."""

    def __init__(
        self,
        app: Callable[..., Any],
        listening: socket.socket,
        *,
        threads: int = 8,
        patience: float = 10,
        proxied: bool = False,
    ) -> None:
        """`proxied`: what the X-Forwarded headers say reaches the application."""
        self._map: dict[int, Any] = {}
        self._patience = patience
        self._stopping = threading.Event()
        self._server = create_server(
            app,
            map=self._map,
            sockets=[listening],
            threads=threads,
            connection_limit=1000,
            max_request_body_size=LARGEST_READ,
            asyncore_use_poll=True,
            clear_untrusted_proxy_headers=not proxied,
            ident="",
        )

    def run(self) -> None:
        """Returns after stop(), when everything in flight is answered or `patience` is over."""
        while not self._stopping.is_set():
            self._turn(1.0)
        wasyncore.dispatcher.close(self._server)
        self._drain(time.monotonic() + self._patience)
        self._server.task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._map)

    def stop(self) -> None:
        """May be called from any thread, and from a signal handler."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._server.pull_trigger()

    def _turn(self, timeout: float) -> None:
        wasyncore.loop(timeout=timeout, use_poll=True, map=self._map, count=1)

    def _drain(self, until: float) -> None:
        while (busy := self._in_flight()) and time.monotonic() < until:
            self._turn(0.05)
        if busy:
            log.warning("%d connections were closed before they were answered", busy)

    def _in_flight(self) -> int:
        channels = self._server.active_channels.values()
        return sum(1 for c in channels if c.request or c.requests or c.total_outbufs_len)
