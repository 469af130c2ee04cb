"""The compute port: amphorae come into being, stay alive, and go. Adapters: netns, process, noop, memory."""

from typing import Literal, Protocol

from msgspec import Struct

from octavia.drivers.network import NetworkPort


class Wish(Struct, frozen=True, kw_only=True):
    """What compute needs to make an amphora; the rest of the agent's seed it knows itself."""

    amphora_id: str
    boot_secret: str


class Instance(Struct, frozen=True, kw_only=True):
    """An amphora as compute sees it."""

    amphora_id: str
    status: Literal["RUNNING", "STOPPED"]
    """STOPPED: it is there, but its agent does not run (compute is starting it again)."""
    address: str
    """On the management link."""
    port: int


class Abilities(Struct, frozen=True, kw_only=True):
    """What this kind of compute can hold, for the sentence at start and for refusing what cannot be."""

    kind: str
    summary: str
    lowest_port: int = 1
    """The lowest port that a listener can have."""


class Compute(Protocol):
    """Every verb is idempotent and may raise PortFault. Nothing here waits for an agent to answer."""

    def abilities(self) -> Abilities: ...

    def receiver_address(self) -> tuple[str, int]:
        """Where heartbeats of this compute's amphorae arrive; the address exists after this call."""
        ...

    def ensure(self, wish: Wish) -> Instance:
        """The amphora exists with its management link, and its agent is started and kept alive from now on."""
        ...

    def get(self, amphora_id: str) -> Instance | None:
        """The amphora, or None where it is certain that there is none."""
        ...

    def list(self) -> frozenset[str]:
        """The ids of all amphorae of this deployment, wanted or not, half made ones included."""
        ...

    def set_port(self, amphora_id: str, port: NetworkPort) -> None:
        """The amphora has a link with this port's MAC address in this port's network."""
        ...

    def remove_port(self, amphora_id: str, port_id: str) -> None:
        """No such link is left."""
        ...

    def set_agent_version(self, amphora_id: str) -> None:
        """The agent runs this code: one of an older version was ended and started anew, traffic untouched."""
        ...

    def remove(self, amphora_id: str) -> None:
        """Nothing of the amphora is left: no process, no link, no folder."""
        ...

    def adopt(self) -> frozenset[str]:
        """After a start: what runs is watched and kept alive again. Returns the ids."""
        ...

    def close(self) -> None:
        """The watch ends; the amphorae go on serving."""
        ...
