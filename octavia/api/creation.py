"""A new load balancer, alone or with everything that is to be in it."""

from typing import Any

from msgspec.structs import replace

from octavia.api import answers, body
from octavia.api.call import Call
from octavia.api.judge import judged, lawful
from octavia.api.ports import Services
from octavia.api.subnets import check_subnets
from octavia.api.vip import placed
from octavia.domain.graph import Graph
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.populate import populate
from octavia.domain.refusal import Invalid


def create(call: Call) -> dict[str, Any]:
    """The whole of it, or nothing: a refused one leaves no address taken."""
    services = call.services
    wished = lawful(None, read(call))
    check_choices(services, wished.load_balancer)
    check_subnets(services.network, wished.members)
    with placed(services, wished.load_balancer) as top:
        graph = judged(services, None, replace(wished, load_balancer=top))
        made = services.store.create(graph, call.caller.who)
    return {LoadBalancer.singular: answers.whole(made)}


def read(call: Call) -> Graph:
    wish = body.wish(call.request, LoadBalancer.singular)
    tenant = wish.pop("tenant_id", None)
    if wish.get("project_id") is None:
        wish["project_id"] = call.caller.project_id if tenant is None else tenant
    return populate(wish, new_id=call.services.new_id, now=call.services.clock())


def check_choices(services: Services, top: LoadBalancer) -> None:
    """Who shall provide it, of what flavor and where: only what there is can be chosen."""
    if top.provider not in services.providers:
        raise Invalid(f"Provider '{top.provider}' is not enabled. There are: {', '.join(sorted(services.providers))}.")
    if top.flavor_id is not None:
        raise Invalid(f"Flavor {top.flavor_id} not found.")
    if top.availability_zone is not None:
        raise Invalid(f"Availability zone {top.availability_zone} not found.")
