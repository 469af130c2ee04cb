"""Network in memory, with faults: what tests take addresses from."""

from collections.abc import Sequence

from octavia.drivers.faults import Faults
from octavia.drivers.network import NetworkPort
from octavia.drivers.network.local import DEMO, Definition, Ledger, Local, MemoryLedger


class Memory(Local):
    """As `local`, without a host; its verbs that change something go wrong as its faults say (verbs `network.*`)."""

    def __init__(
        self, faults: Faults | None = None, ledger: Ledger | None = None, definitions: Sequence[Definition] = DEMO
    ) -> None:
        super().__init__(definitions, ledger or MemoryLedger(), bridged=False)
        self.faults = faults or Faults()

    def ports_of(self, owner: str) -> tuple[NetworkPort, ...]:
        return self.faults.around("network.ports_of", lambda: super(Memory, self).ports_of(owner))

    def ensure_port(
        self, *, port_id: str, subnet_id: str, address: str | None, owner: str, device_owner: str
    ) -> NetworkPort:
        def ensured() -> NetworkPort:
            return super(Memory, self).ensure_port(
                port_id=port_id, subnet_id=subnet_id, address=address, owner=owner, device_owner=device_owner
            )

        return self.faults.around("network.ensure_port", ensured)

    def ensure_network(self, network_id: str) -> None:
        self.faults.around("network.ensure_network", lambda: super(Memory, self).ensure_network(network_id))

    def remove_port(self, port_id: str) -> None:
        self.faults.around("network.remove_port", lambda: super(Memory, self).remove_port(port_id))
