"""Members as HAProxy's servers (configuration manual 2.6, section 5.2)."""

from collections.abc import Iterator

from octavia.domain.document import Server
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.member import Member
from octavia.domain.pool import Pool
from octavia.render.quoting import Quoted, safe

LONGEST = 24 * 24 * 3600 * 1000
"""The longest time that HAProxy's timers and the API share, in milliseconds."""
SHORTEST_INTERVAL = 100
"""What a monitor with a delay of 0 comes to, in milliseconds: HAProxy refuses 0."""
PROXY_PROTOCOL = {"PROXY": ("send-proxy",), "PROXYV2": ("send-proxy-v2",)}


def milliseconds(value: int) -> int:
    """A timeout for HAProxy, to which 0 would be a forgotten one: 0 means never, which is 24 days here."""
    return min(value, LONGEST) or LONGEST


def server(backend: str, pool: Pool, member: Member, monitor: HealthMonitor | None) -> Server:
    return Server(
        backend=backend,
        name=member.id,
        id=member.server_id,
        address=member.address,
        port=member.protocol_port,
        weight=member.weight,
        disabled=not (pool.admin_state_up and member.admin_state_up),
        options=(
            *(("backup",) if member.backup else ()),
            *PROXY_PROTOCOL.get(pool.protocol, ()),
            *(check(monitor, member) if monitor else ()),
        ),
    )


def check(monitor: HealthMonitor, member: Member) -> Iterator[str]:
    """Without an address or port of its own the check goes where the traffic goes, PROXY header included."""
    yield "check"
    yield from rhythm(monitor)
    if member.monitor_address:
        yield from ("addr", host(member.monitor_address))
    if member.monitor_port:
        yield from ("port", str(member.monitor_port))


def rhythm(monitor: HealthMonitor) -> tuple[str, ...]:
    """How often a server is checked, and how many results change its state."""
    return (
        *("inter", f"{interval(monitor)}ms"),
        *("fall", str(monitor.max_retries_down)),
        *("rise", str(monitor.max_retries)),
    )


def interval(monitor: HealthMonitor) -> int:
    return min(max(monitor.delay * 1000, SHORTEST_INTERVAL), LONGEST)


def line(of: Server) -> Quoted:
    """What follows `server` in a backend."""
    words = (
        of.name,
        endpoint(of.address, of.port),
        *("id", str(of.id), "weight", str(of.weight)),
        *(("disabled",) if of.disabled else ()),
        *of.options,
    )
    return Quoted(" ".join(safe(word) for word in words))


def endpoint(address: str, port: int) -> str:
    return f"{host(address)}:{port}"


def host(address: str) -> str:
    """In brackets if it is IPv6: HAProxy takes what follows the last colon for a port (section 11.1)."""
    return f"[{address}]" if ":" in address else address
