"""A status is computed from generations and faults."""

import pytest
from msgspec.structs import replace

from octavia.domain.status import provisioning_status
from tests import builders

TOP = builders.load_balancer(generation=5, observed=4, touched=4)
ROW = builders.listener(TOP)


@pytest.mark.parametrize(
    ("created", "touched", "deleted", "status"),
    [
        (1, 1, None, "ACTIVE"),
        (1, 4, None, "ACTIVE"),
        (1, 5, None, "PENDING_UPDATE"),
        (5, 5, None, "PENDING_CREATE"),
        (1, 5, 5, "PENDING_DELETE"),
        (5, 5, 5, "PENDING_DELETE"),
        (1, 3, 3, "PENDING_DELETE"),
    ],
)
def test_generations(created: int, touched: int, deleted: int | None, status: str) -> None:
    assert provisioning_status(replace(ROW, created=created, touched=touched, deleted=deleted), TOP) == status


@pytest.mark.parametrize(
    ("touched", "at", "status"),
    [(4, 4, "ERROR"), (4, 5, "ERROR"), (5, 4, "PENDING_UPDATE"), (5, 5, "ERROR"), (4, None, "ACTIVE")],
)
def test_a_fault_shows_until_a_newer_edit(touched: int, at: int | None, status: str) -> None:
    broken = replace(ROW, touched=touched, fault="why", fault_generation=at)
    assert provisioning_status(broken, TOP) == status


def test_the_fault_of_a_child_leaves_its_siblings_and_parents_alone() -> None:
    assert provisioning_status(TOP, TOP) == "ACTIVE"
    assert provisioning_status(replace(ROW, fault="why", fault_generation=5), TOP) == "ERROR"
    assert provisioning_status(ROW, TOP) == "ACTIVE"


def test_what_waits_below_a_broken_load_balancer_is_in_error_too() -> None:
    broken = replace(TOP, touched=5, fault="why", fault_generation=5)
    assert provisioning_status(broken, broken) == "ERROR"
    assert provisioning_status(replace(ROW, touched=5), broken) == "ERROR"
    assert provisioning_status(ROW, broken) == "ACTIVE"
    newer = replace(broken, generation=6, touched=6)
    assert provisioning_status(newer, newer) == "PENDING_UPDATE"
    assert provisioning_status(replace(ROW, touched=6), newer) == "PENDING_UPDATE"
