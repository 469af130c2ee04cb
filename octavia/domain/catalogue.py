"""What operators offer to choose from: flavors and availability zones, each by way of a profile with its data."""

from datetime import datetime
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from octavia.domain.declare import CREATE_ONLY, HIDDEN, SYSTEM, Declared, Identifier, Text

NIL: Final = "00000000-0000-0000-0000-000000000000"
"""An id that no entry has: it stands for one that is gone."""
Data = Annotated[str, Meta(max_length=4096)]


class Entry(Declared, frozen=True, kw_only=True):
    """One thing on offer. It belongs to no project."""

    name: Annotated[Text, Meta(min_length=1, description="For people, and for those who choose.")]
    created_at: Annotated[datetime, SYSTEM, HIDDEN]


class Profile(Entry, frozen=True, kw_only=True):
    """What a provider makes of a choice."""

    data: ClassVar[str]
    """The field with the provider's own values."""

    id: Annotated[Identifier, SYSTEM]
    provider_name: Annotated[Text, Meta(description="The provider that it is for.")]


class FlavorProfile(Profile, frozen=True, kw_only=True):
    singular: ClassVar[str] = "flavorprofile"
    plural: ClassVar[str] = "flavorprofiles"
    title: ClassVar[str] = "Flavor Profile"
    data: ClassVar[str] = "flavor_data"

    flavor_data: Annotated[Data, Meta(description="A JSON object, as text, of the provider's flavor capabilities.")]


class Flavor(Entry, frozen=True, kw_only=True):
    singular: ClassVar[str] = "flavor"
    plural: ClassVar[str] = "flavors"
    title: ClassVar[str] = "Flavor"

    id: Annotated[Identifier, SYSTEM]
    description: Annotated[Text, Meta(description="For people.")] = ""
    enabled: Annotated[bool, Meta(description="Whether new load balancers may choose it.")] = True
    flavor_profile_id: Annotated[Identifier, CREATE_ONLY, Meta(description="What it means to a provider.")]


class AvailabilityZoneProfile(Profile, frozen=True, kw_only=True):
    singular: ClassVar[str] = "availability_zone_profile"
    plural: ClassVar[str] = "availability_zone_profiles"
    title: ClassVar[str] = "Availability Zone Profile"
    data: ClassVar[str] = "availability_zone_data"

    availability_zone_data: Annotated[
        Data, Meta(description="A JSON object, as text, of the provider's availability zone capabilities.")
    ]


class AvailabilityZone(Entry, frozen=True, kw_only=True):
    singular: ClassVar[str] = "availability_zone"
    plural: ClassVar[str] = "availability_zones"
    title: ClassVar[str] = "Availability Zone"
    named_by: ClassVar[str] = "name"

    name: Annotated[Text, CREATE_ONLY, Meta(min_length=1, description="What it is chosen, and addressed, by.")]
    description: Annotated[Text, Meta(description="For people.")] = ""
    enabled: Annotated[bool, Meta(description="Whether new load balancers may choose it.")] = True
    availability_zone_profile_id: Annotated[Identifier, CREATE_ONLY, Meta(description="What it means to a provider.")]


ENTRIES: Final[tuple[type[Entry], ...]] = (FlavorProfile, Flavor, AvailabilityZoneProfile, AvailabilityZone)
