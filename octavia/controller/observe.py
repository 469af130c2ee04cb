"""Looking at the world: compute, network and agents are asked, nothing is changed."""

from octavia.controller.plan import wanted_subnets
from octavia.controller.world import Seen, World
from octavia.domain.amphora import Amphora
from octavia.domain.document import AgentState
from octavia.domain.graph import Graph
from octavia.domain.network import Subnet
from octavia.drivers.agent import Agents, Endpoint, Introduction
from octavia.drivers.compute import Compute, Instance
from octavia.drivers.faults import PortFault
from octavia.drivers.network import NetworkDriver
from octavia.store.clusters import Wanted


class Observer:
    """Looks at one cluster. A port that fails is a fault of the visit, but for an agent that does not answer."""

    def __init__(self, compute: Compute, network: NetworkDriver, agents: Agents, *, certificates: bool = True) -> None:
        self._compute = compute
        self._network = network
        self._agents = agents
        self._certificates = certificates

    def world(self, wanted: Wanted) -> World:
        """Raises PortFault."""
        subnets = self._subnets(wanted.graph)
        asked = wanted.graph is not None and wanted.graph.load_balancer.deleted is None
        return World(amphorae=tuple(self._seen(row, asked=asked) for row in wanted.amphorae), subnets=subnets)

    def _subnets(self, graph: Graph | None) -> dict[str, Subnet]:
        if graph is None:
            return {}
        found = map(self._network.subnet, wanted_subnets(graph))
        return {subnet.id: subnet for subnet in found if subnet is not None}

    def _seen(self, row: Amphora, *, asked: bool) -> Seen:
        instance = self._compute.get(row.id)
        ports = {port.fixed_ips[0].subnet_id: port for port in self._network.ports_of(row.id)}
        if instance is None or row.condemned is not None or not asked:
            return Seen(row=row, instance=instance, ports=ports)
        introduction, agent, silence = self._ask(row, instance)
        return Seen(row=row, instance=instance, ports=ports, introduction=introduction, agent=agent, silence=silence)

    def _ask(self, row: Amphora, instance: Instance) -> tuple[Introduction | None, AgentState | None, str | None]:
        endpoint = Endpoint(row.id, instance.address, instance.port)
        try:
            if self._certificates and row.cert_expiration is None:
                return self._agents.introduction(endpoint), None, None
            return None, self._agents.state(endpoint), None
        except PortFault as fault:
            return None, None, str(fault)
