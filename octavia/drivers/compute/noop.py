"""Compute `noop`: everything that is asked for is there at once, and nothing is. For the API alone."""

import threading
from ipaddress import ip_network

from octavia.domain.document import AGENT_PORT
from octavia.drivers.compute import Abilities, Instance, Wish
from octavia.drivers.network import NetworkPort

NETWORK = ip_network("10.0.0.0/8")


class Noop:
    """Remembers what was ensured until it ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._instances: dict[str, Instance] = {}
        self._made = 0

    def abilities(self) -> Abilities:
        return Abilities(kind="noop", summary="Nothing is real: amphorae exist in the database alone.")

    def receiver_address(self) -> tuple[str, int]:
        return "127.0.0.1", 0

    def ensure(self, wish: Wish) -> Instance:
        with self._lock:
            if wish.amphora_id not in self._instances:
                self._made += 1
                self._instances[wish.amphora_id] = instance(wish.amphora_id, self._made)
            return self._instances[wish.amphora_id]

    def get(self, amphora_id: str) -> Instance | None:
        return self._instances.get(amphora_id)

    def list(self) -> frozenset[str]:
        with self._lock:
            return frozenset(self._instances)

    def set_port(self, amphora_id: str, port: NetworkPort) -> None:
        """Nothing to do."""

    def remove_port(self, amphora_id: str, port_id: str) -> None:
        """Nothing to do."""

    def set_agent_version(self, amphora_id: str) -> None:
        """Nothing to do."""

    def remove(self, amphora_id: str) -> None:
        with self._lock:
            self._instances.pop(amphora_id, None)

    def adopt(self) -> frozenset[str]:
        return self.list()

    def close(self) -> None:
        """Nothing to do."""


def instance(amphora_id: str, number: int) -> Instance:
    address = str(NETWORK[number % (NETWORK.num_addresses - 2) + 1])
    return Instance(amphora_id=amphora_id, status="RUNNING", address=address, port=AGENT_PORT)
