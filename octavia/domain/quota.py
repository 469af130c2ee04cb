"""How many objects of each kind a project may have."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from octavia.domain.declare import SYSTEM, Declared, Identifier, Noun
from octavia.domain.graph import NOUNS, Graph, live, rows
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.l7policy import L7Policy
from octavia.domain.l7rule import L7Rule
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.domain.refusal import Forbidden

UNLIMITED: Final = -1
Limit = Annotated[int, Meta(ge=UNLIMITED, le=2_000_000_000)]


class Quota(Declared, frozen=True, kw_only=True):
    """What was set for a project; where nothing was (None), the deployment's default goes."""

    singular: ClassVar[str] = "quota"
    plural: ClassVar[str] = "quotas"
    title: ClassVar[str] = "Quota"
    named_by: ClassVar[str] = "project_id"

    project_id: Annotated[Identifier, SYSTEM]
    loadbalancer: Annotated[Limit | None, Meta(description="Load balancers; -1 is any number.")] = None
    listener: Annotated[Limit | None, Meta(description="Listeners.")] = None
    pool: Annotated[Limit | None, Meta(description="Pools.")] = None
    member: Annotated[Limit | None, Meta(description="Members.")] = None
    healthmonitor: Annotated[Limit | None, Meta(description="Health monitors.")] = None
    l7policy: Annotated[Limit | None, Meta(description="L7 policies.")] = None
    l7rule: Annotated[Limit | None, Meta(description="L7 rules.")] = None


FIELDS: Final[dict[type[Noun], str]] = {
    LoadBalancer: "loadbalancer",
    Listener: "listener",
    Pool: "pool",
    Member: "member",
    HealthMonitor: "healthmonitor",
    L7Policy: "l7policy",
    L7Rule: "l7rule",
}
assert set(FIELDS) == set(NOUNS)
ALIASES: Final = {"load_balancer": "loadbalancer", "health_monitor": "healthmonitor"}
"""Other spellings that clients use."""
Limits = Mapping[str, int]
"""Field to the most objects that there may be."""


def effective(found: Quota | None, defaults: Limits) -> dict[str, int]:
    """The number that goes for each kind of object: what was set, else the default."""
    given = {name: getattr(found, name) if found is not None else None for name in FIELDS.values()}
    return {name: defaults[name] if value is None else value for name, value in given.items()}


def growth(before: Graph | None, after: Graph) -> dict[type[Noun], int]:
    """How many more live rows of each noun there are; nouns that do not grow are left out."""
    old = live(before) if before is not None else None
    new = live(after)
    more = {noun: len(rows(new, noun)) - (len(rows(old, noun)) if old is not None else 0) for noun in NOUNS}
    return {noun: count for noun, count in more.items() if count > 0}


def check(limits: Limits, used: Mapping[type[Noun], int], more: Mapping[type[Noun], int]) -> None:
    """Raises Forbidden where there would be more than the quota allows."""
    met = [noun for noun, count in more.items() if UNLIMITED < limits[FIELDS[noun]] < used[noun] + count]
    if met:
        raise Forbidden(
            f"Quota has been met for resources: {', '.join(FIELDS[noun] for noun in met)}. "
            "Delete what is not needed any more, or ask your operator for more."
        )
