"""The control plane under test: the API in process, over a real store, with a controller that runs when told to."""

import dataclasses
import uuid
from datetime import datetime, timedelta
from typing import Any

import falcon
from falcon import testing

from octavia.api.app import build
from octavia.api.caller import Caller
from octavia.api.ports import Services
from octavia.controller.act import Ports
from octavia.controller.visit import Terms, Visitor
from octavia.drivers.agent.noop import NoopAgents
from octavia.drivers.compute.noop import Noop as NoopCompute
from octavia.store.clusters import Clusters
from octavia.store.engine import Database, utcnow
from octavia.store.store import Store
from tests.conformance.places import Places

VISITS = 40
SECOND = timedelta(seconds=1)


class Bench:
    """Applications over one store: `noauth` (everybody is admin), `keystone` (headers say who asks), and further ones
    with other settings, each named after the switch that it turns."""

    def __init__(self, database: Database) -> None:
        self.now = utcnow().replace(microsecond=0)
        self.network = Places()
        self.rung: set[str] = set()
        self.clusters = Clusters(database, lambda: self.now)
        self.store = Store(database, self.rung.add)
        self.services = Services(
            store=self.store, network=self.network, clock=lambda: self.now, new_id=new_id, **self.further(database)
        )
        self.visitor = Visitor(self.ports(), Terms(holder="conformance", lease_seconds=0.0, certificates=False))
        self._apps: dict[str, testing.TestClient] = {}

    def further(self, database: Database) -> dict[str, Any]:
        """What else the API is given by `main`."""
        return {}

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
        if name == "noauth":
            return build(self.services)
        if name == "keystone":
            return build(self.services, by_headers)
        switch, _, value = name.partition("=")
        return build(dataclasses.replace(self.services, **{switch: eval(value)}))  # our own rows' text

    def settle(self) -> None:
        """Whatever was asked for is in force."""
        for _ in range(VISITS):
            waiting = sorted(self.rung)
            self.rung.clear()
            for cluster_id in waiting:
                if self.visitor.visit(cluster_id).again is not None:
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
    roles = frozenset((request.get_header("X-Roles") or "").split(","))
    return Caller(
        project_id=request.get_header("X-Project-Id"),
        user_id="user",
        is_admin="admin" in roles,
        request_id=request_id,
    )
