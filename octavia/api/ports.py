"""What the API needs from the storeys below, handed in by `main`."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from octavia.api.caller import Caller
from octavia.domain.declare import Noun
from octavia.domain.graph import Graph
from octavia.domain.refusal import Refusal
from octavia.domain.view import View
from octavia.drivers.network import NetworkDriver
from octavia.store.query import Progress, Query, Statistics, Who

NOBODY = "00000000000000000000000000000000"
"""The project of everything that is made without authentication and without naming a project."""


class Reader(Protocol):
    """One moment of the database."""

    def graph(self, load_balancer_id: str) -> Graph: ...

    def load_balancer_of(self, noun: type[Noun], identifier: str) -> str: ...

    def list(self, noun: type[Noun], query: Query) -> Sequence[View]: ...

    def statistics(self, load_balancer_id: str) -> Mapping[str, Statistics]: ...

    def progress(self, load_balancer_id: str) -> Progress: ...

    def ping(self) -> None: ...


class Store(Protocol):
    """The wishes, behind two doors."""

    def read(self) -> AbstractContextManager[Reader]: ...

    def write(self, load_balancer_id: str, who: Who, change: Callable[[Graph], Graph]) -> Graph: ...

    def create(self, graph: Graph, who: Who) -> Graph: ...


class Permissions(Protocol):
    """Who may do what."""

    def allows(self, caller: Caller, rule: str, project_id: str | None) -> bool:
        """Whether the caller may do this (`loadbalancer:get_one`) to objects of this project."""
        ...


class Everybody:
    """Without authentication everybody is an administrator."""

    def allows(self, caller: Caller, rule: str, project_id: str | None) -> bool:
        return True


def everything_offered(graph: Graph) -> Sequence[Refusal]:
    """The data plane of the no-op adapters refuses nothing."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything that a request can reach."""

    store: Store
    network: NetworkDriver
    clock: Callable[[], datetime]
    """UTC, without a zone."""
    new_id: Callable[[], str]
    permissions: Permissions = Everybody()
    offered: Callable[[Graph], Sequence[Refusal]] = everything_offered
    """What this data plane cannot do of a graph."""
    lowest_port: int = 1
    """The lowest port that this data plane can bind."""
    providers: frozenset[str] = frozenset({"amphora", "octavia"})
    pagination_max_limit: int = 1000
    api_base_uri: str | None = None
    default_project_id: str = NOBODY
    healthcheck_enabled: bool = True
    healthcheck_refresh_interval: float = 5.0
