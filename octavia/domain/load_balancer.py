"""The load balancer: one or more virtual addresses (VIPs) and everything served there."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from octavia.domain.declare import CREATE_ONLY, HIDDEN, SYSTEM, Address, Identifier, Noun, Reference, Text


class AdditionalVip(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A further address of the same load balancer, in the same network."""

    subnet_id: Identifier
    ip_address: Address | None = None
    port_id: Identifier | None = None


class LoadBalancer(Noun, frozen=True, kw_only=True):
    singular: ClassVar[str] = "loadbalancer"
    plural: ClassVar[str] = "loadbalancers"
    title: ClassVar[str] = "Load Balancer"

    description: Annotated[Text, Meta(description="For people.")] = ""
    vip_address: Annotated[Address | None, CREATE_ONLY, Meta(description="The address that clients connect to.")] = None
    vip_port_id: Annotated[
        Identifier | None,
        CREATE_ONLY,
        Meta(description="The network port that carries the VIP; goes before network and subnet."),
    ] = None
    vip_subnet_id: Annotated[Identifier | None, CREATE_ONLY, Meta(description="The subnet to take the VIP from.")] = (
        None
    )
    vip_network_id: Annotated[Identifier | None, CREATE_ONLY, Meta(description="The network to take the VIP from.")] = (
        None
    )
    vip_qos_policy_id: Annotated[Reference | None, Meta(description="The QoS policy of the VIP port.")] = None
    vip_sg_ids: Annotated[tuple[Reference, ...], Meta(description="Security groups of the VIP port.")] = ()
    vip_vnic_type: Annotated[Literal["normal", "direct"], SYSTEM] = "normal"
    additional_vips: Annotated[
        tuple[AdditionalVip, ...], CREATE_ONLY, Meta(description="Further addresses in the same network.")
    ] = ()
    provider: Annotated[Annotated[str, Meta(max_length=64)], CREATE_ONLY, Meta(description="The provider driver.")] = (
        "amphora"
    )
    flavor_id: Annotated[Identifier | None, CREATE_ONLY, Meta(description="The flavor.")] = None
    availability_zone: Annotated[Text | None, CREATE_ONLY, Meta(description="The availability zone, by name.")] = None
    member_sriov: Annotated[bool, SYSTEM, HIDDEN] = False
    """Whether the flavor allows members to ask for SR-IOV ports."""
    cluster_id: Annotated[Identifier, SYSTEM, HIDDEN]
    generation: Annotated[int, SYSTEM, HIDDEN] = 1
    observed: Annotated[int, SYSTEM, HIDDEN] = 0
