"""Amphorae, for operators; and failover, which is the end of some."""

from typing import Any

import msgspec

from octavia.api import lists
from octavia.api.arguments import none_but
from octavia.api.call import Call
from octavia.api.things import paged, written
from octavia.domain.amphora import Amphora
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.refusal import Conflict, Missing, not_found
from octavia.store.query import Found

Answer = dict[str, Any]
PARENTS = {"loadbalancer_id": "load_balancer_id", "project_id": "project_id"}


def index(call: Call) -> Answer:
    asked = lists.query(Amphora, PARENTS, call)
    call.permit("amphora:get_all", None)
    with call.services.store.ask() as reader:
        rows = reader.page(Amphora, asked, lists.fields(Amphora, call))
    return paged(Amphora, call, asked, rows)


def found(call: Call, action: str, keys: frozenset[str] | None = None) -> Found:
    with call.services.store.ask() as reader:
        row = reader.one(Amphora, {"id": call.ids["id"]}, keys)
    if row is None:
        raise not_found(Amphora.title, call.ids["id"])
    call.permit(f"amphora:{action}", None)
    return row


def show(call: Call) -> Answer:
    row = found(call, "get_one", lists.fields(Amphora, call))
    return {Amphora.singular: written(row)}


def stats(call: Call) -> Answer:
    none_but(call.arguments)
    found(call, "get_stats")
    with call.services.store.ask() as reader:
        counted = reader.amphora_statistics(call.ids["id"])
    if not counted:
        raise Missing(f"Amphora {call.ids['id']} has no statistics: it has served no listener yet.")
    return {"amphora_stats": counted}


def fail_over(call: Call) -> None:
    """Another amphora will take its place."""
    row = found(call, "put_failover", frozenset({"loadbalancer_id"}))
    home = msgspec.json.decode(row.document)["loadbalancer_id"]
    if home is None:
        raise Conflict(f"Amphora {call.ids['id']} serves no load balancer.")
    call.services.store.fail_over(home, call.caller.who, call.ids["id"])


def configure(call: Call) -> None:
    """Its agent will start anew with the present configuration, while HAProxy goes on serving."""
    found(call, "put_config")
    call.services.store.configure(call.ids["id"])


def remove(call: Call) -> None:
    """Only an amphora in ERROR can be deleted by hand."""
    none_but(call.arguments)
    row = found(call, "delete", frozenset({"status"}))
    status = msgspec.json.decode(row.document)["status"]
    raise Conflict(
        f"Amphora {call.ids['id']} is {status} and cannot be deleted: only one in ERROR can. "
        "To replace it, fail it over."
    )


def fail_over_load_balancer(call: Call) -> None:
    """Other amphorae will take the place of all that serve it."""
    with call.services.store.ask() as reader:
        home = reader.home(LoadBalancer, call.ids["id"])
    call.permit("loadbalancer:put_failover", home.project_id)
    call.services.store.fail_over(home.load_balancer_id, call.caller.who)
