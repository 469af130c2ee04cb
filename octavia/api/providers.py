"""Who provides load balancers here, and what can be chosen of them."""

from functools import partial
from typing import Any

from octavia.api.arguments import none_but, single
from octavia.api.call import Call, Handler
from octavia.domain.capabilities import CAPABILITIES
from octavia.domain.catalogue import AvailabilityZoneProfile, FlavorProfile, Profile
from octavia.domain.choices import check_provider

Answer = dict[str, Any]


def chosen(call: Call, row: dict[str, str]) -> dict[str, str]:
    fields = call.arguments.get("fields")
    return {name: value for name, value in row.items() if name in fields} if fields else row


def index(call: Call) -> Answer:
    none_but(call.arguments, "fields")
    call.permit("provider:get_all", call.caller.project_id)
    known = call.services.choices.providers.items()
    return {"providers": [chosen(call, {"name": name, "description": text}) for name, text in sorted(known)]}


def capabilities(rule: str, key: str, noun: type[Profile], call: Call) -> Answer:
    none_but(call.arguments, "fields", "name", "description")
    call.permit(rule, None)
    check_provider(call.services.choices, call.ids["provider"])
    rows = ({"name": row.name, "description": row.description} for row in CAPABILITIES[noun])
    wanted = {name: single(call.arguments, name) for name in ("name", "description")}
    found = [row for row in rows if all(value in (None, row[name]) for name, value in wanted.items())]
    return {key: [chosen(call, row) for row in found]}


FLAVOR_CAPABILITIES: Handler = partial(capabilities, "provider-flavor:get_all", "flavor_capabilities", FlavorProfile)
ZONE_CAPABILITIES: Handler = partial(
    capabilities, "provider-availability-zone:get_all", "availability_zone_capabilities", AvailabilityZoneProfile
)
