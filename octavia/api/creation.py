"""A new load balancer, alone or with everything that is to be in it."""

from typing import Any

from msgspec.structs import replace

from octavia.api import answers, body
from octavia.api.call import Call
from octavia.api.judge import judged, lawful
from octavia.api.ports import Services
from octavia.api.subnets import check_subnets, check_vip_extras
from octavia.api.vip import placed
from octavia.domain import capabilities
from octavia.domain.catalogue import AvailabilityZone, AvailabilityZoneProfile, Flavor, FlavorProfile
from octavia.domain.choices import Choices, check_provider
from octavia.domain.declare import with_one_project
from octavia.domain.graph import Graph
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.populate import populate
from octavia.domain.refusal import Invalid, Missing

Values = dict[str, Any]


def create(call: Call) -> dict[str, Any]:
    """The whole of it, or nothing: a refused one leaves no address taken."""
    services = call.services
    wished = read(call)
    project_id = wished.load_balancer.project_id
    call.permit("loadbalancer:post", project_id)
    if wished.load_balancer.vip_sg_ids:
        call.permit("loadbalancer:post:vip_sg_ids", project_id)
    flavor, zone = chosen(services, wished.load_balancer)
    wished = replace(wished, load_balancer=flavored(wished.load_balancer, flavor))
    lawful(None, wished)
    check_subnets(call, wished.members, project_id)
    check_vip_extras(call, wished.load_balancer, ("vip_qos_policy_id", "vip_sg_ids"))
    with placed(services, wished.load_balancer, zoned(services.choices, zone)) as top:
        graph = judged(services, None, replace(wished, load_balancer=top))
        made = services.store.create(graph, call.caller.who, counted=call.counted(project_id))
    return {LoadBalancer.singular: answers.whole(made)}


def read(call: Call) -> Graph:
    wish = with_one_project(LoadBalancer, body.wish(call.request, LoadBalancer.singular))
    wish.setdefault("project_id", call.caller.project_id)
    graph = populate(with_provider(call.services.choices, wish), new_id=call.services.new_id, now=call.services.clock())
    if not graph.load_balancer.project_id:
        raise Invalid("A load balancer needs a project_id: the token has no project, and the request names none.")
    return graph


def with_provider(choices: Choices, wish: Values) -> Values:
    return wish if wish.get("provider") is not None else wish | {"provider": choices.default_provider}


def chosen(services: Services, top: LoadBalancer) -> tuple[Values, Values]:
    """What the flavor and the availability zone say. Raises Invalid for a choice that is not there to be made."""
    check_provider(services.choices, top.provider)
    if top.flavor_id is None and top.availability_zone is None:
        return {}, {}
    with services.store.read() as reader:
        flavor: Values = {}
        zone: Values = {}
        try:
            if top.flavor_id is not None:
                profile_id = enabled(reader.entry(Flavor, top.flavor_id)).flavor_profile_id
                flavor = values(top, reader.entry(FlavorProfile, profile_id))
            if top.availability_zone is not None:
                profile_id = enabled(reader.entry(AvailabilityZone, top.availability_zone)).availability_zone_profile_id
                zone = values(top, reader.entry(AvailabilityZoneProfile, profile_id))
        except Missing as missing:
            raise Invalid(missing.sentence) from None
    return flavor, zone


def enabled(entry: Any) -> Any:
    if not entry.enabled:
        raise Invalid(f"{entry.title} {getattr(entry, entry.named_by)} is disabled. Choose another one.")
    return entry


def values(top: LoadBalancer, profile: FlavorProfile | AvailabilityZoneProfile) -> Values:
    if profile.provider_name != top.provider:
        raise Invalid(
            f"What was chosen is for the provider '{profile.provider_name}', and the load balancer's is "
            f"'{top.provider}'. Choose them together."
        )
    return capabilities.values(profile)


def flavored(top: LoadBalancer, flavor: Values) -> LoadBalancer:
    return replace(
        top,
        vip_vnic_type="direct" if flavor.get("sriov_vip") else "normal",
        member_sriov=bool(flavor.get("allow_member_sriov")),
    )


def zoned(choices: Choices, zone: Values) -> Choices:
    """The networks of a zone go before those of the deployment."""
    networks = zone.get("valid_vip_networks")
    if not networks:
        return choices
    return replace(choices, valid_vip_networks=tuple(networks))
