"""The reconciler's mind: a pure and total function from what is wished and what is seen to the next steps."""

from datetime import datetime, timedelta
from ipaddress import ip_network

from octavia.controller.world import (
    Again,
    Allocate,
    Attach,
    Boot,
    Certify,
    Condemn,
    Destroy,
    Detach,
    Done,
    Fault,
    Forget,
    Plan,
    Push,
    ReleaseVip,
    RenewAgent,
    Seen,
    Step,
    Wish,
    Withdraw,
    World,
    age,
)
from octavia.domain.amphora import Amphora
from octavia.domain.document import PROTOCOL, AgentState, Document, Interface, digest
from octavia.domain.graph import Graph, live
from octavia.domain.network import NetworkPort, Subnet
from octavia.render import document as rendered

POLL = 1.0
"""Seconds until an agent that has not spoken is looked at again; its first heartbeat rings sooner."""


def plan(wish: Wish, world: World, now: datetime) -> Plan:
    """What to do next. When nothing is left to do the result is Done and there are no steps."""
    if wish.graph is None or wish.graph.load_balancer.deleted is not None:
        return removal(wish, world)
    kept = [seen for seen in world.amphorae if seen.row.condemned is None]
    condemned = [seen for seen in world.amphorae if seen.row.condemned is not None]
    if len(kept) < wish.amphorae:
        return Plan((Allocate(),) * (wish.amphorae - len(kept)), Again(0), "Putting a new amphora on record.")
    for surplus in kept[wish.amphorae :]:
        return Plan((Condemn(surplus.row, "one more than wished"),), Again(0), "Condemning a surplus amphora.")
    for seen in kept:
        if unfinished := amphora(wish, wish.graph, world, seen, now):
            return unfinished
    return retirement(condemned)


def removal(wish: Wish, world: World) -> Plan:
    if world.amphorae:
        return retirement(list(world.amphorae))
    if wish.graph is None:
        return Plan((), Done(), "Nothing is left to remove.")
    vips = tuple(port for port in (wish.graph.load_balancer.vip_port_id,) if port is not None)
    return Plan((ReleaseVip(vips),), Done(), "Everything is removed.")


def retirement(condemned: list[Seen]) -> Plan:
    """The condemned go once the others carry the traffic."""
    if not condemned:
        return Plan((), Done(), "Everything is as wished.")
    steps: list[Step] = []
    for seen in condemned:
        steps += [Destroy(seen.row, tuple(seen.ports.values())), Forget(seen.row)]
    return Plan(tuple(steps), Again(0), f"Removing {named(condemned)}.")


def named(amphorae: list[Seen]) -> str:
    return ("amphora " if len(amphorae) == 1 else "amphorae ") + ", ".join(seen.row.id for seen in amphorae)


def amphora(wish: Wish, graph: Graph, world: World, seen: Seen, now: datetime) -> Plan | None:
    """The next step of an amphora on its way to serving; None once it serves what is wished."""
    wanted = wanted_subnets(graph)
    missing = next((subnet_id for subnet_id in wanted if subnet_id not in world.subnets), None)
    if missing is not None:
        return Plan((), Fault(terminal=True), f"Subnet {missing} is not there any more: nothing can be attached to it.")
    subnets = [world.subnets[subnet_id] for subnet_id in wanted]
    if unready := machine(wish, subnets, seen, now) or identity(wish, seen, now):
        return unready
    return serving(wish, graph, subnets, seen)


def machine(wish: Wish, subnets: list[Subnet], seen: Seen, now: datetime) -> Plan | None:
    if seen.instance is None:
        boot: tuple[Step, ...] = (Boot(seen.row), *attachments(seen, subnets))
        # Its agent says so when it is there; one that has nothing to prove is there at once.
        return Plan(boot, Again(POLL if wish.certificates else 0), f"Booting amphora {seen.row.id}.")
    if lost := [subnet for subnet in subnets if subnet.id not in seen.ports]:
        return Plan(attachments(seen, lost), Again(0), f"Attaching amphora {seen.row.id} to its subnets.")
    if (
        wish.certificates
        and seen.row.cert_expiration is None
        and seen.introduction is None
        and age(seen.row, now) > wish.boot_timeout
    ):
        why = f"its agent did not speak within {wish.boot_timeout:g} s"
        return Plan((Condemn(seen.row, why),), Again(0), f"Giving up amphora {seen.row.id}: {why}.")
    return None


def wanted_subnets(graph: Graph) -> tuple[str, ...]:
    """The ids of the subnets that an amphora must have a link in, each once, the VIP's first."""
    ids = (graph.load_balancer.vip_subnet_id, *(member.subnet_id for member in live(graph).members))
    return tuple(dict.fromkeys(subnet_id for subnet_id in ids if subnet_id is not None))


def attachments(seen: Seen, subnets: list[Subnet]) -> tuple[Step, ...]:
    return tuple(Attach(seen.row, subnet.id) for subnet in subnets)


def identity(wish: Wish, seen: Seen, now: datetime) -> Plan | None:
    """The agent has a certificate that will last, and this code's protocol."""
    row = seen.row
    if not wish.certificates:
        return waiting(seen) if seen.agent is None else configuring(row) if row.configure else None
    if row.cert_expiration is None:
        if seen.introduction is None:
            return waiting(seen)
        intro = seen.introduction
        step = Certify(row, intro.certificate_request, intro.certificate_proof)
        return Plan((step,), Again(0), f"Signing the first certificate of amphora {row.id}.")
    if row.cert_expiration <= now:
        why = "its certificate has expired, so nobody can speak to it"
        return Plan((Condemn(row, why),), Again(0), f"Giving up amphora {row.id}: {why}.")
    if seen.agent is None:
        return waiting(seen)
    if seen.agent.protocol != PROTOCOL:
        text = f"Replacing the agent of amphora {row.id}, which speaks protocol {seen.agent.protocol}, not {PROTOCOL}."
        return Plan((RenewAgent(row),), Again(POLL), text)
    if row.configure:
        return configuring(row)
    if row.cert_expiration - now < timedelta(seconds=wish.renew_before):
        step = Certify(row, seen.agent.certificate_request, None)
        return Plan((step,), Again(0), f"Renewing the certificate of amphora {row.id}.")
    return None


def configuring(row: Amphora) -> Plan:
    return Plan((RenewAgent(row),), Again(0), f"Starting the agent of amphora {row.id} with the present configuration.")


def waiting(seen: Seen) -> Plan:
    """A booting agent is waited for; one that had spoken before and is silent now is a fault that may pass."""
    booting = seen.row.cert_expiration is None
    why = f" ({seen.silence})" if seen.silence and not booting else ""
    text = f"Waiting for the agent of amphora {seen.row.id}{why}."
    return Plan((), Again(POLL) if booting else Fault(), text)


def serving(wish: Wish, graph: Graph, subnets: list[Subnet], seen: Seen) -> Plan | None:
    assert seen.agent is not None
    top = graph.load_balancer
    strangers = [known for known in seen.agent.load_balancers if known != top.id]
    steps: list[Step] = [Withdraw(seen.row, stranger) for stranger in strangers]
    document = wanted_document(wish, graph, subnets, seen, seen.agent)
    if not in_force(seen.agent, document):
        steps += [*attachments(seen, subnets), Push(seen.row, document)]
    if steps:
        return Plan(tuple(steps), Again(0), f"Putting generation {top.generation} in force in amphora {seen.row.id}.")
    if surplus := surplus_ports(subnets, seen):
        leave = tuple(Detach(seen.row, port) for port in surplus)
        return Plan(leave, Again(0), f"Detaching amphora {seen.row.id} from subnets that it no longer needs.")
    return None


def surplus_ports(subnets: list[Subnet], seen: Seen) -> list[NetworkPort]:
    needed = {subnet.id for subnet in subnets}
    return [port for subnet_id, port in seen.ports.items() if subnet_id not in needed]


def in_force(agent: AgentState, document: Document) -> bool:
    applied = agent.load_balancers.get(document.load_balancer_id)
    return (
        applied is not None
        and applied.fault is None
        and applied.digest == digest(document)
        and applied.generation == document.generation
        and applied.fence.epoch == document.fence.epoch
    )


def wanted_document(wish: Wish, graph: Graph, subnets: list[Subnet], seen: Seen, agent: AgentState) -> Document:
    return rendered(
        graph,
        fence=wish.fence,
        limits=agent.limits,
        haproxy_user=wish.haproxy_user,
        interfaces=interfaces(graph, subnets, seen),
    )


def interfaces(graph: Graph, subnets: list[Subnet], seen: Seen) -> tuple[Interface, ...]:
    """The amphora's links: its own address in each subnet, and the VIP beside it in the VIP's."""
    links = []
    for subnet in subnets:
        port = seen.ports[subnet.id]
        holds_vip = subnet.id == graph.load_balancer.vip_subnet_id
        links.append(
            Interface(
                mac=port.mac_address,
                addresses=(*own_addresses(port, subnet), *(vip_addresses(graph) if holds_vip else ())),
                gateways=(subnet.gateway_ip,) if holds_vip and subnet.gateway_ip else (),
            )
        )
    return tuple(links)


def own_addresses(port: NetworkPort, subnet: Subnet) -> tuple[str, ...]:
    length = ip_network(subnet.cidr).prefixlen
    return tuple(f"{ip.ip_address}/{length}" for ip in port.fixed_ips if ip.subnet_id == subnet.id)


def vip_addresses(graph: Graph) -> tuple[str, ...]:
    """As host addresses, so that the amphora speaks to members from its own address, whoever holds the VIP."""
    vip = graph.load_balancer.vip_address
    return (f"{vip}/{128 if ':' in vip else 32}",) if vip else ()
