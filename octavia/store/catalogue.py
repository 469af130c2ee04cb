"""What operators offer: flavors, availability zones and their profiles."""

from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from octavia.domain.catalogue import AvailabilityZone, AvailabilityZoneProfile, Entry, Flavor, FlavorProfile
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.refusal import Conflict, Invalid, not_found
from octavia.store.engine import Database
from octavia.store.rows import struct_of, values_of
from octavia.store.tables import CATALOGUE, availability_zone, flavor, load_balancer

E = TypeVar("E", bound=Entry)
T = TypeVar("T")
USERS: dict[type[Entry], sa.Column[Any]] = {
    FlavorProfile: flavor.c.flavor_profile_id,
    Flavor: load_balancer.c.flavor_id,
    AvailabilityZoneProfile: availability_zone.c.availability_zone_profile_id,
    AvailabilityZone: load_balancer.c.availability_zone,
}
"""Who refers to an entry, by its key."""


class Shelf:
    """The entries within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, noun: type[E], key: str, *, lock: bool = False) -> E:
        """The entry, which cannot be changed or removed by others until the end if it is locked. Raises Missing."""
        statement = sa.select(CATALOGUE[noun]).where(CATALOGUE[noun].c[noun.named_by] == key)
        row = self._connection.execute(statement.with_for_update() if lock else statement).one_or_none()
        if row is None:
            raise not_found(noun.title, key)
        return struct_of(noun, row)

    def used(self, noun: type[Entry], key: str) -> bool:
        """Whether anything refers to the entry."""
        user = USERS[noun]
        return self._connection.scalar(sa.select(sa.literal(1)).where(user == key).limit(1)) is not None

    def add(self, entry: Entry) -> None:
        """Raises Conflict for a name that another entry has, where names are unique."""
        self._do(entry, CATALOGUE[type(entry)].insert().values(**values_of(entry)))

    def change(self, entry: Entry) -> None:
        """As add."""
        self._do(entry, self._here(entry, CATALOGUE[type(entry)].update()).values(**values_of(entry)))

    def remove(self, entry: Entry) -> None:
        self._do(entry, self._here(entry, CATALOGUE[type(entry)].delete()))

    def _here(self, entry: Entry, statement: Any) -> Any:
        return statement.where(CATALOGUE[type(entry)].c[entry.named_by] == getattr(entry, entry.named_by))

    def _do(self, entry: Entry, statement: Any) -> None:
        try:
            self._connection.execute(statement)
        except IntegrityError:
            raise Conflict(
                f"There is a {entry.title} with the name '{entry.name}' already. Choose another name."
            ) from None


class Catalogue:
    """The operator's door to the shelf."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, work: Callable[[Shelf], T]) -> T:
        """The outcome of this work, committed whole or not at all."""
        return self._database.write(lambda connection: work(Shelf(connection)))


def check_choices(connection: sa.Connection, top: LoadBalancer) -> None:
    """What the load balancer chooses is on offer, and stays so until the transaction ends. Raises Invalid."""
    choices: tuple[tuple[type[Flavor | AvailabilityZone], str | None], ...] = (
        (Flavor, top.flavor_id),
        (AvailabilityZone, top.availability_zone),
    )
    for noun, key in choices:
        if key is not None:
            check_choice(connection, noun, key)


def check_choice(connection: sa.Connection, noun: type[Flavor | AvailabilityZone], key: str) -> None:
    table = CATALOGUE[noun]
    enabled = sa.select(table.c.enabled).where(table.c[noun.named_by] == key).with_for_update(read=True)
    found = connection.scalar(enabled)
    if not found:
        raise Invalid(f"{noun.title} {key} " + ("not found." if found is None else "is disabled. Choose another one."))
