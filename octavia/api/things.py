"""The generic handlers: list, show, create, change and delete any noun."""

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec.structs import replace

from octavia.api import answers, body, lists
from octavia.api.arguments import flag, none_but
from octavia.api.call import Call, Handler
from octavia.api.judge import judged
from octavia.api.kinds import Kind, check_path, take_references
from octavia.api.subnets import check_subnets
from octavia.domain import declare, rules
from octavia.domain.declare import Noun
from octavia.domain.graph import Graph, delete, editable, get, put
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.refusal import Conflict, not_found
from octavia.domain.view import View, view
from octavia.store.query import Query


def index(kind: Kind, call: Call) -> dict[str, Any]:
    """One page of a list."""
    asked = lists.query(kind.noun, kind.parents, call.arguments, call.services.pagination_max_limit)
    asked = replace(asked, filters=asked.filters | parents_in_path(call))
    with call.services.store.read() as reader:
        check_path(reader, call.ids)
        rows = reader.list(kind.noun, asked)
    fields = frozenset(call.arguments.get("fields", ()))
    links = lists.links(call.url, call.arguments, asked, [seen.row.id for seen in rows])
    found = [answers.chosen(answers.answer(seen), fields) for seen in rows]
    return {kind.noun.plural: found, f"{kind.noun.plural}_links": links}


def parents_in_path(call: Call) -> dict[str, str]:
    return {name: value for name, value in call.ids.items() if name != "id"}


def show(kind: Kind, call: Call) -> dict[str, Any]:
    asked = Query(filters=dict(call.ids), limit=1)
    with call.services.store.read() as reader:
        rows = reader.list(kind.noun, asked)
        if not rows:
            check_path(reader, call.ids)
            raise not_found(kind.noun.title, call.ids["id"])
    return one(rows[0], call)


def one(seen: View, call: Call) -> dict[str, Any]:
    fields = frozenset(call.arguments.get("fields", ()))
    return {type(seen.row).singular: answers.chosen(answers.answer(seen), fields)}


def outcome(kind: Kind, graph: Graph, identifier: str) -> dict[str, Any]:
    """The row as it is after an edit."""
    return {kind.noun.singular: answers.answer(view(graph, get(graph, kind.noun, identifier)))}


def add(kind: Kind, call: Call) -> dict[str, Any]:
    wish = body.wish(call.request, kind.noun.singular)
    references = take_references(kind, wish)
    row = new_row(kind.noun, call, wish, **parents_in_path(call))
    check_subnets(call.services.network, [row])
    with call.services.store.read() as reader:
        check_path(reader, call.ids)
        home = kind.home(reader, row, references)

    def change(graph: Graph) -> Graph:
        owned = replace(row, load_balancer_id=home, project_id=graph.load_balancer.project_id)
        return judged(call.services, graph, kind.admit(graph, owned, references))

    return outcome(kind, call.services.store.write(home, call.caller.who, change), row.id)


def new_row(noun: type[Noun], call: Call, wish: dict[str, Any], **system: Any) -> Noun:
    """A row of no load balancer yet. Raises Invalid for what is wrong with the wish itself."""
    wish.pop("tenant_id", None)
    row = declare.create(
        noun, wish, id=call.services.new_id(), load_balancer_id="", created_at=call.services.clock(), **system
    )
    return rules.settled(row)


def change(kind: Kind, call: Call) -> dict[str, Any]:
    wish = body.wish(call.request, kind.noun.singular)
    declare.refuse_unknown(kind.noun, wish, on_create=False)
    now = call.services.clock()

    def amended(graph: Graph) -> Graph:
        row = in_reach(kind, call, graph)
        return judged(call.services, graph, put(graph, rules.settled(declare.amend(row, wish, updated_at=now))))

    return outcome(kind, edit(kind, call, amended), call.ids["id"])


def remove(kind: Kind, call: Call) -> None:
    none_but(call.arguments, *(["cascade"] if kind.noun is LoadBalancer else []))
    cascade = flag(call.arguments, "cascade")

    def removed(graph: Graph) -> Graph:
        row = in_reach(kind, call, graph)
        kind.removable(graph, row, cascade)
        return delete(graph, row)

    edit(kind, call, removed)


def edit(kind: Kind, call: Call, edited: Callable[[Graph], Graph]) -> Graph:
    """Find the load balancer above the row in the path, and change it."""
    with call.services.store.read() as reader:
        check_path(reader, call.ids)
        home = reader.load_balancer_of(kind.noun, call.ids["id"])
    return call.services.store.write(home, call.caller.who, edited)


def in_reach(kind: Kind, call: Call, graph: Graph) -> Noun:
    """The row in the path, if it may be changed."""
    top = graph.load_balancer
    if kind.noun is LoadBalancer and top.deleted is not None:
        raise Conflict(f"Invalid state PENDING_DELETE of loadbalancer resource {top.id}")
    row = editable(graph, kind.noun, call.ids["id"])
    if any(getattr(row, name) != value for name, value in parents_in_path(call).items()):
        raise not_found(kind.noun.title, row.id)
    return row


def bound(handler: Callable[[Kind, Call], Any], kind: Kind) -> Handler:
    """This generic handler, for one noun."""
    return partial(handler, kind)
