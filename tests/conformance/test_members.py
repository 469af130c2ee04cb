"""Members: uniqueness, versions, reserved addresses, and all of a pool in one request."""

from typing import Any

from tests.conformance.bench import Bench
from tests.conformance.language import (
    SETTLED,
    Ask,
    Fact,
    Row,
    Table,
    asking,
    batch,
    change,
    delete,
    get,
    listed,
    named,
    new,
    put,
    show,
)
from tests.conformance.nouns import GONE
from tests.conformance.suite import check, each

A = {"address": "192.0.2.10", "protocol_port": 80}
B = {"address": "192.0.2.11", "protocol_port": 80}
OTHER_PORT = {"address": "192.0.2.10", "protocol_port": 81}

SINGLE = [
    Row("the same address and port twice", new("member"), 409, "192.0.2.10", [show("member")]),
    Row("the same address written otherwise", new("member", address="2001:db8:0:0::1"), 409, None,
        [new("member", address="2001:db8::1")]),
    Row("the same address, another port", new("member", protocol_port=81), 201, OTHER_PORT, [show("member")]),
    Row("the same member in another pool", Ask("POST", "/v2/lbaas/pools/{other pool}/members", {"member": A}), 201, A,
        [show("member")]),
    Row("one that is being deleted does not count", new("member"), 201, A, [delete("member")]),
    Row("the metadata service is no member", new("member", address="169.254.169.254"), 400, "reserved"),
    Row("the operator reserves addresses", asking("reserved", new("member")), 400, "192.0.2.10"),
    Row("a reserved address is no monitor address", new("member", monitor_address="169.254.169.254"), 400, "reserved"),
    Row("no description", new("member", description="x"), 400, "Unknown attribute for argument member: description"),
    Row("no description on PUT", change("member", description="x"), 400, "Unknown attribute"),
    Row("SR-IOV needs a flavor that allows it", new("member", request_sriov=True), 400, "request_sriov"),
    Row("a plain member's vnic_type is normal", new("member"), 201, {"vnic_type": "normal"}),
    Row("PUT cannot move an address", change("member", address="192.0.2.77"), 400,
        "Unknown attribute for argument member: address"),
    Row("a pool that is not there", Ask("POST", f"/v2/lbaas/pools/{GONE}/members", {"member": A}), 404),
    Row("a member of another pool: GET", get("pools/{other pool}/members/{member}"), 404, "Member {member} not found"),
    Row("a member of another pool: PUT", put("pools/{other pool}/members/{member}", {"member": {"weight": 2}}), 404,
        "not found"),
    Row("a member of another pool: DELETE", Ask("DELETE", "/v2/lbaas/pools/{other pool}/members/{member}"), 404,
        "not found"),
    *(Row(f"{protocol}: a member of another IP version than the VIP",
          Ask("POST", f"/v2/lbaas/pools/{{{protocol} pool}}/members", {"member": {**A, "address": "2001:db8::9"}}), 501,
          "version") for protocol in ("UDP", "SCTP")),
    Row("UDP: a member of the VIP's version", Ask("POST", "/v2/lbaas/pools/{UDP pool}/members", {"member": A}), 201, A),
    Row("TCP: any version will do",
        Ask("POST", "/v2/lbaas/pools/{TCP pool}/members", {"member": {**A, "address": "2001:db8::9"}}), 201,
        {"address": "2001:db8::9"}),
    Row("weight 0 drains", change("member", weight=0), 200, {"weight": 0}),
]  # fmt: skip

NO_PORTS = Fact("no members", lambda rows: rows == [])


def after(*members: dict[str, Any]) -> list[tuple[Any, Any]]:
    """The pool has these members then, in the order of their addresses and ports."""
    return [(listed("member", "sort=address,protocol_port"), list(members))]


KNOWN = [named("member", "member", **A)]
BATCH = [
    Row("new members are created", batch(A, B), 202, "", (), after(A, B)),
    Row("the answer is empty", batch(A), 202, Fact("empty", lambda text: text == "")),
    Row("absent ones are deleted", batch(B), 202, None, [*KNOWN, SETTLED], [(SETTLED, None), *after(B)]),
    Row("absent ones stay with additive_only", batch(B, query="additive_only=true"), 202, None, KNOWN, after(A, B)),
    *(Row(f"additive_only={text} is {meaning}", batch(B, query=f"additive_only={text}"), 202, None, [*KNOWN, SETTLED],
          [(SETTLED, None), *after(*([A, B] if meaning else [B]))])
      for text, meaning in (("True", True), ("yes", True), ("1", True), ("false", False), ("0", False))),
    Row("additive_only is true or false", batch(B, query="additive_only=perhaps"), 400, "additive_only"),
    Row("a known one keeps its id", batch({**A, "weight": 7}), 202, None, KNOWN,
        after({**A, "id": "{member}", "weight": 7})),
    *(Row(f"what is not given of {name} goes back to its default", batch(A), 202, None,
          [named("member", "member", **A, **{name: value})], after({"id": "{member}", name: default}))
      for name, value, default in (("weight", 9, 1), ("backup", True, False), ("admin_state_up", False, True),
                                   ("monitor_port", 8080, None), ("monitor_address", "192.0.2.50", None))),
    *(Row(f"what is not given of {name} stays", batch(A), 202, None, [named("member", "member", **A, **{name: value})],
          after({"id": "{member}", name: value}))
      for name, value in (("name", "web"), ("tags", ["a"]), ("subnet_id", "{subnet}"))),
    Row("a known one gets a new name", batch({**A, "name": "new"}), 202, None, KNOWN,
        after({"id": "{member}", "name": "new"})),
    Row("a known one gets new tags", batch({**A, "tags": ["b", "a"]}), 202, None, KNOWN,
        after({"id": "{member}", "tags": ["a", "b"]})),
    Row("a new one twice", batch(A, A), 409, "192.0.2.10"),
    Row("a known one twice", batch(A, A), 400, "192.0.2.10", KNOWN),
    Row("an empty list deletes all", batch(), 202, None, [*KNOWN, SETTLED], [(SETTLED, None), *after()]),
    Row("an empty list with additive_only changes nothing", batch(query="additive_only=true"), 202, None,
        [*KNOWN, SETTLED], [(show("loadbalancer"), {"provisioning_status": "ACTIVE"})]),
    Row("an empty list for an empty pool changes nothing", batch(), 202, None, [show("pool"), SETTLED],
        [(show("loadbalancer"), {"provisioning_status": "ACTIVE"})]),
    Row("members: null", put("pools/{pool}/members", {"members": None}), 400, "members"),
    Row("members that are no list", put("pools/{pool}/members", {"members": {}}), 400, "members"),
    Row("members that are no objects", put("pools/{pool}/members", {"members": ["x"]}), 400, "members"),
    Row("another root key", put("pools/{pool}/members", {"member": []}), 400, "members"),
    Row("an empty body", put("pools/{pool}/members", {}), 400, "members"),
    Row("an unknown attribute", batch({**A, "colour": "red"}), 400, "colour"),
    Row("a value out of bounds", batch({**A, "weight": 257}), 400, "weight"),
    Row("an address is needed", batch({"protocol_port": 80}), 400, "address"),
    Row("a port is needed", batch({"address": "192.0.2.10"}), 400, "protocol_port"),
    Row("a subnet must be there", batch({**A, "subnet_id": GONE}), 400, f"Subnet {GONE} not found"),
    Row("a reserved address", batch({**A, "address": "169.254.169.254"}), 400, "reserved"),
    Row("one bad member spoils all", batch(A, {**B, "weight": -1}), 400, "weight", [show("pool")], after()),
    Row("a pool that is not there", batch(A, pool=GONE), 404),
    Row("UDP: another IP version", batch({**A, "address": "2001:db8::9"}, pool="{UDP pool}"), 501, "version"),
    Row("one may go as another comes to the same load balancer", batch(OTHER_PORT), 202, None, [*KNOWN, SETTLED],
        [(SETTLED, None), *after(OTHER_PORT)]),
    Row("after the last member with a subnet has gone nothing is in ERROR", batch(), 202, None,
        [new("member", subnet_id="{subnet}"), SETTLED],
        [(SETTLED, None), (show("loadbalancer"), {"provisioning_status": "ACTIVE"}), *after()]),
]  # fmt: skip

TABLES = [Table("8", "Members one by one", SINGLE), Table("8", "All members of a pool in one request", BATCH)]


@each(TABLES)
def test_member(bench: Bench, row: Row) -> None:
    check(bench, row)
