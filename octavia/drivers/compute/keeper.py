"""Keeping agents alive: one watch for all of them, no thread waits for any single one."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from octavia.host.processes import Process, Watch, alive, end

LOG = logging.getLogger(__name__)
SHORT_LIFE = 1.0
"""Seconds. An agent that lived longer is started anew at once."""
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
GRACE = 3.0
"""Seconds that an agent has to end when it is asked to."""


class Kept:
    """An agent that is kept alive, and how its last lives went."""

    def __init__(self) -> None:
        self.process: Process | None = None
        self.since = 0.0
        self.pause = 0.0


class Keeper:
    """Starts agents, and starts them again when they exit, with growing pauses where they do not live for long."""

    def __init__(self, launch: Callable[[str], Process], recorded: Callable[[str], Process | None]) -> None:
        self._launch = launch
        self._recorded = recorded
        self._watch = Watch("agents")
        self._lock = threading.Lock()
        self._kept: dict[str, Kept] = {}

    def keep(self, amphora_id: str) -> None:
        """Its agent runs, and is kept alive from now on. Raises OSError when it cannot be started."""
        with self._lock:
            kept = self._kept.get(amphora_id) or Kept()
            if kept.process is not None and alive(kept.process):
                return
            process = self._recorded(amphora_id)
            if process is None:
                self._start(amphora_id, kept)
            else:
                self._follow(amphora_id, kept, process)
            self._kept[amphora_id] = kept

    def drop(self, amphora_id: str) -> None:
        """Its agent is not kept alive any more; one that runs goes on."""
        with self._lock:
            self._kept.pop(amphora_id, None)

    def renew(self, amphora_id: str) -> None:
        """An agent that was started just now runs in place of the one before."""
        self.drop(amphora_id)
        process = self._recorded(amphora_id)
        if process is not None:
            end(process, grace=GRACE)
        self.keep(amphora_id)

    def close(self) -> None:
        """Nothing is started any more; what runs goes on."""
        self._watch.close()

    def _start(self, amphora_id: str, kept: Kept) -> None:
        self._follow(amphora_id, kept, self._launch(amphora_id))

    def _follow(self, amphora_id: str, kept: Kept, process: Process) -> None:
        kept.process, kept.since = process, time.monotonic()
        self._watch.add(process, partial(self._exited, amphora_id, kept))

    def _exited(self, amphora_id: str, kept: Kept, process: Process) -> None:
        with self._lock:
            if self._kept.get(amphora_id) is not kept or kept.process != process:
                return
            self._plan_restart(amphora_id, kept)

    def _plan_restart(self, amphora_id: str, kept: Kept) -> None:
        pause = note_life(kept, lived=time.monotonic() - kept.since)
        LOG.warning("the agent of amphora %s has exited; it is started again in %.1f s", amphora_id, pause)
        self._watch.later(pause, partial(self._restart, amphora_id, kept))

    def _restart(self, amphora_id: str, kept: Kept) -> None:
        with self._lock:
            if self._kept.get(amphora_id) is not kept or (kept.process is not None and alive(kept.process)):
                return
            try:
                self._start(amphora_id, kept)
            except OSError as error:
                LOG.error("the agent of amphora %s cannot be started: %s", amphora_id, error)
                kept.since = time.monotonic()
                self._plan_restart(amphora_id, kept)


def note_life(kept: Kept, lived: float) -> float:
    """How long to wait before the next start: not at all at first, twice as long after each further short life."""
    if lived >= SHORT_LIFE:
        kept.pause = 0.0
        return 0.0
    pause = kept.pause
    kept.pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, 2 * pause))
    return pause
