"""The bus inside one process."""

from collections.abc import Callable


class LocalBus:
    """Calls whoever listens at once, in the ringer's thread: listeners must only take note."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[str], None]] = []

    def ring(self, cluster_id: str) -> None:
        for hear in tuple(self._listeners):
            hear(cluster_id)

    def listen(self, hear: Callable[[str], None]) -> None:
        self._listeners.append(hear)
