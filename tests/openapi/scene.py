"""An API over no-op adapters in which there is one of everything that stays, and one of everything that may go."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from octavia.api.app import App, build
from octavia.api.ports import Services
from octavia.controller.act import Ports
from octavia.controller.visit import Terms, Visitor
from octavia.drivers.agent.noop import NoopAgents
from octavia.drivers.compute.noop import Noop as NoopCompute
from octavia.drivers.network.noop import Noop as NoopNetwork
from octavia.store import schema
from octavia.store.catalogue import Catalogue
from octavia.store.clusters import Clusters
from octavia.store.engine import Database, utcnow
from octavia.store.quotas import Quotas
from octavia.store.store import Store
from tests.api.world import Api

Ids = dict[str, str]
"""The address of a collection (`/v2/pools`) to the id of one in it."""
PROJECT = "8f6d0e4c3b2a4f1e9d7c5b3a19283746"
FIRST = IPv4Address("10.0.0.1")
SUBNET = "0b2f7c1e-5d7a-4c43-9a6e-2f1d3c4b5a69"
POOLS, UNWATCHED = "/v2/pools", "pools without a monitor"


@dataclass
class Scene:
    """The application, one object of each kind that stays, and one that may go."""

    app: App
    rung: set[str]
    visitor: Visitor
    kept: Ids = field(default_factory=dict)
    doomed: Ids = field(default_factory=dict)

    @property
    def api(self) -> Api:
        return Api(self.app)

    def settle(self) -> None:
        """Whatever was asked for is in force."""
        for _ in range(100):
            if not self.rung:
                return
            cluster_id = min(self.rung)
            self.rung.remove(cluster_id)
            if self.visitor.visit(cluster_id).again is not None:
                self.rung.add(cluster_id)
        raise AssertionError("it does not settle")

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """As the application, over a control plane that has done all that was asked before."""
        self.settle()
        return self.app(environ, start_response)

    def post(self, path: str, number: int, above: Ids) -> str:
        answer = self.api.expect(201, "POST", filled(path, above), example(path, number, above))
        (made,) = answer.values()
        return str(made["id"] if "id" in made else made["name"])

    def unwatched(self, number: int) -> Ids:
        """What there is, with a pool that has no monitor yet."""
        return self.kept | {UNWATCHED: self.post(POOLS, number, self.kept)}

    def furnish(self) -> None:
        """Everything that goes is under what stays, so that it can go in any order."""
        for path in BODIES:
            self.kept[path] = self.post(path, 80, self.kept)
            if path == POOLS:
                self.kept[UNWATCHED] = self.kept[POOLS]
        above = self.unwatched(81)
        self.doomed = above | {path: self.post(path, 81, above) for path in BODIES}
        self.settle()
        for number, ids in enumerate((self.kept, self.doomed), start=80):
            ids["/v2/octavia/amphorae"] = self.amphora_of(ids["/v2/loadbalancers"])
            ids["/v2/quotas"] = f"{PROJECT[:30]}{number}"
            self.api.expect(202, "PUT", f"/v2/quotas/{ids['/v2/quotas']}", {"quota": {"listener": number}})
        self.kept["/v2/octavia/loadbalancers"] = self.kept["/v2/loadbalancers"]
        self.kept |= {"/v2/providers": "amphora"} | self.unwatched(82)

    def amphora_of(self, load_balancer_id: str) -> str:
        found = self.api.get("/v2/octavia/amphorae", query_string=f"loadbalancer_id={load_balancer_id}")
        return str(found["amphorae"][0]["id"])


def scene(folder: Path) -> Iterator[Scene]:
    """The same ids at every time."""
    database = Database(f"sqlite:///{folder}/octavia.db")
    schema.upgrade(database)
    numbers, rung, network = random.Random(7), set[str](), NoopNetwork()

    def new_id() -> str:
        return str(uuid.UUID(int=numbers.getrandbits(128), version=4))

    services = Services(
        store=Store(database, ring=rung.add),
        catalogue=Catalogue(database),
        quotas=Quotas(database),
        network=network,
        clock=utcnow,
        new_id=new_id,
    )
    ports = Ports(
        clusters=Clusters(database, utcnow),
        compute=NoopCompute(),
        network=network,
        agents=NoopAgents(),
        sign=lambda request, amphora_id, now: ("", now + timedelta(days=30)),
        clock=utcnow,
        new_id=new_id,
    )
    visitor = Visitor(ports, Terms(holder="tests", lease_seconds=0.0, certificates=False))
    made = Scene(build(services), rung, visitor)
    made.furnish()
    yield made
    database.close()


BODIES = (
    "/v2/flavorprofiles",
    "/v2/flavors",
    "/v2/availabilityzoneprofiles",
    "/v2/availabilityzones",
    "/v2/loadbalancers",
    POOLS,
    "/v2/listeners",
    "/v2/pools/{pool_id}/members",
    "/v2/healthmonitors",
    "/v2/l7policies",
    "/v2/l7policies/{l7policy_id}/rules",
)
"""In the order in which they need each other."""


def filled(path: str, ids: Ids) -> str:
    """The address in which each field is the id of what is there in the scene."""
    found = ""
    for part in path.split("/")[1:]:
        found += f"/{part}" if not part.startswith("{") else f"/{ids[collection_of(path, part)]}"
    return found


def collection_of(path: str, place: str) -> str:
    return path[: path.index(f"/{place}")]


def example(path: str, number: int, above: Ids) -> Any:
    """A POST that is granted once."""
    match path:
        case "/v2/flavorprofiles":
            data = '{"loadbalancer_topology": "SINGLE"}'
            return {"flavorprofile": {"name": f"p{number}", "provider_name": "amphora", "flavor_data": data}}
        case "/v2/flavors":
            return {"flavor": {"name": f"f{number}", "flavor_profile_id": above["/v2/flavorprofiles"]}}
        case "/v2/availabilityzoneprofiles":
            wish = {"name": f"z{number}", "provider_name": "amphora", "availability_zone_data": "{}"}
            return {"availability_zone_profile": wish}
        case "/v2/availabilityzones":
            profile = above["/v2/availabilityzoneprofiles"]
            return {"availability_zone": {"name": f"z{number}", "availability_zone_profile_id": profile}}
        case "/v2/loadbalancers":
            return {"loadbalancer": {"name": f"lb{number}", "vip_subnet_id": SUBNET, "project_id": PROJECT}}
    return example_below(path, number, above)


def example_below(path: str, number: int, above: Ids) -> Any:
    """Of what is in a load balancer."""
    top = {"loadbalancer_id": above["/v2/loadbalancers"]}
    match path:
        case "/v2/pools":
            return {"pool": {"protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", **top}}
        case "/v2/listeners":
            return {"listener": {"protocol": "HTTP", "protocol_port": number + 1, **top}}
        case "/v2/pools/{pool_id}/members":
            return {"member": {"address": str(FIRST + number), "protocol_port": 80}}
        case "/v2/healthmonitors":
            times = {"delay": 5, "timeout": 3, "max_retries": 2}
            return {"healthmonitor": {"pool_id": above[UNWATCHED], "type": "HTTP", **times}}
        case "/v2/l7policies":
            return {"l7policy": {"listener_id": above["/v2/listeners"], "action": "REJECT"}}
        case "/v2/l7policies/{l7policy_id}/rules":
            return {"rule": {"type": "PATH", "compare_type": "STARTS_WITH", "value": "/admin"}}
    raise KeyError(path)
