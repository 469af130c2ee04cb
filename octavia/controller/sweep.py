"""The sweep: it finds whatever was not rung, and removes what nobody has on record."""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta

from octavia.drivers.compute import Compute
from octavia.drivers.faults import PortFault
from octavia.drivers.network import NetworkDriver
from octavia.store.clusters import Clusters

LOG = logging.getLogger(__name__)
STRAY_AGE = timedelta(seconds=60)


class Sweeper:
    """Looks over everything that this deployment has made."""

    def __init__(
        self,
        clusters: Clusters,
        compute: Compute,
        network: NetworkDriver,
        ownerless: Callable[[timedelta], Iterable[str]],
    ) -> None:
        self._clusters = clusters
        self._compute = compute
        self._network = network
        self._ownerless = ownerless

    def sweep(self) -> tuple[str, ...]:
        """The clusters to visit. Amphorae and addresses that belong to nobody are gone."""
        self._remove_orphans()
        for port_id in self._ownerless(STRAY_AGE):
            LOG.warning("network port %s belongs to nobody: removing it", port_id)
            self._network.remove_port(port_id)
        return self._clusters.all()

    def _remove_orphans(self) -> None:
        """Things are listed before rows are read: a row is written before its thing, so no row will come."""
        for amphora_id in self._compute.list() - self._clusters.amphora_ids():
            LOG.warning("amphora %s is on no record: removing it", amphora_id)
            try:
                self._compute.remove(amphora_id)
            except PortFault as fault:
                LOG.warning("amphora %s could not be removed: %s", amphora_id, fault)
