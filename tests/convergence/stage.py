"""A whole control plane over in-memory adapters and a real SQLite store, with a clock that only tests move."""

import itertools
from datetime import datetime, timedelta
from pathlib import Path

from octavia.controller.act import Ports
from octavia.controller.sweep import Sweeper
from octavia.controller.visit import Outcome, Terms, Visitor
from octavia.controller.world import Fault, port_id_of
from octavia.domain.document import digest
from octavia.domain.graph import Graph, live
from octavia.drivers.agent import memory as agents
from octavia.drivers.compute import Instance
from octavia.drivers.compute import memory as computing
from octavia.drivers.faults import Crash, Faults, PortFault
from octavia.drivers.network import memory as networking
from octavia.drivers.network.local import subnet_id
from octavia.store import schema
from octavia.store.addresses import Addresses
from octavia.store.clusters import Clusters
from octavia.store.engine import Database, utcnow
from octavia.store.query import Who
from octavia.store.store import Store
from tests import builders

WHO = Who(request_id="req-test")
ROUNDS = 40


class Stage:
    """Load balancers, their controllers (which may crash and start anew), and the world they work on."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(f"sqlite:///{folder}/octavia.db")
        schema.upgrade(self.database)
        self.now = utcnow()
        self.faults = Faults()
        self.addresses = Addresses(self.database)
        self.compute = computing.Memory(self.faults)
        self.network = networking.Memory(self.faults, self.addresses)
        self.agents = agents.Memory(lambda: self.compute.machines, self.faults)
        self.clusters = Clusters(self.database, lambda: self.now)
        self.store = Store(self.database, lambda _: None)
        self._starts = itertools.count()
        self.start()

    def start(self) -> None:
        """The control plane runs as a new process: nothing but the database and the world is remembered."""
        self.ports = Ports(
            clusters=self.clusters,
            compute=self.compute,
            network=self.network,
            agents=self.agents,
            sign=signed,
            clock=lambda: self.now,
            new_id=builders.new_id,
        )
        self.visitor = Visitor(self.ports, Terms(holder=f"controller-{next(self._starts)}", lease_seconds=0.0))
        self.sweeper = Sweeper(self.clusters, self.compute, self.network, self.addresses.ownerless, lambda: self.now)

    def wish(self) -> Graph:
        """A load balancer is asked for, as the API does it: the VIP first, then the row."""
        identifier = builders.new_id()
        port = self.network.ensure_port(
            port_id=builders.new_id(),
            subnet_id=subnet_id("demo"),
            address=None,
            owner=identifier,
            device_owner="octavia:vip",
        )
        fixed = port.fixed_ips[0]
        graph = builders.graph(
            id=identifier,
            vip_port_id=port.id,
            vip_subnet_id=fixed.subnet_id,
            vip_network_id=port.network_id,
            vip_address=fixed.ip_address,
        )
        return self.store.create(graph, WHO)

    def strange_machine(self) -> None:
        """Compute has an amphora that no row tells of."""
        identifier = builders.new_id()
        self.compute.machines[identifier] = computing.Machine(
            instance=Instance(amphora_id=identifier, status="RUNNING", address="192.0.2.1", port=9443), boot_secret="s"
        )

    def visit(self, cluster_id: str) -> Outcome | None:
        """One visit; None if our process died in it, and a new one has taken its place."""
        try:
            return self.visitor.visit(cluster_id)
        except Crash:
            self.start()
            return None

    def sweep(self) -> None:
        try:
            self.sweeper.sweep()
        except Crash:
            self.start()
        except PortFault:
            pass

    def settle(self) -> None:
        """Nothing goes wrong any more, and the control plane has had its time."""
        self.faults.clear()
        self.sweep()
        for _ in range(ROUNDS):
            if not any(self.pending(cluster_id) for cluster_id in self.clusters.all()):
                break
            self.now += timedelta(seconds=1)
        else:
            raise AssertionError("it does not converge")
        self.sweep()

    def pending(self, cluster_id: str) -> bool:
        outcome = self.visit(cluster_id)
        assert outcome is not None, "nothing was to crash any more"
        return outcome.again is not None or isinstance(outcome.result, Fault)

    def check(self) -> None:
        """The world is what the database wishes, with nothing extra."""
        with self.store.read() as reader:
            ids = [top for (top,) in self.load_balancers()]
            graphs = [reader.graph(top) for top in ids]
        amphorae: set[str] = set()
        for graph in graphs:
            assert graph.load_balancer.deleted is None
            assert graph.load_balancer.observed == graph.load_balancer.generation
            assert live(graph) == graph, "rows that were deleted are gone"
            amphorae |= self.serves(graph)
        assert set(self.compute.machines) == amphorae, "no machine is extra"
        owners = {port.owner for port in self.network.ports()}
        assert owners == amphorae | set(ids), "no address is extra, none is missing"

    def serves(self, graph: Graph) -> set[str]:
        rows = self.clusters.snapshot(graph.load_balancer.cluster_id).amphorae
        assert len(rows) == 1
        amphora = rows[0]
        assert amphora.condemned is None
        assert amphora.boot_secret is None
        document = self.agents.documents(amphora.id)[graph.load_balancer.id]
        assert document.generation == graph.load_balancer.generation
        assert digest(document)
        port = port_id_of(amphora.id, graph.load_balancer.vip_subnet_id or "")
        assert set(self.compute.machines[amphora.id].ports) == {port}
        assert {server.name for server in document.servers} <= {member.id for member in graph.members}
        return {amphora.id}

    def load_balancers(self) -> list[tuple[str]]:
        with self.database.engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT id FROM load_balancer ORDER BY created_at, id")
            return [(row[0],) for row in rows]


def signed(request: str, amphora_id: str, now: datetime) -> tuple[str, datetime]:
    return f"certificate of {amphora_id}", now + timedelta(days=30)
