"""What the API needs from the storeys below, handed in by `main`."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from octavia.api.caller import Caller
from octavia.domain.catalogue import Entry
from octavia.domain.choices import Choices
from octavia.domain.declare import Declared, Noun
from octavia.domain.graph import Graph
from octavia.domain.quota import FIELDS, UNLIMITED, Limits, Quota
from octavia.domain.refusal import Refusal
from octavia.drivers.network import NetworkDriver
from octavia.store.query import AmphoraStatistics, Found, Home, Progress, Query, Statistics, Who

NOBODY = "00000000000000000000000000000000"
"""The project of everything that is made without authentication and without naming a project."""
E = TypeVar("E", bound=Entry)
T = TypeVar("T")


class Reader(Protocol):
    """One moment of the database, where it comes from `read`."""

    def graph(self, load_balancer_id: str) -> Graph: ...

    def tree(self, load_balancer_id: str) -> Graph: ...

    def home(self, noun: type[Noun], identifier: str) -> Home: ...

    def page(self, noun: type[Declared], query: Query, keys: Collection[str] | None = None) -> Sequence[Found]: ...

    def one(
        self, noun: type[Declared], fields: dict[str, Any], keys: Collection[str] | None = None
    ) -> Found | None: ...

    def entry(self, noun: type[E], key: str) -> E: ...

    def quota(self, project_id: str) -> Quota | None: ...

    def statistics(self, load_balancer_id: str) -> Mapping[str, Statistics]: ...

    def amphora_statistics(self, amphora_id: str) -> Sequence[AmphoraStatistics]: ...

    def progress(self, load_balancer_id: str) -> Progress: ...

    def ping(self) -> None: ...


class Store(Protocol):
    """The wishes, behind two doors."""

    def read(self) -> AbstractContextManager[Reader]: ...

    def ask(self) -> AbstractContextManager[Reader]: ...

    def write(
        self, load_balancer_id: str, who: Who, change: Callable[[Graph], Graph], *, counted: str | None = None
    ) -> Graph: ...

    def create(self, graph: Graph, who: Who, *, counted: str | None = None) -> Graph: ...

    def fail_over(self, load_balancer_id: str, who: Who, amphora_id: str | None = None) -> None: ...

    def configure(self, amphora_id: str) -> None: ...


class Shelf(Protocol):
    """What is on offer, within one transaction."""

    def get(self, noun: type[E], key: str, *, lock: bool = False) -> E: ...

    def used(self, noun: type[Entry], key: str) -> bool: ...

    def add(self, entry: Entry) -> None: ...

    def change(self, entry: Entry) -> None: ...

    def remove(self, entry: Entry) -> None: ...


class Catalogue(Protocol):
    def write(self, work: Callable[[Any], T]) -> T: ...


class Quotas(Protocol):
    def change(self, project_id: str, change: Callable[[Quota], Quota]) -> Quota: ...

    def remove(self, project_id: str) -> None: ...


class Permissions(Protocol):
    """Who may do what."""

    def allows(self, caller: Caller, rule: str, project_id: str | None) -> bool:
        """Whether the caller may do this (`loadbalancer:get_one`) to objects of this project."""
        ...


class Everybody:
    """Without authentication everybody is an administrator."""

    def allows(self, caller: Caller, rule: str, project_id: str | None) -> bool:
        return True


EVERYBODY: Permissions = Everybody()


def everything_offered(graph: Graph) -> Sequence[Refusal]:
    """The data plane of the no-op adapters refuses nothing."""
    return ()


def everything_readable(reference: str) -> bool:
    """The no-op adapters ask nobody."""
    return True


@dataclass(frozen=True, kw_only=True)
class ListSwitches:
    """Which parts of a list request are looked at; others are ignored."""

    pagination: bool = True
    sorting: bool = True
    filtering: bool = True
    field_selection: bool = True


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything that a request can reach."""

    store: Store
    catalogue: Catalogue
    quotas: Quotas
    network: NetworkDriver
    clock: Callable[[], datetime]
    """UTC, without a zone."""
    new_id: Callable[[], str]
    permissions: Permissions = EVERYBODY
    counting: bool = False
    """Whether quotas go."""
    limits: Limits = field(default_factory=lambda: dict.fromkeys(FIELDS.values(), UNLIMITED))
    """The quota of projects for which nothing was set."""
    offered: Callable[[Graph], Sequence[Refusal]] = everything_offered
    """What this data plane cannot do of a graph."""
    readable: Callable[[str], bool] = everything_readable
    """Whether there is a certificate, or what else is referred to, under this reference."""
    lowest_port: int = 1
    """The lowest port that this data plane can bind."""
    choices: Choices = field(default_factory=Choices)
    switches: ListSwitches = field(default_factory=ListSwitches)
    pagination_max_limit: int = 1000
    api_base_uri: str | None = None
    default_project_id: str = NOBODY
    max_request_body_size: int = 114688
    healthcheck_enabled: bool = True
    healthcheck_refresh_interval: float = 5.0
