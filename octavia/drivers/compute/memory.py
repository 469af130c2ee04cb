"""Compute in memory, with faults: what tests boot amphorae with."""

import threading
from collections.abc import Callable

import msgspec
from msgspec import Struct

from octavia.drivers.compute import Abilities, Instance, Wish
from octavia.drivers.compute.noop import instance
from octavia.drivers.faults import Faults, PortFault
from octavia.drivers.network import NetworkPort


class Machine(Struct, frozen=True, kw_only=True):
    """An amphora in memory. Tests read it, and may put another one in its place."""

    instance: Instance
    boot_secret: str
    ports: dict[str, NetworkPort] = {}
    agent_starts: int = 1


class Memory:
    """Behaves as a host would, and goes wrong as its faults say (verbs `compute.*`).

    It survives what plays a restart of the control plane, as amphorae do: hand the same one to the next.
    """

    def __init__(self, faults: Faults | None = None, lowest_port: int = 1) -> None:
        self.faults = faults or Faults()
        self.machines: dict[str, Machine] = {}
        self._lowest_port = lowest_port
        self._lock = threading.Lock()
        self._made = 0

    def abilities(self) -> Abilities:
        return Abilities(kind="memory", summary="Amphorae are entries of a dict.", lowest_port=self._lowest_port)

    def receiver_address(self) -> tuple[str, int]:
        return "127.0.0.1", 0

    def ensure(self, wish: Wish) -> Instance:
        return self.faults.around("compute.ensure", lambda: self._ensure(wish))

    def get(self, amphora_id: str) -> Instance | None:
        def found() -> Instance | None:
            machine = self.machines.get(amphora_id)
            return machine.instance if machine else None

        return self.faults.around("compute.get", found)

    def list(self) -> frozenset[str]:
        return self.faults.around("compute.list", lambda: frozenset(dict(self.machines)))

    def set_port(self, amphora_id: str, port: NetworkPort) -> None:
        self._change("compute.set_port", amphora_id, lambda ports: ports | {port.id: port})

    def remove_port(self, amphora_id: str, port_id: str) -> None:
        def gone(ports: dict[str, NetworkPort]) -> dict[str, NetworkPort]:
            return {key: port for key, port in ports.items() if key != port_id}

        if amphora_id in self.machines:
            self._change("compute.remove_port", amphora_id, gone)

    def set_agent_version(self, amphora_id: str) -> None:
        def renewed() -> None:
            with self._lock:
                machine = self._machine(amphora_id)
                self.machines[amphora_id] = msgspec.structs.replace(machine, agent_starts=machine.agent_starts + 1)

        self.faults.around("compute.set_agent_version", renewed)

    def remove(self, amphora_id: str) -> None:
        self.faults.around("compute.remove", lambda: self.vanish(amphora_id))

    def adopt(self) -> frozenset[str]:
        return self.faults.around("compute.adopt", lambda: frozenset(dict(self.machines)))

    def close(self) -> None:
        """Nothing to do: machines outlive their control plane."""

    def vanish(self, amphora_id: str) -> None:
        """The machine is gone, and nobody was told."""
        with self._lock:
            self.machines.pop(amphora_id, None)

    def stop(self, amphora_id: str) -> None:
        """The agent does not run, and compute has not started it again yet."""
        with self._lock:
            machine = self._machine(amphora_id)
            stopped = msgspec.structs.replace(machine.instance, status="STOPPED")
            self.machines[amphora_id] = msgspec.structs.replace(machine, instance=stopped)

    def _ensure(self, wish: Wish) -> Instance:
        with self._lock:
            machine = self.machines.get(wish.amphora_id)
            if machine is None or machine.boot_secret != wish.boot_secret or machine.instance.status == "STOPPED":
                machine = self._booted(wish, machine)
                self.machines[wish.amphora_id] = machine
            return machine.instance

    def _booted(self, wish: Wish, before: Machine | None) -> Machine:
        if before is None:
            self._made += 1
            return Machine(instance=instance(wish.amphora_id, self._made), boot_secret=wish.boot_secret)
        running = msgspec.structs.replace(before.instance, status="RUNNING")
        return msgspec.structs.replace(
            before, instance=running, boot_secret=wish.boot_secret, agent_starts=before.agent_starts + 1
        )

    def _change(
        self, verb: str, amphora_id: str, change: Callable[[dict[str, NetworkPort]], dict[str, NetworkPort]]
    ) -> None:
        def changed() -> None:
            with self._lock:
                machine = self._machine(amphora_id)
                self.machines[amphora_id] = msgspec.structs.replace(machine, ports=change(machine.ports))

        self.faults.around(verb, changed)

    def _machine(self, amphora_id: str) -> Machine:
        machine = self.machines.get(amphora_id)
        if machine is None:
            raise PortFault(f"There is no amphora {amphora_id}.")
        return machine
