"""Nouns for tests: every field that a test does not care about has a plain value."""

import uuid
from datetime import datetime
from typing import Any

from octavia.domain import declare
from octavia.domain.declare import Noun
from octavia.domain.graph import Graph
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.l7policy import L7Policy
from octavia.domain.l7rule import L7Rule
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.domain.settle import settled

NOW = datetime(2026, 1, 2, 3, 4, 5)
PROJECT = "0" * 32


def new_id() -> str:
    return str(uuid.uuid4())


def load_balancer(**fields: Any) -> LoadBalancer:
    identifier = fields.pop("id", None) or new_id()
    given: dict[str, Any] = {
        "vip_address": "198.18.0.10",
        "project_id": PROJECT,
        "cluster_id": new_id(),
        "created_at": NOW,
    } | fields
    return LoadBalancer(id=identifier, load_balancer_id=identifier, **given)


def graph(**fields: Any) -> Graph:
    return Graph(load_balancer=load_balancer(**fields))


def listener(top: LoadBalancer, **body: Any) -> Listener:
    given = {"protocol": "HTTP", "protocol_port": 80} | body
    return declare.create(Listener, given, **system(top))


def pool(top: LoadBalancer, **body: Any) -> Pool:
    return declare.create(Pool, {"protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"} | body, **system(top))


def member(of: Pool, *, server_id: int = 1, **body: Any) -> Member:
    given = {"address": "198.18.1.1", "protocol_port": 8080} | body
    return declare.create(Member, given, **below(of), pool_id=of.id, server_id=server_id)


def health_monitor(of: Pool, **body: Any) -> HealthMonitor:
    given = {"pool_id": of.id, "type": "HTTP", "delay": 1, "timeout": 1, "max_retries": 1} | body
    return declare.create(HealthMonitor, given, **below(of))


def l7policy(of: Listener, **body: Any) -> L7Policy:
    given = {"listener_id": of.id, "action": "REJECT"} | body
    return settled(declare.create(L7Policy, given, **below(of)))


def l7rule(of: L7Policy, **body: Any) -> L7Rule:
    given = {"type": "PATH", "compare_type": "STARTS_WITH", "value": "/"} | body
    return settled(declare.create(L7Rule, given, **below(of), l7policy_id=of.id))


def system(top: LoadBalancer) -> dict[str, Any]:
    return {"id": new_id(), "load_balancer_id": top.id, "project_id": top.project_id, "created_at": NOW}


def below(parent: Noun) -> dict[str, Any]:
    above = {"load_balancer_id": parent.load_balancer_id, "project_id": parent.project_id}
    return {"id": new_id(), "created_at": NOW} | above
