"""How many SQL statements a request costs: few, and as many for a hundred objects as for one."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from octavia.api.app import build
from octavia.api.ports import Services
from octavia.domain.quota import FIELDS
from octavia.store.engine import Database
from octavia.store.store import Store
from tests.api.world import Api

LIMITS = dict.fromkeys(FIELDS.values(), 10_000)
MANY = 100


class Counter:
    """The statements that one database gets from this thread."""

    def __init__(self, database: Database) -> None:
        self.said: list[str] = []
        self._thread = threading.get_ident()
        for engine in {database.engine, database._asking}:
            sa.event.listen(engine, "before_cursor_execute", self._hear)

    def _hear(self, connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        if threading.get_ident() == self._thread and not statement.startswith(("PRAGMA", "BEGIN")):
            self.said.append(statement)

    @contextmanager
    def expecting(self, most: int, what: str) -> Iterator[None]:
        self.said.clear()
        yield
        assert len(self.said) <= most, f"{what}: {len(self.said)} statements\n" + "\n".join(self.said)


@pytest.fixture
def counted(database: Database, services: Services) -> Api:
    """Where every quota is limited, so that everything is counted."""
    store = Store(database, lambda _: None, LIMITS)
    return Api(build(replace(services, store=store, counting=True, limits=LIMITS)))


MEMBER: dict[str, Any] = {"address": "192.0.2.9", "protocol_port": 80}
RULE: dict[str, Any] = {"type": "PATH", "compare_type": "STARTS_WITH", "value": "/"}
POOL: dict[str, Any] = {"protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}
FULL: dict[str, Any] = {
    "vip_subnet_id": "demo",
    "listeners": [
        {
            "protocol": "HTTP",
            "protocol_port": port,
            "default_pool": POOL | {"name": f"p{port}", "members": [MEMBER], "healthmonitor": None},
            "l7policies": [{"action": "REJECT", "rules": [RULE, RULE]}],
        }
        for port in range(80, 90)
    ],
}


def test_creates(counted: Api, database: Database) -> None:
    """With every quota limited: at most eight for a load balancer, nine for a child, one of which counts."""
    counter, api = Counter(database), counted
    api.load_balancer()
    with counter.expecting(8, "a load balancer"):
        top = api.load_balancer()
    with counter.expecting(12, "a whole one: a statement more for each kind of object in it"):
        api.post("loadbalancers", "loadbalancer", **FULL)
    made: dict[str, str] = {}
    steps: list[tuple[str, Callable[[], str]]] = [
        ("pool", lambda: api.pool(top)),
        ("listener", lambda: api.listener(top, default_pool_id=made["pool"])),
        ("second listener", lambda: api.listener(top, 81, default_pool_id=made["pool"])),
        ("pool of a listener", lambda: api.pool(top, listener_id=api_listener(api, top))),
        ("member", lambda: api.member(made["pool"])),
        ("monitor", lambda: api.monitor(made["pool"])),
        ("policy", lambda: policy(api, made["listener"])),
        ("policy before it", lambda: policy(api, made["listener"], position=1)),
        ("rule", lambda: str(api.post(f"l7policies/{made['policy']}/rules", "rule", **RULE)["id"])),
    ]
    for name, create in steps:
        with counter.expecting(9 if name != "pool of a listener" else 16, name):
            made[name] = create()
    members = [{"address": f"198.51.100.{number}", "protocol_port": 80} for number in range(200)]
    for what in ("batch of new members", "batch of known members"):
        with counter.expecting(10, what):
            api.expect(202, "PUT", f"/v2/pools/{made['pool']}/members", {"members": members})


def api_listener(api: Api, top: str) -> str:
    return api.listener(top, 82)


def policy(api: Api, listener: str, **more: Any) -> str:
    return str(api.post("l7policies", "l7policy", listener_id=listener, action="REJECT", **more)["id"])


def test_changes_and_deletions(counted: Api, database: Database) -> None:
    counter, api = Counter(database), counted
    whole = api.post("loadbalancers", "loadbalancer", **FULL)
    top, listener = whole["id"], whole["listeners"][0]
    pool, (rule, *_) = listener["default_pool_id"], listener["l7policies"]
    for path, root in ((f"loadbalancers/{top}", "loadbalancer"), (f"listeners/{listener['id']}", "listener")):
        with counter.expecting(7, f"change of a {root}"):
            api.put(path, root, name="new")
    with counter.expecting(8, "change of a pool"):
        api.put(f"pools/{pool}", "pool", name="new")
    for path in (f"l7policies/{rule['id']}", f"pools/{pool}", f"listeners/{listener['id']}"):
        with counter.expecting(10, f"deletion of {path}"):
            api.delete(path)
    with counter.expecting(6, "deletion of everything"):
        api.delete(f"loadbalancers/{top}", params={"cascade": "true"})


def filled(api: Api, number: int) -> list[str]:
    """So many of each noun. The addresses of their lists."""
    for _ in range(number):
        api.load_balancer()
    pools = [POOL | {"name": f"p{at}"} for at in range(number)]
    members = [{"address": f"198.51.100.{at}", "protocol_port": 80} for at in range(number)]
    pools[0] = pools[0] | {"members": members}
    listeners: list[dict[str, Any]] = [{"protocol": "HTTP", "protocol_port": at + 1} for at in range(number)]
    policies = [{"action": "REJECT", "rules": [RULE] if at else [RULE] * min(50, number)} for at in range(number)]
    listeners[0] = listeners[0] | {"l7policies": policies, "default_pool": {"name": "p0"}}
    wish: dict[str, Any] = {"vip_subnet_id": "demo", "pools": pools, "listeners": listeners}
    whole = api.post("loadbalancers", "loadbalancer", **wish)
    first = whole["listeners"][0]["l7policies"][0]["id"]
    pool = next(pool["id"] for pool in whole["pools"] if pool["name"] == "p0")
    return [
        "loadbalancers",
        "listeners",
        "pools",
        f"pools/{pool}/members",
        "healthmonitors",
        "l7policies",
        f"l7policies/{first}/rules",
        "quotas",
        "flavors",
        "octavia/amphorae",
        f"loadbalancers/{whole['id']}",
        f"listeners/{whole['listeners'][0]['id']}",
        f"pools/{pool}",
        f"l7policies/{first}",
        f"loadbalancers/{whole['id']}/status",
        f"loadbalancers/{whole['id']}/stats",
    ]


@pytest.mark.parametrize("number", [1, MANY])
def test_reads(counted: Api, database: Database, number: int) -> None:
    """However many there are: one for an object or a tree, at most two for a list, one more behind a marker."""
    counter, api = Counter(database), counted
    for path in filled(api, number):
        most = 1 if path.count("-") and not path.endswith(("members", "rules", "stats")) else 2
        with counter.expecting(most, path):
            answer = api.get(f"/v2/{path}")
        rows = next(iter(answer.values()))
        if isinstance(rows, list) and rows and path not in ("quotas",):
            assert len(rows) in (number, number + 1, min(50, number))
            with counter.expecting(most + 1, f"{path} behind a marker"):
                api.get(f"/v2/{path}", params={"marker": rows[0]["id"], "limit": "20", "sort": "admin_state_up"})
