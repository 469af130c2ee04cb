"""What an agent is told, and what it answers. Bump PROTOCOL when an older agent could not obey."""

import hashlib
from typing import Final

import msgspec
from msgspec import Struct

PROTOCOL: Final = 1
AGENT_PORT: Final = 9443


class Fence(Struct, frozen=True, order=True):
    """Who may speak: the database's epoch, then the lease's token. An agent refuses one lower than it has seen."""

    epoch: int
    token: int


class Server(Struct, frozen=True):
    """A member as HAProxy takes it at runtime (management guide 9.3, `add server`)."""

    backend: str
    name: str
    id: int
    address: str
    port: int
    weight: int
    disabled: bool = False
    options: tuple[str, ...] = ()
    """Further keywords of the server line, such as check, inter and 5000ms. A change of these replaces the server."""


class Interface(Struct, frozen=True):
    """A link of the amphora to a tenant's network, found by its MAC address, and the addresses it must carry."""

    mac: str
    addresses: tuple[str, ...]
    """Address with prefix length, such as 192.0.2.5/24; the VIPs are among them."""
    gateways: tuple[str, ...] = ()
    """Default gateways, at most one per IP version over all interfaces."""
    mtu: int = 1500


class Document(Struct, frozen=True, kw_only=True):
    """The desired state of one load balancer in one amphora."""

    protocol: int = PROTOCOL
    load_balancer_id: str
    generation: int
    fence: Fence
    config: str
    """The whole haproxy.cfg, servers included. Paths in it are relative to the load balancer's folder."""
    reload_key: str
    """Differs where HAProxy must reload; while it is the same, `servers` alone tell what to change at runtime."""
    servers: tuple[Server, ...] = ()
    dynamic_cookies: tuple[str, ...] = ()
    """Backends whose servers get their cookies at runtime (`enable dynamic-cookie backend`)."""
    binds: tuple[tuple[str, int], ...] = ()
    """Addresses and ports that the configuration binds: tried before a reload."""
    interfaces: tuple[Interface, ...] = ()


class Applied(Struct, frozen=True, kw_only=True):
    """What an agent says of one load balancer: the last document that is in force."""

    generation: int
    digest: str
    fence: Fence
    fault: str | None = None
    """Why a newer document could not be put in force; None when the last one was."""
    haproxy_running: bool = True


class Limits(Struct, frozen=True, kw_only=True):
    """What an amphora can hold."""

    nofile: int
    """Hard limit of file descriptors of HAProxy."""


class AgentState(Struct, frozen=True, kw_only=True):
    """The answer of GET /v1/state, and of every PUT and DELETE of a load balancer."""

    protocol: int
    amphora_id: str
    boot_id: str
    haproxy_version: str
    limits: Limits
    certificate_request: str
    """PEM. The key never leaves the amphora."""
    certificate_proof: str
    """Hex HMAC-SHA256 of the request under the one-time boot secret."""
    load_balancers: dict[str, Applied]


class Seed(Struct, frozen=True, kw_only=True):
    """What compute hands to an agent at boot, as the file seed.json (0600) in the amphora's folder."""

    amphora_id: str
    boot_secret: str
    certificate_authority: str
    """PEM of the CA that signs controllers and agents."""
    listen: tuple[str, int]
    """Address and port on the management link."""
    receivers: tuple[tuple[str, int], ...]
    """Where heartbeats go, all of them each time."""
    heartbeat_key: str
    """Hex key of this amphora's heartbeats."""
    heartbeat_interval: float = 1.0
    haproxy_user: str | None = None
    """Whom HAProxy becomes after binding; None where that cannot be done (without privileges)."""
    haproxy_command: str = "haproxy"
    shared_host: bool = False
    """True where the amphora has no network namespace of its own (compute `process`): it leaves interfaces alone."""


def digest(document: Document) -> str:
    """What the document wishes, whoever sent it and when: equal digests need no push for content."""
    content = msgspec.structs.replace(document, generation=0, fence=Fence(0, 0))
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()
