"""The amphora: one HAProxy host that serves a cluster."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from octavia.domain.declare import Identifier


class Amphora(Struct, frozen=True, kw_only=True):
    """The row of an amphora: written before anything is booted, removed after nothing of it is left."""

    id: Identifier
    cluster_id: Identifier
    load_balancer_id: Identifier | None = None
    role: Literal["STANDALONE", "MASTER", "BACKUP"] = "STANDALONE"
    condemned: Annotated[str, Meta(max_length=1024)] | None = None
    """Why it must go; None while it may stay."""
    boot_secret: Annotated[str, Meta(max_length=64)] | None = None
    """What the agent proves its first certificate request with; None once a certificate was signed on it."""
    lb_network_ip: Annotated[str, Meta(max_length=64)] | None = None
    vrrp_ip: Annotated[str, Meta(max_length=64)] | None = None
    vrrp_port_id: Identifier | None = None
    compute_id: Annotated[str, Meta(max_length=64)] | None = None
    cert_expiration: datetime | None = None
    created_at: datetime
    updated_at: datetime | None = None
