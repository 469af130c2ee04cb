"""The API in processes of its own: a parent that has the socket, and workers that it forks and replaces (gunicorn)."""

import logging
import signal
import socket
from collections.abc import Callable
from typing import Any

from gunicorn import glogging
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

LOG = logging.getLogger(__name__)
KEPT_OPEN = 75
"""Seconds that an idle connection is kept: longer than the minute after which proxies commonly give theirs up, so that
it is not we who hang up on a request that is on its way."""


class Log(glogging.Logger):  # type: ignore[misc]  # gunicorn has no types
    """What gunicorn has to say, in the log of everybody else. Requests are logged by the API itself."""

    def setup(self, cfg: Any) -> None:
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log = LOG


class Parent(Arbiter):  # type: ignore[misc]
    """Ctrl-C ends it as SIGTERM does: requests are finished."""

    def handle_int(self) -> None:
        self.handle_term()


class Workers(BaseApplication):  # type: ignore[misc]
    """Serves until SIGTERM or Ctrl-C, and then finishes what has begun.

    `make` is called in each worker, after the fork: no connection and no thread of the parent's is in them.
    """

    def __init__(
        self,
        make: Callable[[], Callable[..., Any]],
        listening: socket.socket,
        *,
        workers: int,
        threads: int,
        ready: Callable[[], None],
        patience: int = 10,
    ) -> None:
        self._make = make
        self._options = {
            # gunicorn closes the number that it is given, and keeps a copy.
            "bind": f"fd://{listening.detach()}",
            "worker_class": "gthread",
            "workers": workers,
            "threads": threads,
            "keepalive": KEPT_OPEN,
            "graceful_timeout": patience,
            "limit_request_line": 8190,
            "logger_class": Log,
            "when_ready": lambda _: ready(),
            "post_worker_init": spare_from_ctrl_c,
            # The application alone knows whom to believe.
            "secure_scheme_headers": {},
            "forwarder_headers": "",
            "control_socket_disable": True,
            "worker_tmp_dir": "/dev/shm",  # noqa: S108 - for an unnamed file that workers touch; no disk may hold it up
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Callable[..., Any]:
        return self._make()

    def run(self) -> None:
        """Ends the process (SystemExit), with 0 if it was told to stop."""
        Parent(self).run()


def spare_from_ctrl_c(worker: Any) -> None:
    """A terminal sends Ctrl-C to all; the parent tells the workers what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
