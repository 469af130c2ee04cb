"""A load balancer and everything in it from one request body."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

from msgspec.structs import replace

from octavia.domain import declare
from octavia.domain.declare import Noun, shortened
from octavia.domain.graph import Graph, in_line
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.l7policy import L7Policy
from octavia.domain.l7rule import L7Rule
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.domain.refusal import Invalid
from octavia.domain.settle import settled

N = TypeVar("N", bound=Noun)
Body = dict[str, Any]


def populate(body: Body, *, new_id: Callable[[], str], now: datetime) -> Graph:
    """The graph that the body describes, as generation 1 of a new load balancer.

    Raises Invalid, with the path of the value, for a body of another shape; the laws of `rules` are not asked.
    """
    wish = an_object(body, "loadbalancer")
    listeners = objects(wish.pop("listeners", None), "listeners")
    pools = objects(wish.pop("pools", None), "pools")
    identifier, cluster_id = new_id(), new_id()
    system = {"id": identifier, "load_balancer_id": identifier, "cluster_id": cluster_id, "created_at": now}
    maker = Maker(settled(declare.create(LoadBalancer, wish, **system)), new_id, now)
    for path, listener in listeners:
        pools += nested_pool(listener, "default_pool", path)
        listener["l7policies"] = policies = objects(listener.get("l7policies"), f"{path}.l7policies")
        for policy_path, policy in policies:
            pools += nested_pool(policy, "redirect_pool", policy_path)
    maker.pools(pools)
    for path, listener in listeners:
        maker.listener(listener, path)
    return maker.graph


def an_object(value: Any, path: str) -> Body:
    """A copy of the object at this path."""
    if not isinstance(value, dict):
        raise Invalid(f"{path} must be an object, not '{shortened(value)}'.")
    return dict(value)


def objects(value: Any, path: str) -> list[tuple[str, Body]]:
    """Copies of the objects in the list at this path, each with its own path; null is an empty list."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise Invalid(f"{path} must be a list of objects, not '{shortened(value)}'.")
    return [(f"{path}[{index}]", an_object(item, f"{path}[{index}]")) for index, item in enumerate(value)]


def nested_pool(user: Body, field: str, path: str) -> Iterator[tuple[str, Body]]:
    """The pool that is defined inside a listener or policy, where the field is left as the pool's name."""
    if user.get(field) is None:
        user.pop(field, None)
        return
    path = f"{path}.{field}"
    wish = an_object(user[field], path)
    name = wish.get("name")
    if not isinstance(name, str) or not name:
        raise Invalid(f"{path} needs a name: that of a pool in pools, or its own if it is defined here.")
    if user.get(f"{field}_id") is not None:
        raise Invalid(f"{path} and {field}_id exclude each other. Leave one of them out.")
    user[field] = name
    if len(wish) > 1:
        yield path, wish


class Maker:
    """Makes the rows of one load balancer, and knows the pools by name. Each is a microsecond younger than the one
    before, so that lists show them in the order in which they were written down."""

    def __init__(self, top: LoadBalancer, new_id: Callable[[], str], now: datetime) -> None:
        self.graph = Graph(load_balancer=top)
        self._new_id = new_id
        self._now = now
        self._named: dict[str, str] = {}

    def row(self, noun: type[N], body: Body, path: str, **system: Any) -> N:
        top = self.graph.load_balancer
        self._now += timedelta(microseconds=1)
        given = {name: value for name, value in body.items() if name not in ("project_id", "tenant_id")}
        try:
            made = declare.create(
                noun,
                given,
                id=self._new_id(),
                load_balancer_id=top.id,
                project_id=top.project_id,
                created_at=self._now,
                **system,
            )
        except Invalid as error:
            raise Invalid(at(path, error.sentence)) from None
        return settled(made)

    def pools(self, wishes: list[tuple[str, Body]]) -> None:
        """Names are how listeners refer to pools, so no two pools may have the same, nor may two have none."""
        for path, wish in wishes:
            members = objects(wish.pop("members", None), f"{path}.members")
            monitor = wish.pop("healthmonitor", None)
            pool = self.row(Pool, wish, path)
            if pool.name in self._named:
                called = f"with the name '{pool.name}'" if pool.name else "without a name"
                raise Invalid(f"{path}.name: there are two pools {called}. Each needs its own.")
            self._named[pool.name] = pool.id
            self.graph = replace(self.graph, pools=(*self.graph.pools, pool))
            if monitor is not None:
                self.monitor(pool, an_object(monitor, f"{path}.healthmonitor"), f"{path}.healthmonitor")
            self.members(pool, members, watched=monitor is not None)

    def monitor(self, pool: Pool, wish: Body, path: str) -> None:
        if "pool_id" in wish:
            raise Invalid(f"Unknown attribute for argument healthmonitor: {path}.pool_id. It is of the pool around it.")
        row = self.row(HealthMonitor, wish | {"pool_id": pool.id}, path)
        self.graph = replace(self.graph, health_monitors=(*self.graph.health_monitors, row))

    def members(self, pool: Pool, wishes: list[tuple[str, Body]], *, watched: bool) -> None:
        status = "OFFLINE" if watched else "NO_MONITOR"
        rows = [
            self.row(Member, wish, path, pool_id=pool.id, server_id=number, operating_status=status)
            for number, (path, wish) in enumerate(wishes, start=1)
        ]
        self.graph = replace(self.graph, members=(*self.graph.members, *rows))

    def listener(self, wish: Body, path: str) -> None:
        policies = wish.pop("l7policies")
        self.refer(wish, "default_pool", path)
        row = self.row(Listener, wish, path)
        self.graph = replace(self.graph, listeners=(*self.graph.listeners, row))
        for policy_path, policy in policies:
            self.policy(row, policy, policy_path)

    def refer(self, wish: Body, field: str, path: str) -> None:
        """The name of a pool in this field becomes its id."""
        name = wish.pop(field, None)
        if name is None:
            return
        if name not in self._named:
            raise Invalid(f"{path}.{field}: no pool with the name '{name}' is defined in this request.")
        wish[f"{field}_id"] = self._named[name]

    def policy(self, listener: Listener, wish: Body, path: str) -> None:
        for field in ("redirect_pool_id", "listener_id"):
            if field in wish:
                raise Invalid(f"Unknown attribute for argument l7policy: {path}.{field}. Refer by redirect_pool here.")
        rules = objects(wish.pop("rules", None), f"{path}.rules")
        self.refer(wish, "redirect_pool", path)
        row = self.row(L7Policy, wish | {"listener_id": listener.id}, path)
        self.graph = in_line(replace(self.graph, l7policies=(*self.graph.l7policies, row)), row)
        made = [self.row(L7Rule, rule, rule_path, l7policy_id=row.id) for rule_path, rule in rules]
        self.graph = replace(self.graph, l7rules=(*self.graph.l7rules, *made))


LEADS = ("Invalid input for field/attribute ", "Unknown attribute for argument ")


def at(path: str, sentence: str) -> str:
    """The sentence of a declaration, about a field at this path."""
    if sentence.startswith(LEADS[0]):
        return f"{LEADS[0]}{path}.{sentence.removeprefix(LEADS[0])}"
    noun, colon, rest = sentence.removeprefix(LEADS[1]).partition(": ")
    return f"{LEADS[1]}{noun}{colon}{path}.{rest}"
