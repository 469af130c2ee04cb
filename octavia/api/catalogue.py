"""Flavors, availability zones and their profiles: offered by operators, chosen by users."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from octavia.api import body, lists
from octavia.api.arguments import none_but
from octavia.api.call import Call, Handler
from octavia.api.ports import Services, Shelf
from octavia.api.things import paged, written
from octavia.domain import capabilities, declare
from octavia.domain.catalogue import (
    NIL,
    AvailabilityZone,
    AvailabilityZoneProfile,
    Entry,
    Flavor,
    FlavorProfile,
    Profile,
)
from octavia.domain.choices import check_provider
from octavia.domain.refusal import Conflict, Invalid, Missing, not_found


@dataclass(frozen=True)
class Offer:
    """One kind of entry."""

    noun: type[Entry]
    policy: str
    profile: type[Profile] | None = None
    """What an entry of this kind refers to."""

    @property
    def reference(self) -> str:
        assert self.profile is not None
        return f"{self.profile.singular.replace('flavorprofile', 'flavor_profile')}_id"


FLAVOR = Offer(Flavor, "flavor", FlavorProfile)
FLAVOR_PROFILE = Offer(FlavorProfile, "flavor-profile")
ZONE = Offer(AvailabilityZone, "availability-zone", AvailabilityZoneProfile)
ZONE_PROFILE = Offer(AvailabilityZoneProfile, "availability-zone-profile")
OFFERS = (FLAVOR, FLAVOR_PROFILE, ZONE, ZONE_PROFILE)


def index(offer: Offer, call: Call) -> dict[str, Any]:
    call.permit(f"{offer.policy}:get_all", call.caller.project_id)
    asked = lists.query(offer.noun, {}, call)
    with call.services.store.ask() as reader:
        rows = reader.page(offer.noun, asked, lists.fields(offer.noun, call))
    return paged(offer.noun, call, asked, rows)


def show(offer: Offer, call: Call) -> dict[str, Any]:
    key = call.ids["id"]
    call.permit(f"{offer.policy}:get_one", call.caller.project_id)
    with call.services.store.ask() as reader:
        found = reader.one(offer.noun, {offer.noun.named_by: key}, lists.fields(offer.noun, call))
    if found is None:
        raise not_found(offer.noun.title, key)
    return {offer.noun.singular: written(found)}


def shown(entry: Entry) -> dict[str, Any]:
    names = (name for name in entry.__struct_fields__ if name != "created_at")
    return {type(entry).singular: {name: getattr(entry, name) for name in names}}


def add(offer: Offer, call: Call) -> dict[str, Any]:
    call.permit(f"{offer.policy}:post", None)
    wish = body.wish(call.request, offer.noun.singular)
    own = {"id": call.services.new_id()} if offer.noun.named_by == "id" else {}
    entry = declare.create(offer.noun, wish, created_at=call.services.clock(), **own)
    check(call.services, entry)

    def work(shelf: Shelf) -> None:
        check_reference(offer, shelf, entry)
        shelf.add(entry)

    call.services.catalogue.write(work)
    return shown(entry)


def check(services: Services, entry: Entry) -> None:
    """Raises Invalid, or NotOffered, for what this deployment could make nothing of."""
    if isinstance(entry, AvailabilityZone) and entry.name == NIL:
        raise Invalid(f"The name {NIL} is reserved. Choose another one.")
    if isinstance(entry, Profile):
        check_provider(services.choices, entry.provider_name)
        capabilities.values(entry)


def check_reference(offer: Offer, shelf: Shelf, entry: Entry) -> None:
    if offer.profile is not None:
        try:
            shelf.get(offer.profile, getattr(entry, offer.reference), lock=True)
        except Missing as missing:
            raise Invalid(missing.sentence) from None


def change(offer: Offer, call: Call) -> dict[str, Any]:
    call.permit(f"{offer.policy}:put", None)
    wish = body.wish(call.request, offer.noun.singular)
    declare.refuse_unknown(offer.noun, wish, on_create=False)
    declare.check_values(offer.noun, wish)

    def work(shelf: Shelf) -> Entry:
        entry = shelf.get(offer.noun, call.ids["id"], lock=True)
        amended = declare.amend(entry, wish)
        if amended != entry:
            check(call.services, amended)
            refuse_change_in_use(shelf, entry, amended)
            shelf.change(amended)
        return amended

    return shown(call.services.catalogue.write(work))


def refuse_change_in_use(shelf: Shelf, before: Entry, after: Entry) -> None:
    """What a profile means is settled once something was made by it."""
    if not isinstance(before, Profile) or not isinstance(after, Profile):
        return
    settled = ("provider_name", before.data)
    if any(getattr(before, name) != getattr(after, name) for name in settled) and shelf.used(type(before), before.id):
        raise Conflict(
            f"{before.title} {before.id} is in use: its name can change, its {settled[0]} and {settled[1]} cannot."
        )


def remove(offer: Offer, call: Call) -> None:
    call.permit(f"{offer.policy}:delete", None)
    none_but(call.arguments)

    def work(shelf: Shelf) -> None:
        entry = shelf.get(offer.noun, call.ids["id"], lock=True)
        if shelf.used(offer.noun, call.ids["id"]):
            raise Conflict(f"{offer.noun.title} {call.ids['id']} is in use and cannot be deleted.")
        shelf.remove(entry)

    call.services.catalogue.write(work)


def bound(handler: Callable[[Offer, Call], Any], offer: Offer) -> Handler:
    return partial(handler, offer)
