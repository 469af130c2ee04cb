"""What operators offer: names are unique, what is in use stays, and a profile that was chosen means what it meant."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from octavia.domain.catalogue import AvailabilityZone, AvailabilityZoneProfile, Entry, Flavor, FlavorProfile
from octavia.domain.refusal import Conflict, Invalid, Missing, Refusal
from octavia.store.catalogue import Catalogue, Shelf
from octavia.store.engine import Database
from octavia.store.query import Who
from octavia.store.store import Store
from tests import builders
from tests.builders import NOW, new_id


@pytest.fixture
def catalogue(database: Database) -> Catalogue:
    return Catalogue(database)


def profile(**fields: Any) -> FlavorProfile:
    given: dict[str, Any] = {
        "id": new_id(),
        "name": "p",
        "provider_name": "amphora",
        "flavor_data": "{}",
        "created_at": NOW,
    }
    return FlavorProfile(**(given | fields))


def flavor(of: FlavorProfile, **fields: Any) -> Flavor:
    given: dict[str, Any] = {"id": new_id(), "name": "f", "flavor_profile_id": of.id, "created_at": NOW}
    return Flavor(**(given | fields))


def zone_profile() -> AvailabilityZoneProfile:
    return AvailabilityZoneProfile(
        id=new_id(), name="p", provider_name="amphora", availability_zone_data="{}", created_at=NOW
    )


def zone(of: AvailabilityZoneProfile, name: str) -> AvailabilityZone:
    return AvailabilityZone(name=name, availability_zone_profile_id=of.id, created_at=NOW)


def added(catalogue: Catalogue, *entries: Entry) -> None:
    def work(shelf: Shelf) -> None:
        for entry in entries:
            shelf.add(entry)

    catalogue.write(work)


def removed(catalogue: Catalogue, entry: Entry) -> None:
    """As the API does it."""
    key = getattr(entry, entry.named_by)

    def work(shelf: Shelf) -> None:
        found = shelf.get(type(entry), key, lock=True)
        if shelf.used(type(entry), key):
            raise Conflict("in use")
        shelf.remove(found)

    catalogue.write(work)


def test_names_of_flavors_and_zones_are_unique_and_those_of_profiles_are_not(catalogue: Catalogue) -> None:
    one, other, places = profile(), profile(), zone_profile()
    added(catalogue, one, other, places, flavor(one), zone(places, "z"), zone(places, "Z"), flavor(one, name="F"))
    for twin in (flavor(other), zone(places, "z")):
        with pytest.raises(Conflict, match=f"There is a {twin.title} with the name '{twin.name}' already"):
            added(catalogue, twin)
    second = flavor(one, name="second")
    added(catalogue, second)
    with pytest.raises(Conflict):
        catalogue.write(lambda shelf: shelf.change(replace(second, name="f")))
    catalogue.write(lambda shelf: shelf.change(replace(second, name="f ")))


def test_what_is_refused_is_refused_whole(catalogue: Catalogue, store: Store) -> None:
    one = profile()
    with pytest.raises(Conflict):
        added(catalogue, one, flavor(one), flavor(one))
    with store.read() as reader, pytest.raises(Missing):
        reader.entry(FlavorProfile, one.id)


def test_what_is_in_use_stays(catalogue: Catalogue, store: Store) -> None:
    one, places = profile(), zone_profile()
    chosen, here = flavor(one), zone(places, "here")
    added(catalogue, one, chosen, places, here)
    graph = store.create(builders.graph(flavor_id=chosen.id, availability_zone="here"), Who())
    for entry in (one, chosen, places, here):
        with pytest.raises(Conflict):
            removed(catalogue, entry)
    store.write(graph.load_balancer.id, Who(), lambda g: g)
    with store.read() as reader:
        assert reader.entry(Flavor, chosen.id) == chosen


def test_what_is_not_on_offer_cannot_be_chosen(catalogue: Catalogue, store: Store) -> None:
    one = profile()
    off = flavor(one, enabled=False)
    added(catalogue, one, off)
    for fields, words in (
        ({"flavor_id": off.id}, "is disabled"),
        ({"flavor_id": new_id()}, "not found"),
        ({"availability_zone": "nowhere"}, "not found"),
    ):
        with pytest.raises(Invalid, match=words):
            store.create(builders.graph(**fields), Who())


@pytest.mark.parametrize("attempt", range(6))
def test_a_choice_and_a_removal_at_once(catalogue: Catalogue, store: Store, attempt: int) -> None:
    """Either the flavor is gone and nobody has it, or somebody has it and it is there."""
    one = profile()
    chosen = flavor(one)
    added(catalogue, one, chosen)
    outcomes = raced(
        lambda: store.create(builders.graph(flavor_id=chosen.id), Who()), lambda: removed(catalogue, chosen)
    )
    created, gone = (outcome is None for outcome in outcomes)
    assert created != gone
    assert isinstance(outcomes[0], Invalid) or isinstance(outcomes[1], Conflict)


@pytest.mark.parametrize("attempt", range(6))
def test_a_flavor_of_a_profile_that_goes(catalogue: Catalogue, attempt: int) -> None:
    one = profile()
    added(catalogue, one)

    def made(shelf: Shelf) -> None:
        shelf.get(FlavorProfile, one.id, lock=True)
        shelf.add(flavor(one))

    outcomes = raced(lambda: catalogue.write(made), lambda: removed(catalogue, one))
    assert sorted(outcome is None for outcome in outcomes) == [False, True]


@pytest.mark.parametrize("attempt", range(3))
def test_one_of_two_gets_a_name(catalogue: Catalogue, attempt: int) -> None:
    one = profile()
    added(catalogue, one)
    outcomes = raced(*[lambda: added(catalogue, flavor(one))] * 4)
    assert sorted(outcome is None for outcome in outcomes) == [False, False, False, True]
    assert all(outcome is None or isinstance(outcome, Conflict) for outcome in outcomes)


def raced(*works: Callable[[], Any]) -> list[Refusal | None]:
    """What each was refused with, all having begun together."""
    start, outcomes = threading.Barrier(len(works)), [None] * len(works)

    def run(at: int) -> None:
        start.wait()
        try:
            works[at]()
        except Refusal as refusal:
            outcomes[at] = refusal  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes  # type: ignore[return-value]
