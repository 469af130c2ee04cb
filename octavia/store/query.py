"""What a list request asks for, after the API has checked it."""

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
