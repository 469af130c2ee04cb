"""Keeping one HAProxy alive: its master is watched by pidfd, and started again as soon as it has exited."""

import time
from collections.abc import Callable

from octavia.host.processes import Process, Watch

SHORT_LIFE = 2.0
"""Seconds. A HAProxy that lived longer is started again at once, and so is the first that did not."""
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0


class Keeper:
    """Calls `revive` in the watch's thread when the process that it follows has exited."""

    def __init__(self, watch: Watch, revive: Callable[[], None]) -> None:
        self._watch = watch
        self._revive = revive
        self._process: Process | None = None
        self._since = 0.0
        self._pause = 0.0
        self._planned = 0

    def follow(self, process: Process) -> None:
        """This process, and no other, is kept alive from now on."""
        self._process, self._since = process, time.monotonic()
        self._planned += 1
        self._watch.add(process, self._exited)

    def let_go(self) -> None:
        """Nothing is kept alive any more."""
        self._process = None

    def retry(self, lived: float = 0.0) -> None:
        """`revive` is called when it is time: later each time, for what does not live for long.

        The latest plan counts alone: whoever starts HAProxy in between must not make the tries more.
        """
        pause, self._pause = pauses(self._pause, lived)
        self._planned += 1
        planned = self._planned
        self._watch.later(pause, lambda: self._revive() if planned == self._planned else None)

    def _exited(self, process: Process) -> None:
        if self._process == process:
            self.retry(time.monotonic() - self._since)


def pauses(pause: float, lived: float) -> tuple[float, float]:
    """How long to wait before this start, and before the next one if this life is short too."""
    if lived >= SHORT_LIFE:
        return 0.0, 0.0
    return pause, min(LONGEST_PAUSE, max(FIRST_PAUSE, 2 * pause))
