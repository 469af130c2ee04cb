"""The whole document for an agent."""

from octavia.domain.document import Document, Fence, Interface, Limits
from octavia.domain.graph import Graph
from octavia.render import haproxy


def document(
    graph: Graph,
    *,
    fence: Fence,
    limits: Limits,
    haproxy_user: str | None = None,
    interfaces: tuple[Interface, ...] = (),
) -> Document:
    """The desired state of the load balancer in one amphora, without what is being deleted."""
    config = haproxy.config(graph, limits=limits, haproxy_user=haproxy_user)
    text = haproxy.text(config)
    return Document(
        load_balancer_id=graph.load_balancer.id,
        generation=graph.load_balancer.generation,
        fence=fence,
        config=text,
        reload_key=haproxy.reload_key(config, text),
        servers=config.servers,
        dynamic_cookies=tuple(b.name for b in config.backends if b.persistence == "HTTP_COOKIE"),
        binds=config.binds,
        interfaces=interfaces,
    )
