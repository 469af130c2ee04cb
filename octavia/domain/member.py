"""The member: one server of a pool."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from octavia.domain.declare import CREATE_ONLY, HIDDEN, SYSTEM, Address, Identifier, Noun, Port


class Member(Noun, frozen=True, kw_only=True):
    singular: ClassVar[str] = "member"
    plural: ClassVar[str] = "members"
    title: ClassVar[str] = "Member"

    pool_id: Annotated[Identifier, SYSTEM, HIDDEN]
    address: Annotated[Address, CREATE_ONLY, Meta(description="The server's IP address.")]
    protocol_port: Annotated[Port, CREATE_ONLY, Meta(description="The server's port.")]
    weight: Annotated[int, Meta(ge=0, le=256, description="Its share of new connections; 0 drains it.")] = 1
    backup: Annotated[bool, Meta(description="Used only when all others are down.")] = False
    subnet_id: Annotated[Identifier | None, CREATE_ONLY, Meta(description="The subnet it is reached through.")] = None
    monitor_address: Annotated[Address | None, Meta(description="Where health is asked instead.")] = None
    monitor_port: Annotated[Port | None, Meta(description="The port where health is asked instead.")] = None
    request_sriov: Annotated[bool, CREATE_ONLY, HIDDEN, Meta(description="Reach it through an SR-IOV port.")] = False
    vnic_type: Annotated[Literal["normal", "direct"], SYSTEM] = "normal"
    server_id: Annotated[int, SYSTEM, HIDDEN] = 1
    """HAProxy's numeric id of the server: stored, so that a member added at runtime and one read from a file agree."""
