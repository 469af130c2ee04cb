"""The one table: every address of the API, what can be done there, and what success is called."""

from octavia.api import creation, members, network, reports, things, versions
from octavia.api.call import Handler, Verb
from octavia.api.kinds import HEALTH_MONITOR, LISTENER, LOAD_BALANCER, MEMBER, POOL, Kind
from octavia.api.things import bound

Table = dict[str, dict[str, Verb]]


def get(handler: Handler) -> dict[str, Verb]:
    return {"GET": Verb(handler, 200)}


def collection(kind: Kind, create: Handler | None = None) -> dict[str, Verb]:
    return get(bound(things.index, kind)) | {"POST": Verb(create or bound(things.add, kind), 201)}


def item(kind: Kind) -> dict[str, Verb]:
    return get(bound(things.show, kind)) | {
        "PUT": Verb(bound(things.change, kind), 200),
        "DELETE": Verb(bound(things.remove, kind), 204),
    }


ROUTES: Table = {
    "/": get(versions.all_versions),
    "/v2": get(versions.this_version),
    "/v2/loadbalancers": collection(LOAD_BALANCER, creation.create),
    "/v2/loadbalancers/{id}": item(LOAD_BALANCER),
    "/v2/loadbalancers/{id}/status": get(reports.status_tree),
    "/v2/loadbalancers/{id}/statuses": get(reports.status_tree),
    "/v2/loadbalancers/{id}/stats": get(reports.load_balancer_stats),
    "/v2/listeners": collection(LISTENER),
    "/v2/listeners/{id}": item(LISTENER),
    "/v2/listeners/{id}/stats": get(reports.listener_stats),
    "/v2/pools": collection(POOL),
    "/v2/pools/{id}": item(POOL),
    "/v2/pools/{pool_id}/members": collection(MEMBER) | {"PUT": Verb(members.replace_all, 202)},
    "/v2/pools/{pool_id}/members/{id}": item(MEMBER),
    "/v2/healthmonitors": collection(HEALTH_MONITOR),
    "/v2/healthmonitors/{id}": item(HEALTH_MONITOR),
    "/v2/octavia/loadbalancers": get(reports.progress_of_all),
    "/v2/octavia/loadbalancers/{id}/progress": get(reports.progress),
    **network.routes(),
}

WITHOUT_AUTHENTICATION: Table = {
    "/projects/{id}": get(versions.project),
}
"""What is answered in the place of an identity service."""
