"""The amphora: one HAProxy host that serves a cluster."""

from datetime import datetime
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from octavia.domain.declare import HIDDEN, SYSTEM, Declared, Identifier

BOOTING: Final = "BOOTING"
ALLOCATED: Final = "ALLOCATED"
PENDING_DELETE: Final = "PENDING_DELETE"


class Amphora(Declared, frozen=True, kw_only=True):
    """The row of an amphora: written before anything is booted, removed after nothing of it is left."""

    singular: ClassVar[str] = "amphora"
    plural: ClassVar[str] = "amphorae"
    title: ClassVar[str] = "Amphora"

    id: Identifier
    cluster_id: Annotated[Identifier, HIDDEN]
    load_balancer_id: Annotated[Identifier | None, HIDDEN] = None
    role: Literal["STANDALONE", "MASTER", "BACKUP"] = "STANDALONE"
    condemned: Annotated[Annotated[str, Meta(max_length=1024)] | None, HIDDEN] = None
    """Why it must go; None while it may stay."""
    boot_secret: Annotated[Annotated[str, Meta(max_length=64)] | None, HIDDEN] = None
    """What the agent proves its first certificate request with; None once a certificate was signed on it."""
    allocated: Annotated[bool, HIDDEN, SYSTEM] = False
    """Whether it has served what was wished, once."""
    configure: Annotated[bool, HIDDEN, SYSTEM] = False
    """Whether its agent is to start anew, with the present configuration."""
    lb_network_ip: Annotated[str, Meta(max_length=64)] | None = None
    vrrp_ip: Annotated[str, Meta(max_length=64)] | None = None
    vrrp_port_id: Identifier | None = None
    ha_ip: Annotated[str, Meta(max_length=64)] | None = None
    ha_port_id: Identifier | None = None
    compute_id: Annotated[str, Meta(max_length=64)] | None = None
    cert_expiration: datetime | None = None
    created_at: datetime
    updated_at: datetime | None = None


def status(row: Amphora) -> str:
    if row.condemned is not None:
        return PENDING_DELETE
    return ALLOCATED if row.allocated else BOOTING
