"""What a profile may say to a provider, and what is wrong with what it says."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from octavia.domain.catalogue import AvailabilityZoneProfile, FlavorProfile, Profile
from octavia.domain.declare import shortened
from octavia.domain.refusal import Invalid, NotOffered


class Capability(Struct, frozen=True):
    name: str
    description: str
    expected: str
    fits: Callable[[Any], bool]


def is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 255


def is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(is_text, value))


TOPOLOGIES: Final = ("SINGLE", "ACTIVE_STANDBY")
CAPABILITIES: Final[dict[type[Profile], tuple[Capability, ...]]] = {
    FlavorProfile: (
        Capability(
            "loadbalancer_topology",
            "How many amphorae serve a load balancer: SINGLE (one) or ACTIVE_STANDBY (two, one of them waiting).",
            "SINGLE or ACTIVE_STANDBY",
            TOPOLOGIES.__contains__,
        ),
        Capability("compute_flavor", "The compute flavor of amphorae.", "a text", is_text),
        Capability("amp_image_tag", "The tag of the image that amphorae boot.", "a text", is_text),
        Capability("sriov_vip", "Whether the VIP is on an SR-IOV port.", "true or false", is_flag),
        Capability("allow_member_sriov", "Whether members may ask for SR-IOV ports.", "true or false", is_flag),
    ),
    AvailabilityZoneProfile: (
        Capability("compute_zone", "The compute availability zone of amphorae.", "a text", is_text),
        Capability("volume_zone", "The volume availability zone of amphorae.", "a text", is_text),
        Capability("management_network", "The id of the network that amphorae are managed through.", "a text", is_text),
        Capability("valid_vip_networks", "Ids of the networks that VIPs may be in.", "a list of texts", are_texts),
    ),
}


def values(profile: Profile) -> dict[str, Any]:
    """What the profile's data say. Raises Invalid for what is no JSON object, NotOffered for an unknown key."""
    text: str = getattr(profile, profile.data)
    try:
        found = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        found = None
    if not isinstance(found, dict):
        raise Invalid(
            f"Invalid input for field/attribute {profile.data}. Value: '{shortened(text)}'. "
            "A JSON object, written as a text, is expected."
        )
    for fault in faults(profile, found):
        raise fault
    return found


def faults(profile: Profile, data: dict[str, Any]) -> Iterator[Invalid | NotOffered]:
    known = {capability.name: capability for capability in CAPABILITIES[type(profile)]}
    for name, value in data.items():
        if name not in known:
            yield NotOffered(
                f"Provider '{profile.provider_name}' does not support the {profile.data} option '{shortened(name)}'. "
                f"There are: {', '.join(known)}."
            )
        elif not known[name].fits(value):
            yield Invalid(f"{profile.data} {name} cannot be '{shortened(value)}': {known[name].expected} is expected.")
