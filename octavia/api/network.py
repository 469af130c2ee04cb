"""The small read-only part of the Network API v2.0 that load balancer clients ask for on the same host."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import falcon
from msgspec.json import decode

from octavia.api.arguments import Arguments
from octavia.api.call import Call, Verb
from octavia.api.operation import Operation
from octavia.api.schemas import listed, under
from octavia.domain.declare import shortened
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.refusal import Invalid
from octavia.drivers.network import Network, NetworkDriver, NetworkPort, Subnet
from octavia.store.query import Query

Answer = dict[str, Any]
NOT_FILTERS = frozenset({"fields", "limit", "marker", "page_reverse", "sort_key", "sort_dir"})


def subnet_answer(subnet: Subnet) -> Answer:
    return {
        "id": subnet.id,
        "name": subnet.name,
        "description": "",
        "network_id": subnet.network_id,
        "cidr": subnet.cidr,
        "ip_version": subnet.ip_version,
        "gateway_ip": subnet.gateway_ip,
        "allocation_pools": [{"start": first, "end": last} for first, last in subnet.allocation_pools],
        "enable_dhcp": False,
        "dns_nameservers": [],
        "host_routes": [],
        "ipv6_address_mode": None,
        "ipv6_ra_mode": None,
        "tags": [],
        "project_id": subnet.project_id or "",
        "tenant_id": subnet.project_id or "",
    }


def network_answer(network: Network) -> Answer:
    return {
        "id": network.id,
        "name": network.name,
        "description": "",
        "subnets": network.subnets,
        "mtu": network.mtu,
        "admin_state_up": True,
        "status": "ACTIVE",
        "shared": network.project_id is None,
        "router:external": False,
        "port_security_enabled": False,
        "tags": [],
        "project_id": network.project_id or "",
        "tenant_id": network.project_id or "",
    }


def port_answer(port: NetworkPort) -> Answer:
    return {
        "id": port.id,
        "name": f"{port.device_owner.replace(':', '-')}-{port.owner}",
        "description": "",
        "network_id": port.network_id,
        "mac_address": port.mac_address,
        "fixed_ips": port.fixed_ips,
        "device_id": port.owner,
        "device_owner": port.device_owner,
        "admin_state_up": True,
        "status": "ACTIVE",
        "security_groups": [],
        "allowed_address_pairs": [],
        "port_security_enabled": False,
        "tags": [],
        "project_id": "",
        "tenant_id": "",
    }


@dataclass(frozen=True)
class Resource:
    """The keys that one and many stand under, and where they come from: all, or the one of this id."""

    singular: str
    plural: str
    all: Callable[[NetworkDriver], Iterable[Any]] = lambda network: ()
    one: Callable[[NetworkDriver, str], Any] = lambda network, identifier: None
    answer: Callable[[Any], Answer] = lambda row: {}

    def rows(self, network: NetworkDriver, ids: Iterable[str] | None) -> list[Answer]:
        """All, or those of these ids."""
        found = self.all(network) if ids is None else (self.one(network, identifier) for identifier in ids)
        return [self.answer(row) for row in found if row is not None]


RESOURCES = {
    "subnets": Resource(
        "subnet", "subnets", lambda net: net.subnets(), lambda net, id_: net.subnet(id_), subnet_answer
    ),
    "networks": Resource(
        "network", "networks", lambda net: net.networks(), lambda net, id_: net.network(id_), network_answer
    ),
    "ports": Resource("port", "ports", lambda net: net.ports(), lambda net, id_: net.port(id_), port_answer),
    "security-groups": Resource("security_group", "security_groups"),
    "qos/policies": Resource("policy", "policies"),
    "floatingips": Resource("floatingip", "floatingips"),
}


def index(resource: Resource, call: Call) -> Answer:
    rows = visible(resource, call, resource.rows(call.services.network, call.arguments.get("id")))
    found = [row for row in rows if matches(row, call.arguments)]
    return {resource.plural: [only(row, call.arguments) for row in page(found, call.arguments)]}


def visible(resource: Resource, call: Call, rows: list[Answer]) -> list[Answer]:
    """What the caller may know of: an administrator all, others what is everybody's and their project's own."""
    if not rows or call.may("amphora:get_all", None):
        return rows
    if resource.plural != "ports":
        return [row for row in rows if row["project_id"] in ("", call.caller.project_id)]
    own = vip_ports(call)
    return [row for row in rows if row["id"] in own]


def vip_ports(call: Call) -> frozenset[str]:
    """The ports of the VIPs of the caller's project."""
    asked = Query(filters={"project_id": call.caller.project_id})
    with call.services.store.ask() as reader:
        found = reader.page(LoadBalancer, asked, frozenset({"vip_port_id"}))
    return frozenset(decode(row.document)["vip_port_id"] for row in found)


def matches(row: Answer, arguments: Arguments) -> bool:
    return all(
        spelled(row[name]) in {value.lower() for value in values}
        for name, values in arguments.items()
        if name not in NOT_FILTERS and known(row, name)
    )


def known(row: Answer, name: str) -> bool:
    if name not in row:
        raise Invalid(f"'{shortened(name)}' is no filter here.")
    return True


def spelled(value: object) -> str:
    return "" if value is None else str(value).lower()


def page(found: list[Answer], arguments: Arguments) -> Sequence[Answer]:
    """Behind the marker, up to the limit."""
    marker = arguments.get("marker", [None])[-1]
    at = next((at + 1 for at, row in enumerate(found) if row["id"] == marker), 0)
    limit = arguments.get("limit", [""])[-1]
    return found[at : at + int(limit[:9])] if limit.isascii() and limit.isdigit() and int(limit[:9]) else found[at:]


def only(row: Answer, arguments: Arguments) -> Answer:
    fields = {name for value in arguments.get("fields", ()) for name in value.split(",")}
    return {name: value for name, value in row.items() if name in fields} if fields else row


def show(resource: Resource, call: Call) -> Answer:
    for row in visible(resource, call, resource.rows(call.services.network, [call.ids["id"]])):
        return {resource.singular: only(row, call.arguments)}
    raise falcon.HTTPNotFound(description=f"{resource.singular} {call.ids['id']} could not be found.")


def routes() -> dict[str, dict[str, Verb]]:
    """Path to verbs, for the route table."""
    table: dict[str, dict[str, Verb]] = {}
    for path, resource in RESOURCES.items():
        many = Operation(
            id=f"list_{resource.plural}",
            tag="network",
            summary="Any key is a filter",
            answer=under(resource.plural, listed({"type": "object"})),
        )
        one = Operation(
            id=f"show_{resource.singular}",
            tag="network",
            summary="Show one",
            answer=under(resource.singular, {"type": "object"}),
        )
        table[f"/v2/{path}"] = {"GET": Verb(partial(index, resource), 200, many)}
        table[f"/v2/{path}/{{id}}"] = {"GET": Verb(partial(show, resource), 200, one)}
    return table
