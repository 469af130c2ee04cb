"""The generic handlers: list, show, create, change and delete any noun."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from octavia.api import body, lists
from octavia.api.arguments import flag, none_but
from octavia.api.call import Call, Handler
from octavia.api.judge import judged
from octavia.api.kinds import Kind, path_home, take_references
from octavia.api.subnets import check_subnets, check_vip_extras
from octavia.domain import declare, rules
from octavia.domain.declare import Declared, Noun
from octavia.domain.graph import Graph, delete, editable, get, live, put
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.refusal import Conflict, Invalid, not_found
from octavia.domain.shape import shown
from octavia.store.query import Found, Home, Query


def index(kind: Kind, call: Call) -> dict[str, Any]:
    """One page of a list."""
    asked = lists.query(kind.noun, kind.parents, call)
    with call.services.store.ask() as reader:
        home = path_home(reader, call.ids)
        if home is None:
            asked = scoped(f"{kind.policy}:get_all", call, asked)
        else:
            call.permit(f"{kind.policy}:get_all", home.project_id)
            asked = replace(asked, filters=asked.filters | parents_in_path(call))
        rows = reader.page(kind.noun, asked, lists.fields(kind.noun, call))
    return paged(kind.noun, call, asked, rows)


def paged(noun: type[Declared], call: Call, asked: Query, rows: Sequence[Found]) -> dict[str, Any]:
    documents = [written(found) for found in rows]
    links = lists.links(call.url, call.arguments, asked, [found.key for found in rows])
    return {noun.plural: documents, lists.links_key(noun): links}


def written(found: Found) -> msgspec.Raw:
    """The object as the database wrote it."""
    return msgspec.Raw(found.document.encode())


def scoped(rule: str, call: Call, asked: Query) -> Query:
    """What is asked for, kept to the caller's own project where they may not see all."""
    if call.may(f"{rule}-global", None):
        return asked
    project_id = call.caller.project_id
    if project_id is None:
        call.refuse()
    call.permit(rule, project_id)
    if asked.filters.get("project_id", project_id) != project_id:
        call.refuse()
    return replace(asked, filters=asked.filters | {"project_id": project_id})


def parents_in_path(call: Call) -> dict[str, str]:
    return {name: value for name, value in call.ids.items() if name != "id"}


def show(kind: Kind, call: Call) -> dict[str, Any]:
    with call.services.store.ask() as reader:
        found = reader.one(kind.noun, dict(call.ids), lists.fields(kind.noun, call))
        if found is None:
            path_home(reader, call.ids)
            raise not_found(kind.noun.title, call.ids["id"])
    call.permit(f"{kind.policy}:get_one", found.project_id)
    return {kind.noun.singular: written(found)}


def outcome(kind: Kind, graph: Graph, identifier: str) -> dict[str, Any]:
    """The row as it is after an edit."""
    return {kind.noun.singular: shown(live(graph), get(graph, kind.noun, identifier))}


def add(kind: Kind, call: Call) -> dict[str, Any]:
    wish = body.wish(call.request, kind.noun.singular)
    references = take_references(kind, wish)
    kind.check_wish(wish)
    row = new_row(kind.noun, call, wish, **parents_in_path(call))
    with call.services.store.ask() as reader:
        home = path_home(reader, call.ids) or kind.home(reader, row, references)
    call.permit(f"{kind.policy}:post", home.project_id)
    check_subnets(call, [row], home.project_id)

    def change(graph: Graph) -> Graph:
        owned = replace(row, load_balancer_id=home.load_balancer_id, project_id=graph.load_balancer.project_id)
        return judged(call.services, graph, kind.admit(graph, owned, references))

    counted = call.counted(home.project_id)
    after = call.services.store.write(home.load_balancer_id, call.caller.who, change, counted=counted)
    return outcome(kind, after, row.id)


def new_row(noun: type[Noun], call: Call, wish: dict[str, Any], **system: Any) -> Noun:
    """A row of no load balancer yet. Raises Invalid for what is wrong with the wish itself."""
    named = declare.with_one_project(noun, wish)
    row = declare.create(
        noun, named, id=call.services.new_id(), load_balancer_id="", created_at=call.services.clock(), **system
    )
    return rules.settled(row)


def change(kind: Kind, call: Call) -> dict[str, Any]:
    wish = body.wish(call.request, kind.noun.singular)
    check_change(kind, wish)
    now = call.services.clock()

    def amended(graph: Graph) -> Graph:
        row = in_reach(kind, call, graph)
        kind.check_change(row, wish)
        changed = rules.settled(declare.amend(row, wish, updated_at=now))
        if isinstance(changed, LoadBalancer):
            check_vip_extras(call, changed, wish)
        return judged(call.services, graph, put(graph, changed))

    home = permitted(kind, call, "put", wish)
    after = call.services.store.write(home.load_balancer_id, call.caller.who, amended)
    return outcome(kind, after, call.ids["id"])


def check_change(kind: Kind, wish: Mapping[str, Any]) -> None:
    """Raises Invalid for what no row could take."""
    declare.refuse_unknown(kind.noun, dict(wish), on_create=False)
    declare.check_values(kind.noun, wish)
    kind.check_wish(dict(wish))
    if not wish and not kind.empty_change:
        raise Invalid(f"The {kind.noun.singular} has no attribute to change.")


def remove(kind: Kind, call: Call) -> None:
    none_but(call.arguments, *(["cascade"] if kind.noun is LoadBalancer else []))
    cascade = flag(call.arguments, "cascade")

    def removed(graph: Graph) -> Graph:
        row = in_reach(kind, call, graph)
        kind.removable(graph, row, cascade)
        return delete(graph, row)

    home = permitted(kind, call, "delete")
    call.services.store.write(home.load_balancer_id, call.caller.who, removed)


def permitted(kind: Kind, call: Call, action: str, wish: Mapping[str, Any] = {}) -> Home:
    """Where the row in the path belongs, if the caller may do this to it."""
    with call.services.store.ask() as reader:
        path_home(reader, call.ids)
        home = reader.home(kind.noun, call.ids["id"])
    call.permit(f"{kind.policy}:{action}", home.project_id)
    if wish.get("vip_sg_ids"):
        call.permit(f"{kind.policy}:{action}:vip_sg_ids", home.project_id)
    return home


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
