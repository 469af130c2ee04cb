"""The sweep: it finds whatever was not rung, and removes what nobody has on record."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from octavia.drivers.compute import Compute
from octavia.drivers.faults import PortFault
from octavia.drivers.network import NetworkDriver
from octavia.store.clusters import Clusters

LOG = logging.getLogger(__name__)
STRAY_AGE = timedelta(seconds=60)
SILENCE = timedelta(seconds=10)
"""After so much of it an amphora that has been heard before is looked at."""


class Found(Struct, frozen=True):
    """What a sweep has seen: all clusters, and those of them where an amphora has vanished or fallen silent."""

    every: tuple[str, ...]
    astray: frozenset[str]


class Sweeper:
    """Looks over everything that this deployment has made."""

    def __init__(
        self,
        clusters: Clusters,
        compute: Compute,
        network: NetworkDriver,
        ownerless: Callable[[timedelta], Iterable[str]],
        clock: Callable[[], datetime],
    ) -> None:
        self._clusters = clusters
        self._compute = compute
        self._network = network
        self._ownerless = ownerless
        self._clock = clock

    def unfinished(self) -> dict[str, frozenset[str]]:
        """The clusters where something was asked for that is not in force, whoever was told of it."""
        return self._clusters.unfinished()

    def sweep(self) -> Found:
        """Amphorae and addresses that belong to nobody are gone. What it costs does not follow from what is wished."""
        astray = self._compared()
        for port_id in self._ownerless(STRAY_AGE):
            LOG.warning("network port %s belongs to nobody: removing it", port_id)
            self._network.remove_port(port_id)
        return Found(self._clusters.all(), astray)

    def _compared(self) -> frozenset[str]:
        """Things are listed before rows are read: a row is written before its thing, so no row will come."""
        things = self._compute.list()
        rows = self._clusters.amphorae()
        self._remove_orphans(things - {row.id for row in rows})
        late = self._clock() - SILENCE
        return frozenset(
            row.cluster_id for row in rows if row.id not in things or (row.heard_at is not None and row.heard_at < late)
        )

    def _remove_orphans(self, things: frozenset[str]) -> None:
        for amphora_id in things:
            LOG.warning("amphora %s is on no record: removing it", amphora_id)
            try:
                self._compute.remove(amphora_id)
            except PortFault as fault:
                LOG.warning("amphora %s could not be removed: %s", amphora_id, fault)
