"""Compute `process`: the last resort. Amphorae are processes on loopback addresses of this host, nothing apart."""

import os
from pathlib import Path

from octavia.domain.document import Seed
from octavia.drivers.compute import Abilities
from octavia.drivers.compute.onhost import Deployment, OnHost
from octavia.drivers.network import NetworkPort

MANAGEMENT = "127.19.0.0/16"
PORT_START = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
SUMMARY = (
    "Each amphora is a group of processes on loopback addresses of this host: VIPs are reached from this host alone, "
    "nothing keeps one amphora apart from another or limits its memory, and {ports}."
)


class ProcessGroups(OnHost):
    """Keeps amphorae that share this host's network; every 127.x address is there already."""

    shared_host = True

    def __init__(self, deployment: Deployment, management: str = MANAGEMENT) -> None:
        super().__init__(deployment, management)
        self._lowest_port = lowest_port()

    def abilities(self) -> Abilities:
        low = self._lowest_port
        ports = f"listeners need ports of {low} and above" if low > 1 else "listeners can have any port"
        return Abilities(kind="process", summary=SUMMARY.format(ports=ports), lowest_port=low)

    def set_port(self, amphora_id: str, port: NetworkPort) -> None:
        """Nothing to do: the port's address is this host's."""

    def remove_port(self, amphora_id: str, port_id: str) -> None:
        """Nothing to do."""

    def _surround(self, amphora_id: str, seed: Seed) -> None:
        """Nothing to do."""

    def _namespace(self, amphora_id: str) -> Path | None:
        return None

    def _clear_surroundings(self, amphora_id: str) -> None:
        """Nothing to do."""


def lowest_port() -> int:
    """The lowest port that we can bind."""
    return 1 if os.geteuid() == 0 else max(1, int(PORT_START.read_text()))
