"""One visit: lease, look, plan, act, conclude. It never waits for anybody."""

from datetime import datetime

from msgspec import Struct

from octavia.controller.act import Actor, Ports
from octavia.controller.observe import Observer
from octavia.controller.plan import plan
from octavia.controller.world import Again, Done, Fault, Plan, Wish
from octavia.domain.document import Fence
from octavia.drivers.faults import PortFault, Refused
from octavia.store.clusters import Fenced, Wanted

ROUNDS = 12


class Terms(Struct, frozen=True, kw_only=True):
    """What the operator has settled about visits."""

    holder: str
    lease_seconds: float = 15.0
    error_after: float = 30.0
    """Seconds of passing faults until the load balancer shows ERROR."""
    haproxy_user: str | None = None
    boot_timeout: float = 60.0
    certificates: bool = True


class Outcome(Struct, frozen=True):
    """How a visit ended: what it said, and when the next one is due (None: when somebody rings, or the sweep)."""

    result: Done | Again | Fault
    sentence: str

    @property
    def again(self) -> float | None:
        return self.result.after if isinstance(self.result, Again) else None


BUSY = Outcome(Again(1.0), "Another controller holds the lease.")
GONE = Outcome(Done(), "There is nothing on record for it any more.")


class Visitor:
    """Visits clusters. One object serves all threads: a visit's state is its own."""

    def __init__(self, ports: Ports, terms: Terms) -> None:
        self._ports = ports
        self._terms = terms
        self._observer = Observer(ports.compute, ports.network, ports.agents, certificates=terms.certificates)

    def idle(self, cluster_id: str) -> bool:
        """Whether nothing is to be done or concluded here: looked at without a lease, and nothing is written."""
        wanted = self._ports.clusters.snapshot(cluster_id)
        if wanted.graph is None or wanted.failing_since is not None:
            return False
        top = wanted.graph.load_balancer
        if top.observed < top.generation or top.fault is not None:
            return False
        try:
            world = self._observer.world(wanted)
        except PortFault:
            return False
        epoch = self._ports.clusters.epoch()
        made = plan(self._wish(wanted, Fence(epoch, 0)), world, self._ports.clock())
        return isinstance(made.result, Done) and not made.steps

    def visit(self, cluster_id: str) -> Outcome:
        """The cluster is as wished, or one step nearer, and it stands on record what was done and why."""
        fence = self._ports.clusters.lease(cluster_id, self._terms.holder, self._terms.lease_seconds)
        if fence is None:
            return BUSY if self._ports.clusters.known(cluster_id) else GONE
        try:
            return self._rounds(cluster_id, fence)
        except Fenced as error:
            return Outcome(Again(1.0), str(error))
        except BaseException:
            self._ports.clusters.release(cluster_id, fence)
            raise

    def _rounds(self, cluster_id: str, fence: Fence) -> Outcome:
        outcome = Outcome(Again(0), "Nothing was done.")
        for _ in range(ROUNDS):
            wanted = self._ports.clusters.snapshot(cluster_id)
            outcome = self._round(wanted, fence)
            if outcome.again != 0:
                break
        if outcome.again is not None:
            self._ports.clusters.say(cluster_id, fence, outcome.sentence, failing=False)
        return outcome

    def _round(self, wanted: Wanted, fence: Fence) -> Outcome:
        try:
            world = self._observer.world(wanted)
            wish = self._wish(wanted, fence)
            made = plan(wish, world, self._ports.clock())
            self._act(wish, made)
        except PortFault as fault:
            return self._faulty(wanted, fence, str(fault), terminal=isinstance(fault, Refused))
        if isinstance(made.result, Fault):
            return self._faulty(wanted, fence, made.sentence, terminal=made.result.terminal)
        if isinstance(made.result, Done):
            return self._conclude(wanted, fence, made)
        return Outcome(made.result, made.sentence)

    def _wish(self, wanted: Wanted, fence: Fence) -> Wish:
        return Wish(
            cluster_id=wanted.cluster_id,
            graph=wanted.graph,
            fence=fence,
            haproxy_user=self._terms.haproxy_user,
            boot_timeout=self._terms.boot_timeout,
            certificates=self._terms.certificates,
        )

    def _act(self, wish: Wish, made: Plan) -> None:
        actor = Actor(self._ports, wish)
        for step in made.steps:
            actor.do(step)

    def _conclude(self, wanted: Wanted, fence: Fence, made: Plan) -> Outcome:
        if wanted.graph is not None:
            final = wanted.graph.load_balancer.deleted is not None
            self._ports.clusters.conclude(wanted.cluster_id, fence, wanted.graph, final=final, text=made.sentence)
        else:
            self._ports.clusters.release(wanted.cluster_id, fence)
        return Outcome(made.result, made.sentence)

    def _faulty(self, wanted: Wanted, fence: Fence, text: str, *, terminal: bool) -> Outcome:
        """A fault shows as ERROR once it is terminal or has lasted; either way it is tried again with backoff."""
        if wanted.graph is not None and (terminal or self._lasting(wanted.failing_since)):
            self._ports.clusters.show_fault(wanted.cluster_id, fence, wanted.graph, text)
        self._ports.clusters.say(wanted.cluster_id, fence, text, failing=True)
        return Outcome(Fault(terminal=terminal), text)

    def _lasting(self, since: datetime | None) -> bool:
        return since is not None and (self._ports.clock() - since).total_seconds() >= self._terms.error_after
