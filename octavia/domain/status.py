"""Provisioning status: computed from generations, never stored, so that nothing can be stuck in it."""

from typing import Final

from octavia.domain.declare import Noun
from octavia.domain.load_balancer import LoadBalancer

ACTIVE: Final = "ACTIVE"
ERROR: Final = "ERROR"
PENDING_CREATE: Final = "PENDING_CREATE"
PENDING_UPDATE: Final = "PENDING_UPDATE"
PENDING_DELETE: Final = "PENDING_DELETE"


def provisioning_status(row: Noun, load_balancer: LoadBalancer) -> str:
    """The status of a load balancer (then both are the same) or of one of its children.

    A fault shows until a newer edit, or success, takes its place.
    """
    if has_fault(row) or (row.touched > load_balancer.observed and has_fault(load_balancer)):
        return ERROR
    if row.deleted is not None:
        return PENDING_DELETE
    if row.created > load_balancer.observed:
        return PENDING_CREATE
    return PENDING_UPDATE if row.touched > load_balancer.observed else ACTIVE


def has_fault(row: Noun) -> bool:
    return row.fault is not None and (row.fault_generation or 0) >= row.touched
