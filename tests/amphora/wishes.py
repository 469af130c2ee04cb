"""Documents for tests, rendered as a controller renders them from a graph that is edited step by step."""

from typing import Any

import msgspec

from octavia.domain import graph as graphs
from octavia.domain.document import Document, Fence
from octavia.domain.graph import Graph
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.listener import Listener
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.render import document
from tests import builders
from tests.amphora.stage import Stage, limits
from tests.amphora.web import Web

replace = msgspec.structs.replace


class Wish:
    """One load balancer as its user wants it; every edit is a generation."""

    def __init__(self, vip: str) -> None:
        self.graph: Graph = builders.graph(vip_address=vip)

    @property
    def id(self) -> str:
        return self.graph.load_balancer.id

    @property
    def pool(self) -> Pool:
        return self.graph.pools[0]

    def document(self, fence: Fence = Fence(1, 1)) -> Document:  # noqa: B008
        return document(self.graph, fence=fence, limits=limits())

    def edit(self, **fields: Any) -> None:
        top = self.graph.load_balancer
        self.graph = replace(self.graph, load_balancer=replace(top, generation=top.generation + 1, **fields))

    def put(self, row: Any) -> Any:
        self.edit()
        self.graph = graphs.put(self.graph, row)
        return row

    def delete(self, row: Any) -> None:
        """The row is not wished any more, and the last document had it."""
        self.edit()
        marked = graphs.delete(self.graph, graphs.get(self.graph, type(row), row.id))
        self.graph = graphs.live(marked)

    def change(self, row: Any, **fields: Any) -> Any:
        return self.put(replace(graphs.get(self.graph, type(row), row.id), **fields))

    def add_pool(self, **body: Any) -> Pool:
        return self.put(builders.pool(self.graph.load_balancer, **body))  # type: ignore[no-any-return]

    def add_listener(self, of: Pool | None, **body: Any) -> Listener:
        made = builders.listener(self.graph.load_balancer, **body)
        return self.put(replace(made, default_pool_id=of.id if of else None))  # type: ignore[no-any-return]

    def add_member(self, web: Web, of: Pool | None = None, **body: Any) -> Member:
        of = of or self.pool
        number = graphs.next_server_id(self.graph, of.id)
        given = {"address": web.address, "protocol_port": web.port} | body
        return self.put(builders.member(of, server_id=number, **given))  # type: ignore[no-any-return]

    def add_monitor(self, of: Pool | None = None, **body: Any) -> HealthMonitor:
        return self.put(builders.health_monitor(of or self.pool, **body))  # type: ignore[no-any-return]


def simple(stage: Stage, *webs: Web, port: int = 80, **pool: Any) -> Wish:
    """A listener with a pool of these members, one of the stage's own where none is given."""
    wish = Wish(stage.vip)
    made = wish.add_pool(**pool)
    wish.add_listener(made, protocol_port=port, protocol=made.protocol)
    for web in webs or (stage.web(),):
        wish.add_member(web)
    return wish
