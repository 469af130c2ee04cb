"""The graph as haproxy.cfg: what each frontend and backend is, and the text of it all."""

import hashlib
from collections.abc import Iterator
from typing import Literal

import jinja2
from msgspec import Struct

from octavia.domain.document import Limits, Server
from octavia.domain.graph import Graph, live, members_of
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.pool import Pool
from octavia.render import limits as limit
from octavia.render import servers
from octavia.render.quoting import literal, quoted, safe, sample

Mode = Literal["http", "tcp"]
MODES: dict[str, Mode] = {"HTTP": "http", "HTTPS": "tcp", "TCP": "tcp"}
"""The listener protocols that are rendered, and how HAProxy treats their traffic, members' side included."""
MONITORS = frozenset({"HTTP", "TCP"})
PATIENCE = 10_000
"""Until a client has sent a whole request head, in milliseconds, unless the listener's own timeout is shorter."""
INSERTED = frozenset({"X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto"})
"""The headers that can be inserted."""
TABLE_SIZE = 100_000
"""Entries of a stick table; when it is full the oldest make room."""
WITH_TABLE = frozenset({"SOURCE_IP", "APP_COOKIE"})


class Backend(Struct, frozen=True, kw_only=True):
    """One pool as one listener uses it."""

    name: str
    pool: Pool
    listener: Listener
    mode: Mode
    monitor: HealthMonitor | None
    servers: tuple[Server, ...]

    @property
    def persistence(self) -> str | None:
        return self.pool.session_persistence.type if self.pool.session_persistence else None

    @property
    def cookie(self) -> str:
        """Of this pool alone, so that two pools behind one host name do not overwrite each other's."""
        return f"SRV-{self.pool.id[:8]}"


class Frontend(Struct, frozen=True, kw_only=True):
    listener: Listener
    mode: Mode
    maxconn: int
    binds: tuple[tuple[str, int], ...]
    backend: Backend | None

    @property
    def request_timeout(self) -> int:
        return min(PATIENCE, servers.milliseconds(self.listener.timeout_client_data))

    @property
    def headers(self) -> frozenset[str]:
        """The headers to insert: those whose value is true."""
        return frozenset(name for name, value in self.listener.insert_headers.items() if value.lower() == "true")


class Config(Struct, frozen=True, kw_only=True):
    """Everything that haproxy.cfg says."""

    load_balancer: LoadBalancer
    user: str | None
    maxconn: int
    frontends: tuple[Frontend, ...]

    @property
    def backends(self) -> tuple[Backend, ...]:
        return tuple(frontend.backend for frontend in self.frontends if frontend.backend)

    @property
    def servers(self) -> tuple[Server, ...]:
        return tuple(server for backend in self.backends for server in backend.servers)

    @property
    def binds(self) -> tuple[tuple[str, int], ...]:
        return tuple(bind for frontend in self.frontends for bind in frontend.binds)

    @property
    def has_tables(self) -> bool:
        """Whether there is something for the peers section to carry over a reload."""
        return any(backend.persistence in WITH_TABLE for backend in self.backends)

    @property
    def table_size(self) -> int:
        return TABLE_SIZE

    @property
    def host(self) -> str:
        """Whom a check without a domain name asks for: the VIP, as a client does that knows no name."""
        return servers.host(self.load_balancer.vip_address or "")

    @property
    def cookie_key(self) -> str:
        """The same in every amphora and at every time, so that cookies stay good."""
        return hashlib.sha256(b"dynamic cookies " + self.load_balancer.id.encode()).hexdigest()[:32]


def config(graph: Graph, *, limits: Limits, haproxy_user: str | None) -> Config:
    """What shall be served: of a disabled load balancer nothing, of a disabled listener nothing.

    The order is always the same, whatever order the rows come in: another one would mean a reload for nothing.
    """
    alive = live(graph)
    served = [row for row in alive.listeners if row.admin_state_up and row.protocol in MODES]
    served.sort(key=lambda row: (row.protocol_port, row.id))
    if not alive.load_balancer.admin_state_up:
        served = []
    backends = {listener.id: backend(alive, listener) for listener in served}
    count = sum(len(found.servers) for found in backends.values() if found)
    most = limit.capacity(limits, count, len(served))
    return Config(
        load_balancer=alive.load_balancer,
        user=haproxy_user,
        maxconn=limit.global_limit(served, most),
        frontends=tuple(
            Frontend(
                listener=listener,
                mode=MODES[listener.protocol],
                maxconn=limit.listener_limit(listener, most),
                binds=tuple((address, listener.protocol_port) for address in addresses(alive.load_balancer)),
                backend=backends[listener.id],
            )
            for listener in served
        ),
    )


def addresses(top: LoadBalancer) -> Iterator[str]:
    if top.vip_address:
        yield top.vip_address


def backend(graph: Graph, listener: Listener) -> Backend | None:
    pool = next((pool for pool in graph.pools if pool.id == listener.default_pool_id), None)
    if pool is None:
        return None
    name = f"{pool.id}:{listener.id}"
    watch = (m for m in graph.health_monitors if m.pool_id == pool.id and m.admin_state_up and m.type in MONITORS)
    monitor = next(watch, None)
    members = sorted(members_of(graph, pool), key=lambda member: member.server_id)
    return Backend(
        name=name,
        pool=pool,
        listener=listener,
        mode=MODES[listener.protocol],
        monitor=monitor,
        servers=tuple(servers.server(name, pool, member, monitor) for member in members),
    )


TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("octavia.render"),
    undefined=jinja2.StrictUndefined,
    autoescape=False,  # noqa: S701  every value passes `safe`, which refuses what is not quoted for HAProxy
    finalize=safe,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
TEMPLATES.filters |= {
    "codes": lambda text: "".join(text.split()),
    "endpoint": lambda bind: servers.endpoint(*bind),
    "line": servers.line,
    "ms": servers.milliseconds,
    "literal": literal,
    "quoted": quoted,
    "sample": sample,
    "version": str,
}


def text(of: Config) -> str:
    """haproxy.cfg."""
    return TEMPLATES.get_template("haproxy.cfg.j2").render(config=of)


def reload_key(of: Config, config_text: str) -> str:
    """A digest of all that HAProxy learns by a reload.

    That is everything but the servers; but how often they are checked is in it, since a change of that would mean
    to replace each server at runtime, and to wait until it has no connection.
    """
    fixed = [line for line in config_text.splitlines() if not line.startswith("    server ")]
    checks = [(backend.name, *servers.rhythm(backend.monitor)) for backend in of.backends if backend.monitor]
    return hashlib.sha256(repr((fixed, checks, of.binds)).encode()).hexdigest()
