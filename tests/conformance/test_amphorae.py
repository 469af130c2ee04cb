"""The operators' part: amphorae, and failover."""

from tests.conformance.bench import Bench
from tests.conformance.language import (
    ABSENT,
    SETTLED,
    WHOLE,
    Ask,
    Fact,
    Row,
    Settle,
    Table,
    delete,
    keys,
    named,
    new,
    show,
)
from tests.conformance.nouns import GONE, LBAAS, OCTAVIA
from tests.conformance.suite import check, each

OWN = "loadbalancer_id={loadbalancer}"
READY: list[Ask | Settle] = [show("loadbalancer"), SETTLED, Ask("GET", f"{OCTAVIA}/amphorae", query=OWN, remember="it")]
AMPHORA = f"{OCTAVIA}/amphorae/{{it}}"
FAILOVER = Ask("PUT", f"{LBAAS}/loadbalancers/{{loadbalancer}}/failover")


def amphorae(query: str = OWN) -> Ask:
    return Ask("GET", f"{OCTAVIA}/amphorae", query=query)


def one(what: str) -> Fact:
    return Fact(what, lambda rows: len(rows) == 1)


NONE = Fact("none", lambda rows: rows == [])
PENDING = {"provisioning_status": "PENDING_UPDATE"}
ACTIVE = {"provisioning_status": "ACTIVE"}

READING = [
    Row("a load balancer has one", amphorae(), 200, one("one amphora"), READY),
    Row("the root keys of the list", amphorae(), 200, {WHOLE: keys("amphorae amphorae_links")}, READY),
    Row("it serves", amphorae(), 200,
        [{"status": "ALLOCATED", "role": "STANDALONE", "loadbalancer_id": "{loadbalancer}"}], READY),
    Row("it has no project", amphorae(), 200, [{"project_id": ABSENT}], READY),
    Row("its HA address is the VIP", amphorae(), 200, [{"ha_ip": "10.98.0.1"}],
        [named("loadbalancer", "loadbalancer", vip_address="10.98.0.1"), SETTLED]),
    Row("show", Ask("GET", AMPHORA), 200, {"id": "{it}", "loadbalancer_id": "{loadbalancer}"}, READY),
    Row("show: fields", Ask("GET", AMPHORA, query="fields=id"), 200, Fact("id", lambda row: set(row) == {"id"}), READY),
    Row("show: the root key", Ask("GET", AMPHORA), 200, {WHOLE: keys("amphora")}, READY),
    Row("show of what is not there", Ask("GET", f"{OCTAVIA}/amphorae/{GONE}"), 404, f"{GONE} not found"),
    Row("by load balancer", amphorae(f"loadbalancer_id={GONE}"), 200, NONE, READY),
    *(Row(f"by {query}", amphorae(f"{OWN}&{query}"), 200, one("one"), READY)
      for query in ("status=ALLOCATED", "role=STANDALONE", "id={it}")),
    *(Row(f"by {query}: none", amphorae(f"{OWN}&{query}"), 200, NONE, READY)
      for query in ("status=ERROR", "role=MASTER", f"id={GONE}")),
    Row("by the project of its load balancer", amphorae("project_id={project}"), 200, one("one"), READY),
    Row("by another project", amphorae(f"{OWN}&project_id=nobody"), 200, NONE, READY),
    Row("an unknown filter", amphorae("colour=red"), 400, "One or more arguments", READY),
    Row("fields of a list", amphorae(f"{OWN}&fields=id"), 200, [Fact("id", lambda row: set(row) == {"id"})], READY),
    Row("a page", amphorae("limit=1"), 200, one("one"), READY),
    Row("sorted", amphorae("sort=created_at:desc&limit=2"), 200, Fact("a list", lambda rows: len(rows) > 0), READY),
    Row("a bad sort key", amphorae("sort=colour"), 400, None, READY),
    Row("amphorae are not under lbaas", Ask("GET", "/v2/lbaas/octavia/amphorae"), 404, {"code": 404}),
    Row("stats of none", Ask("GET", f"{AMPHORA}/stats"), 404, None, READY),
    Row("stats of what is not there", Ask("GET", f"{OCTAVIA}/amphorae/{GONE}/stats"), 404, None),
    Row("no amphora before the controller has worked", amphorae(), 200, NONE, [show("loadbalancer")]),
    Row("no amphora after the load balancer has gone", amphorae(), 200, NONE,
        [*READY, delete("loadbalancer"), SETTLED]),
]  # fmt: skip
OTHER = Fact("one", lambda rows: len(rows) == 1)
CHANGING = [
    Row("failover of a load balancer is 202", FAILOVER, 202, Fact("empty", lambda text: text == ""), READY),
    Row("failover: PENDING_UPDATE", FAILOVER, 202, None, READY, [(show("loadbalancer"), PENDING)]),
    Row("failover: ACTIVE afterwards", FAILOVER, 202, None, READY, [(SETTLED, None), (show("loadbalancer"), ACTIVE)]),
    Row("failover: one amphora afterwards", FAILOVER, 202, None, READY, [(SETTLED, None), (amphorae(), OTHER)]),
    Row("failover: the old one is gone", Ask("GET", AMPHORA), 404, None, [*READY, FAILOVER, SETTLED]),
    Row("failover of a busy one", FAILOVER, 202, None, [*READY, FAILOVER]),
    Row("failover: children are ACTIVE afterwards", FAILOVER, 202, None, [show("listener"), SETTLED],
        [(SETTLED, None), (show("listener"), ACTIVE)]),
    Row("failover before there is an amphora", FAILOVER, 202, None, [show("loadbalancer")],
        [(SETTLED, None), (show("loadbalancer"), ACTIVE)]),
    Row("failover of an amphora is 202", Ask("PUT", f"{AMPHORA}/failover"), 202, None, READY),
    Row("failover of an amphora: PENDING_UPDATE", Ask("PUT", f"{AMPHORA}/failover"), 202, None, READY,
        [(show("loadbalancer"), PENDING)]),
    Row("failover of an amphora: ACTIVE afterwards", Ask("PUT", f"{AMPHORA}/failover"), 202, None, READY,
        [(SETTLED, None), (show("loadbalancer"), ACTIVE)]),
    Row("failover of an amphora: it is gone", Ask("GET", AMPHORA), 404, None,
        [*READY, Ask("PUT", f"{AMPHORA}/failover"), SETTLED]),
    Row("a condemned amphora shows PENDING_DELETE", Ask("PUT", f"{AMPHORA}/failover"), 202, None, READY,
        [(Ask("GET", AMPHORA), {"status": "PENDING_DELETE"})]),
    Row("failover of an amphora that is not there", Ask("PUT", f"{OCTAVIA}/amphorae/{GONE}/failover"), 404, None),
    Row("failover of an amphora of what is being deleted", Ask("PUT", f"{AMPHORA}/failover"), 409, None,
        [*READY, delete("loadbalancer")]),
    Row("configuration of an amphora is 202", Ask("PUT", f"{AMPHORA}/config"), 202, None, READY),
    Row("configuration of one that is not there", Ask("PUT", f"{OCTAVIA}/amphorae/{GONE}/config"), 404, None),
    Row("an amphora that serves cannot be deleted", Ask("DELETE", AMPHORA), 409, None, READY),
    Row("delete of one that is not there", Ask("DELETE", f"{OCTAVIA}/amphorae/{GONE}"), 404, None),
    *(Row(f"an amphora has no {method}", Ask(method, AMPHORA, {"amphora": {}}), 405, {"code": 405}, READY)
      for method in ("PUT", "POST")),
    Row("amphorae are not made", Ask("POST", f"{OCTAVIA}/amphorae", {"amphora": {}}), 405, {"code": 405}),
    Row("nothing but the load balancer is asked for", new("listener"), 201, None, [*READY, FAILOVER],
        [(SETTLED, None), (show("loadbalancer"), ACTIVE)]),
]  # fmt: skip

TABLES = [
    Table("11", "Looking at amphorae", READING),
    Table("11", "Failover, configuration and deletion", CHANGING),
]


@each(TABLES)
def test_amphora(bench: Bench, row: Row) -> None:
    check(bench, row)
