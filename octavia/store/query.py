"""What a list request asks for, after the API has checked it."""

from datetime import datetime
from typing import Any

from msgspec import Struct


class Sort(Struct, frozen=True):
    key: str
    descending: bool = False


class Tags(Struct, frozen=True):
    """Every one of the four forms; all that are given must hold."""

    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    not_all: tuple[str, ...] = ()
    not_any: tuple[str, ...] = ()


class Query(Struct, frozen=True, kw_only=True):
    """Which rows of one noun, in which order. `created_at`, `id` ascending always follow the given order."""

    filters: dict[str, Any] = {}
    """Column to value, all of which must be equal. May name provisioning_status, and the parents' columns
    load_balancer_id, pool_id and listener_id (of pools: those that this listener uses)."""
    tags: Tags = Tags()
    sort: tuple[Sort, ...] = ()
    limit: int = 1000
    marker: str | None = None
    """The row after which the page starts (before which, if reverse). Unknown: the store raises Invalid."""
    reverse: bool = False


class Found(Struct, frozen=True):
    """One row of a list, as the API shows it."""

    key: str
    """What its address names it by."""
    project_id: str | None
    document: str
    """JSON."""


class Home(Struct, frozen=True):
    """Where a row belongs."""

    load_balancer_id: str
    project_id: str | None


class Who(Struct, frozen=True, kw_only=True):
    """Who asked for an edit, kept beside its generation."""

    request_id: str | None = None
    user_id: str | None = None
    project_id: str | None = None


class Statistics(Struct, frozen=True, kw_only=True):
    """Traffic of one listener, over all amphorae that ever carried it; active_connections are of now."""

    bytes_in: int = 0
    bytes_out: int = 0
    active_connections: int = 0
    total_connections: int = 0
    request_errors: int = 0


class AmphoraStatistics(Struct, frozen=True, kw_only=True):
    """Traffic of one listener in one amphora."""

    id: str
    """The amphora's."""
    loadbalancer_id: str
    listener_id: str
    bytes_in: int
    bytes_out: int
    active_connections: int
    total_connections: int
    request_errors: int


class AmphoraProgress(Struct, frozen=True, kw_only=True):
    id: str
    lb_network_ip: str | None
    condemned: str | None
    heard_at: datetime | None
    """When its last heartbeat was taken in."""


class Visited(Struct, frozen=True):
    """What one visit said."""

    at: datetime
    sentence: str


class Progress(Struct, frozen=True, kw_only=True):
    """What the control plane is doing with a load balancer, and why."""

    load_balancer_id: str
    name: str
    project_id: str | None
    provisioning_status: str
    operating_status: str
    generation: int
    """Accepted edits."""
    observed: int
    """The edit up to which everything is in force."""
    request_id: str | None
    """Of the newest edit."""
    user_id: str | None
    epoch: int
    token: int
    lease_holder: str | None
    lease_expires: datetime | None
    failures: int
    """Visits in a row that met a fault."""
    fault: str | None
    sentences: tuple[Visited, ...]
    """Of the last visits that said something new, newest first."""
    amphorae: tuple[AmphoraProgress, ...]
