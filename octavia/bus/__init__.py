"""A doorbell: it says which cluster wants a visit, and nothing else. The database is the truth."""

from collections.abc import Callable
from typing import Protocol


class Bus(Protocol):
    """A lost ring costs time, never truth: the controller sweeps."""

    def ring(self, cluster_id: str) -> None:
        """Whoever listens is told soon. Never raises."""
        ...

    def listen(self, hear: Callable[[str], None]) -> None:
        """From now on `hear` is called with each id that is rung."""
        ...
