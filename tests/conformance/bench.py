"""The control plane under test: the API in process, over a real store, with a controller that runs when told to."""

import dataclasses
import uuid
from datetime import datetime, timedelta
from typing import Any

import falcon
from falcon import testing

from octavia.api.app import build
from octavia.api.caller import Caller, Unauthorized
from octavia.api.ports import ListSwitches, Permissions, Services
from octavia.controller.act import Ports
from octavia.controller.visit import Terms, Visitor
from octavia.domain.choices import Choices
from octavia.domain.quota import FIELDS, UNLIMITED
from octavia.drivers.agent.noop import NoopAgents
from octavia.drivers.compute.noop import Noop as NoopCompute
from octavia.store.catalogue import Catalogue
from octavia.store.clusters import Clusters
from octavia.store.engine import Database, utcnow
from octavia.store.quotas import Quotas
from octavia.store.store import Store
from tests.conformance.nouns import BAD_REF
from tests.conformance.places import NAMES, Places

VISITS = 40
SECOND = timedelta(seconds=1)


APPLICATIONS: dict[str, dict[str, Any]] = {
    "noauth": {},
    "counting": {"counting": True},
    "keystone": {"counting": True},
    "two pools": {"counting": True, "limits": dict.fromkeys(FIELDS.values(), UNLIMITED) | {"pool": 2}},
    "new TLS": {"choices": Choices(minimum_tls_version="TLSv1.2")},
    "no weak cipher": {"choices": Choices(prohibited_ciphers=("DES-CBC3-SHA",))},
    "reserved": {"choices": Choices(reserved_ips=("192.0.2.10",))},
    "slow UDP": {"choices": Choices(udp_connect_min_delay=10)},
    "no ping": {"choices": Choices(ping_monitors=False)},
    "no terminated": {"choices": Choices(tls_listeners=False)},
    "no prometheus": {"choices": Choices(prometheus_listeners=False)},
    "no ports": {"choices": Choices(vip_ports=False)},
    "no networks": {"choices": Choices(vip_networks=False)},
    "no subnets": {"choices": Choices(vip_subnets=False)},
    "one network": {"choices": Choices(valid_vip_networks=(NAMES["network"],))},
    "denied network": {"choices": Choices(denied_vip_networks=(NAMES["other network"],))},
    "three a page": {"pagination_max_limit": 3},
    "other base": {"api_base_uri": "https://lb.example.org/load-balancer"},
    "no pagination": {"switches": ListSwitches(pagination=False)},
    "no sorting": {"switches": ListSwitches(sorting=False)},
    "no filtering": {"switches": ListSwitches(filtering=False)},
    "no field selection": {"switches": ListSwitches(field_selection=False)},
    "no healthcheck": {"healthcheck_enabled": False},
}
"""What each application has otherwise. All are over the same store."""


class Bench:
    """The applications, and the controller, which works when it is told to."""

    def __init__(self, database: Database, permissions: Permissions) -> None:
        self.now = utcnow().replace(microsecond=0)
        self._database = database
        self.permissions = permissions
        self.network = Places()
        self.rung: set[str] = set()
        self.clusters = Clusters(database, lambda: self.now)
        self.services = Services(
            store=Store(database, self.rung.add),
            catalogue=Catalogue(database),
            quotas=Quotas(database),
            network=self.network,
            clock=lambda: self.now,
            new_id=new_id,
            readable=lambda reference: reference != BAD_REF,
        )
        self.visitor = Visitor(self.ports(), Terms(holder="conformance", lease_seconds=0.0, certificates=False))
        self._apps: dict[str, testing.TestClient] = {}

    def ports(self) -> Ports:
        return Ports(
            clusters=self.clusters,
            compute=NoopCompute(),
            network=self.network,
            agents=NoopAgents(),
            sign=unsigned,
            clock=lambda: self.now,
            new_id=new_id,
        )

    def client(self, name: str) -> testing.TestClient:
        if name not in self._apps:
            self._apps[name] = testing.TestClient(self.application(name))
        return self._apps[name]

    def application(self, name: str) -> "falcon.App[Any, Any]":
        services = dataclasses.replace(self.services, **APPLICATIONS[name])
        services = dataclasses.replace(services, store=Store(self._database, self.rung.add, services.limits))
        if name != "keystone":
            return build(services)
        return build(dataclasses.replace(services, permissions=self.permissions), by_headers)

    def settle(self) -> None:
        """Whatever was asked for is in force."""
        for _ in range(VISITS):
            waiting = sorted(self.rung)
            self.rung.clear()
            for cluster_id in waiting:
                outcome = self.visitor.visit(cluster_id)
                if outcome.again is not None:
                    self.rung.add(cluster_id)
            self.now += SECOND
            if not self.rung:
                return
        raise AssertionError("it does not settle")


def new_id() -> str:
    return str(uuid.uuid4())


def unsigned(request: str, amphora_id: str, now: datetime) -> tuple[str, datetime]:
    return "", now


def by_headers(request: falcon.Request, request_id: str) -> Caller:
    """As Keystone's middleware leaves it: who asks stands in headers."""
    if request.get_header("X-Identity-Status") == "Invalid":
        raise Unauthorized("Keystone uri='https://identity.example.org'")
    return Caller(
        project_id=request.get_header("X-Project-Id") or None,
        user_id="user",
        is_admin=False,
        request_id=request_id,
        roles=frozenset((request.get_header("X-Roles") or "").split(",")) - {""},
    )
