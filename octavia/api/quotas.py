"""Quotas: how many objects a project may have."""

from collections.abc import Sequence
from typing import Any

import msgspec

from octavia.api import body, lists
from octavia.api.arguments import none_but
from octavia.api.call import Call
from octavia.api.things import paged
from octavia.domain import declare
from octavia.domain.quota import ALIASES, Quota, effective
from octavia.store.query import Found, Query

Answer = dict[str, Any]


def index(call: Call) -> Answer:
    """What was set, for each project that has something, or ever had an object."""
    asked = lists.query(Quota, {}, call)
    return paged(Quota, call, asked, visible(call, asked))


def visible(call: Call, asked: Query) -> Sequence[Found]:
    """Another project's quota is not refused, but not there."""
    if not call.may("quota:get_all-global", None):
        project_id = call.caller.project_id
        if project_id is None:
            call.refuse()
        call.permit("quota:get_all", project_id)
        if asked.filters.get("project_id", project_id) != project_id:
            return []
        asked = msgspec.structs.replace(asked, filters=asked.filters | {"project_id": project_id})
    with call.services.store.ask() as reader:
        return reader.page(Quota, asked)


def answer(call: Call, found: Quota | None, project_id: str | None) -> Answer:
    """The numbers that go for the project, under all the names that clients know them by."""
    numbers = effective(found, call.services.limits)
    named = {} if project_id is None else {"project_id": project_id, "tenant_id": project_id}
    return {Quota.singular: named | numbers | {alias: numbers[name] for alias, name in ALIASES.items()}}


def show(call: Call) -> Answer:
    none_but(call.arguments)
    project_id = call.ids["id"]
    call.permit("quota:get_one", project_id)
    with call.services.store.ask() as reader:
        return answer(call, reader.quota(project_id), project_id)


def change(call: Call) -> Answer:
    project_id = call.ids["id"]
    wish = body.wish(call.request, Quota.singular)
    declare.check_values(Quota, {"project_id": project_id})
    for alias, name in ALIASES.items():
        if alias in wish:
            value = wish.pop(alias)
            declare.check_values(Quota, {name: value})
            wish.setdefault(name, value)
    declare.refuse_unknown(Quota, wish, on_create=False)
    declare.check_values(Quota, wish)
    call.permit("quota:put", project_id)
    after = call.services.quotas.change(project_id, lambda before: declare.amend(before, wish))
    return answer(call, after, project_id)


def remove(call: Call) -> None:
    none_but(call.arguments)
    call.permit("quota:delete", call.ids["id"])
    call.services.quotas.remove(call.ids["id"])


def defaults(call: Call) -> Answer:
    """What goes for a project for which nothing was set."""
    none_but(call.arguments)
    project_id = call.ids.get("id") or call.caller.project_id
    call.permit("quota:get_defaults", project_id)
    return answer(call, None, None)
