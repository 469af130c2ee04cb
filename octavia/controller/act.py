"""Making steps true, one after the other. Each may be repeated; a crash between two leaves nothing untold."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime
from functools import singledispatchmethod

import msgspec
from msgspec import Struct

from octavia.controller.world import (
    Allocate,
    Attach,
    Boot,
    Certify,
    Condemn,
    Destroy,
    Detach,
    Forget,
    Push,
    ReleaseVip,
    RenewAgent,
    Step,
    Wish,
    Withdraw,
    port_id_of,
)
from octavia.domain.amphora import Amphora
from octavia.drivers import compute as computing
from octavia.drivers.agent import Agents, Endpoint
from octavia.drivers.compute import Compute
from octavia.drivers.faults import PortFault, Refused
from octavia.drivers.network import AddressTaken, NetworkDriver, SubnetFull
from octavia.store.clusters import Clusters

replace = msgspec.structs.replace
Sign = Callable[[str, str, datetime], tuple[str, datetime]]
"""(certificate request, amphora id, now) to (certificate, its end)."""


class Ports(Struct, frozen=True, kw_only=True):
    """All that a visit can change the world with."""

    clusters: Clusters
    compute: Compute
    network: NetworkDriver
    agents: Agents
    sign: Sign
    clock: Callable[[], datetime]
    new_id: Callable[[], str]


class Actor:
    """Does steps for one visit, under its fence."""

    def __init__(self, ports: Ports, wish: Wish) -> None:
        self._ports = ports
        self._wish = wish

    @singledispatchmethod
    def do(self, step: Step) -> None:
        """The step is true. Raises PortFault, or Fenced when another controller has taken over."""
        raise TypeError(f"no such step: {step}")

    @do.register
    def _(self, step: Allocate) -> None:
        now = self._ports.clock()
        top = self._wish.graph.load_balancer if self._wish.graph else None
        self._put(
            Amphora(
                id=self._ports.new_id(),
                cluster_id=self._wish.cluster_id,
                load_balancer_id=top.id if top else None,
                ha_ip=top.vip_address if top else None,
                ha_port_id=top.vip_port_id if top else None,
                boot_secret=secrets.token_hex(16),
                created_at=now,
            )
        )

    @do.register
    def _(self, step: Boot) -> None:
        """A machine that has to be made anew has lost its key, so its certificate and secret count no more."""
        row = step.amphora
        if row.boot_secret is None or row.compute_id is not None:
            anew = secrets.token_hex(16)
            row = self._put(replace(row, boot_secret=anew, cert_expiration=None, lb_network_ip=None))
        instance = self._ports.compute.ensure(computing.Wish(amphora_id=row.id, boot_secret=row.boot_secret or ""))
        self._put(replace(row, compute_id=row.id, lb_network_ip=instance.address))

    @do.register
    def _(self, step: Attach) -> None:
        subnet = self._ports.network.subnet(step.subnet_id)
        if subnet is None:
            raise Refused(f"Subnet {step.subnet_id} is not there any more.")
        try:
            port = self._ports.network.ensure_port(
                port_id=port_id_of(step.amphora.id, subnet.id),
                subnet_id=subnet.id,
                address=None,
                owner=step.amphora.id,
                device_owner="octavia:amphora",
            )
        except (AddressTaken, SubnetFull) as error:
            raise PortFault(f"Amphora {step.amphora.id} got no address in subnet {subnet.name}: {error}") from error
        self._ports.compute.set_port(step.amphora.id, port)

    @do.register
    def _(self, step: Detach) -> None:
        self._ports.compute.remove_port(step.amphora.id, step.port.id)
        self._ports.network.remove_port(step.port.id)

    @do.register
    def _(self, step: Certify) -> None:
        row = step.amphora
        if step.proof is not None and not proves(row.boot_secret, step.certificate_request, step.proof):
            self._condemn(row, "its certificate request does not prove its boot secret")
            return
        pem, end = self._ports.sign(step.certificate_request, row.id, self._ports.clock())
        self._ports.agents.set_certificate(self._endpoint(row), pem)
        self._ports.agents.forget(row.id)
        self._put(replace(row, cert_expiration=end, boot_secret=None))

    @do.register
    def _(self, step: RenewAgent) -> None:
        self._ports.compute.set_agent_version(step.amphora.id)
        self._ports.agents.forget(step.amphora.id)
        if step.amphora.configure:
            self._ports.clusters.configured(self._wish.cluster_id, self._wish.fence, step.amphora.id)

    @do.register
    def _(self, step: Push) -> None:
        self._ports.agents.set_load_balancer(self._endpoint(step.amphora), step.document)

    @do.register
    def _(self, step: Withdraw) -> None:
        endpoint = self._endpoint(step.amphora)
        self._ports.agents.remove_load_balancer(endpoint, step.load_balancer_id, self._wish.fence)

    @do.register
    def _(self, step: Condemn) -> None:
        self._condemn(step.amphora, step.why)

    @do.register
    def _(self, step: Destroy) -> None:
        self._ports.agents.forget(step.amphora.id)
        self._ports.compute.remove(step.amphora.id)
        for port in step.ports:
            self._ports.network.remove_port(port.id)

    @do.register
    def _(self, step: Forget) -> None:
        self._ports.clusters.remove_amphora(self._wish.cluster_id, self._wish.fence, step.amphora.id)

    @do.register
    def _(self, step: ReleaseVip) -> None:
        for port_id in step.port_ids:
            self._ports.network.remove_port(port_id)

    def _condemn(self, row: Amphora, why: str) -> None:
        self._put(replace(row, condemned=why))

    def _put(self, row: Amphora) -> Amphora:
        row = replace(row, updated_at=self._ports.clock())
        self._ports.clusters.put_amphora(self._wish.cluster_id, self._wish.fence, row)
        return row

    def _endpoint(self, row: Amphora) -> Endpoint:
        instance = self._ports.compute.get(row.id)
        if instance is None:
            raise PortFault(f"Amphora {row.id} has just vanished.")
        return Endpoint(row.id, instance.address, instance.port)


def proves(secret: str | None, request: str, proof: str) -> bool:
    """Whether who sent this request was handed this one-time secret."""
    if secret is None:
        return False
    expected = hmac.new(secret.encode(), request.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, proof)
