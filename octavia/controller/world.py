"""What a visit has seen, what it may do, and how it ends. Everything the planner reads or returns."""

import uuid
from datetime import datetime
from typing import Final

from msgspec import Struct

from octavia.domain.amphora import Amphora
from octavia.domain.document import AgentState, Document, Fence
from octavia.domain.graph import Graph
from octavia.domain.network import NetworkPort, Subnet
from octavia.drivers.agent import Introduction
from octavia.drivers.compute import Instance

PORTS: Final = uuid.UUID("6f1b3a52-6f0c-4d6b-9d0e-2f3e8a1c7d55")


class Seen(Struct, frozen=True, kw_only=True):
    """One amphora: its row, and what the world shows of it."""

    row: Amphora
    instance: Instance | None = None
    """None: compute is certain that there is none."""
    ports: dict[str, NetworkPort] = {}
    """Subnet id to the amphora's own port there."""
    introduction: Introduction | None = None
    agent: AgentState | None = None
    silence: str | None = None
    """Why the agent did not answer, when it was asked."""


class World(Struct, frozen=True, kw_only=True):
    amphorae: tuple[Seen, ...] = ()
    subnets: dict[str, Subnet] = {}
    """Those that the graph names and that are there."""


class Wish(Struct, frozen=True, kw_only=True):
    """What a visit wants, and the terms that it plans by."""

    cluster_id: str
    graph: Graph | None
    fence: Fence
    haproxy_user: str | None = None
    boot_timeout: float = 60.0
    """Seconds until an amphora whose agent never spoke is replaced."""
    renew_before: float = 14 * 86400.0
    """Seconds before its end at which a certificate is renewed."""
    amphorae: int = 1
    certificates: bool = True
    """Whether agents are known by certificates; the no-op ones are not."""


class Allocate(Struct, frozen=True):
    """A new amphora is on record."""


class Boot(Struct, frozen=True):
    amphora: Amphora


class Attach(Struct, frozen=True):
    amphora: Amphora
    subnet_id: str


class Detach(Struct, frozen=True):
    amphora: Amphora
    port: NetworkPort


class Certify(Struct, frozen=True):
    """The agent has a certificate of ours; `renewal` goes over the link that its present one secures."""

    amphora: Amphora
    certificate_request: str
    proof: str | None


class RenewAgent(Struct, frozen=True):
    amphora: Amphora


class Push(Struct, frozen=True):
    amphora: Amphora
    document: Document


class Withdraw(Struct, frozen=True):
    amphora: Amphora
    load_balancer_id: str


class Condemn(Struct, frozen=True):
    amphora: Amphora
    why: str


class Destroy(Struct, frozen=True):
    amphora: Amphora
    ports: tuple[NetworkPort, ...]


class Forget(Struct, frozen=True):
    amphora: Amphora


class ReleaseVip(Struct, frozen=True):
    port_ids: tuple[str, ...]


Step = (
    Allocate | Boot | Attach | Detach | Certify | RenewAgent | Push | Withdraw | Condemn | Destroy | Forget | ReleaseVip
)


class Done(Struct, frozen=True):
    """The world is as wished, up to the generation of the snapshot."""


class Again(Struct, frozen=True):
    """Another round is due after so many seconds; 0 is at once, after the steps are done."""

    after: float


class Fault(Struct, frozen=True):
    """It cannot be made so now. A terminal fault is the user's to mend; a passing one is tried again."""

    terminal: bool = False


class Plan(Struct, frozen=True):
    steps: tuple[Step, ...]
    result: Done | Again | Fault
    sentence: str
    """What the visit does, in English."""


def port_id_of(amphora_id: str, subnet_id: str) -> str:
    """The id of an amphora's own port in a subnet: known before the port is, so that no crash can leak one."""
    return str(uuid.uuid5(PORTS, f"{amphora_id} {subnet_id}"))


def age(row: Amphora, now: datetime) -> float:
    return (now - row.created_at).total_seconds()
