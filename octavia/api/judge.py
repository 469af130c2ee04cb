"""What speaks against an edit: the laws of the domain, and what this data plane cannot do."""

from collections.abc import Iterator
from functools import partial

from octavia.api.ports import Services
from octavia.domain import choices, rules
from octavia.domain.declare import Noun
from octavia.domain.graph import Graph, live, rows
from octavia.domain.listener import Listener
from octavia.domain.pool import Pool
from octavia.domain.refusal import Conflict, Invalid, Refusal


def judged(services: Services, before: Graph | None, after: Graph) -> Graph:
    """The new graph. Raises the first refusal that the old one did not deserve."""
    for refusal in refusals(services, before, lawful(before, after)):
        raise refusal
    return after


def lawful(before: Graph | None, after: Graph) -> Graph:
    """The new graph. Raises the first law that it breaks and the old one did not."""
    for refusal in rules.fresh(before, after):
        raise refusal
    return after


def refusals(services: Services, before: Graph | None, after: Graph) -> Iterator[Refusal]:
    yield from low_ports(services.lowest_port, before, after)
    known, alive = live(before) if before is not None else None, live(after)
    yield from rules.caused(partial(choices.faults, services.choices), known, alive)
    yield from unreadable(services, before, alive)
    yield from rules.caused(services.offered, known, alive)


REFERENCES: dict[type[Noun], tuple[str, ...]] = {
    Listener: ("default_tls_container_ref", "client_ca_tls_container_ref", "client_crl_container_ref"),
    Pool: ("tls_container_ref", "ca_tls_container_ref", "crl_container_ref"),
}


def references(graph: Graph | None) -> set[str]:
    """Everything in the keeping of the secrets service that the graph refers to."""
    if graph is None:
        return set()
    found = {getattr(row, name) for noun, names in REFERENCES.items() for row in rows(graph, noun) for name in names}
    sni = {reference for listener in graph.listeners for reference in listener.sni_container_refs}
    return {reference for reference in found | sni if reference is not None}


def unreadable(services: Services, before: Graph | None, after: Graph) -> Iterator[Refusal]:
    for reference in sorted(references(after) - references(before)):
        if not services.readable(reference):
            yield Invalid(f"Could not retrieve certificate: {reference} is not there, or cannot be read.")


def low_ports(lowest: int, before: Graph | None, after: Graph) -> Iterator[Refusal]:
    known = {listener.id for listener in before.listeners} if before else set()
    for listener in after.listeners:
        if listener.protocol_port < lowest and listener.id not in known:
            yield Invalid(
                f"Listener port {listener.protocol_port} cannot be bound here: ports below {lowest} are reserved on "
                f"this host. Choose a port from {lowest} on."
            )


def may_be_changed(graph: Graph) -> None:
    """Raises Conflict where the load balancer is being deleted: nothing under it may change any more."""
    top = graph.load_balancer
    if top.deleted is not None:
        raise Conflict(f"Load Balancer {top.id} is immutable and cannot be updated: it is being deleted.")
