"""The one table: every address of the API, what can be done there, and what success is called."""

from octavia.api import amphorae, catalogue, creation, members, network, providers, quotas, reports, things, versions
from octavia.api.call import Handler, Verb
from octavia.api.catalogue import FLAVOR, FLAVOR_PROFILE, ZONE, ZONE_PROFILE, Offer
from octavia.api.kinds import HEALTH_MONITOR, L7POLICY, L7RULE, LISTENER, LOAD_BALANCER, MEMBER, POOL, Kind
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


def offers(path: str, offer: Offer) -> Table:
    """The addresses of one kind of what operators offer."""
    handlers = {name: catalogue.bound(getattr(catalogue, name), offer) for name in ("index", "add", "show", "change")}
    return {
        f"/v2/{path}": {"GET": Verb(handlers["index"], 200), "POST": Verb(handlers["add"], 201)},
        f"/v2/{path}/{{id}}": {
            "GET": Verb(handlers["show"], 200),
            "PUT": Verb(handlers["change"], 200),
            "DELETE": Verb(catalogue.bound(catalogue.remove, offer), 204),
        },
    }


def put(handler: Handler) -> dict[str, Verb]:
    """Something is set going, and nothing is to be said about it yet."""
    return {"PUT": Verb(handler, 202)}


ROUTES: Table = {
    "/": get(versions.all_versions),
    "/v2": get(versions.this_version),
    "/v2/loadbalancers": collection(LOAD_BALANCER, creation.create),
    "/v2/loadbalancers/{id}": item(LOAD_BALANCER),
    "/v2/loadbalancers/{id}/status": get(reports.status_tree),
    "/v2/loadbalancers/{id}/statuses": get(reports.status_tree),
    "/v2/loadbalancers/{id}/stats": get(reports.load_balancer_stats),
    "/v2/loadbalancers/{id}/failover": put(amphorae.fail_over_load_balancer),
    "/v2/listeners": collection(LISTENER),
    "/v2/listeners/{id}": item(LISTENER),
    "/v2/listeners/{id}/stats": get(reports.listener_stats),
    "/v2/pools": collection(POOL),
    "/v2/pools/{id}": item(POOL),
    "/v2/pools/{pool_id}/members": collection(MEMBER) | {"PUT": Verb(members.replace_all, 202)},
    "/v2/pools/{pool_id}/members/{id}": item(MEMBER),
    "/v2/healthmonitors": collection(HEALTH_MONITOR),
    "/v2/healthmonitors/{id}": item(HEALTH_MONITOR),
    "/v2/l7policies": collection(L7POLICY),
    "/v2/l7policies/{id}": item(L7POLICY),
    "/v2/l7policies/{l7policy_id}/rules": collection(L7RULE),
    "/v2/l7policies/{l7policy_id}/rules/{id}": item(L7RULE),
    "/v2/quotas": get(quotas.index),
    "/v2/quotas/defaults": get(quotas.defaults),
    "/v2/quotas/{id}": get(quotas.show) | put(quotas.change) | {"DELETE": Verb(quotas.remove, 202)},
    "/v2/quotas/{id}/default": get(quotas.defaults),
    "/v2/providers": get(providers.index),
    "/v2/providers/{provider}/flavor_capabilities": get(providers.FLAVOR_CAPABILITIES),
    "/v2/providers/{provider}/availability_zone_capabilities": get(providers.ZONE_CAPABILITIES),
    **offers("flavors", FLAVOR),
    **offers("flavorprofiles", FLAVOR_PROFILE),
    **offers("availabilityzones", ZONE),
    **offers("availabilityzoneprofiles", ZONE_PROFILE),
    "/v2/octavia/amphorae": get(amphorae.index),
    "/v2/octavia/amphorae/{id}": get(amphorae.show) | {"DELETE": Verb(amphorae.remove, 204)},
    "/v2/octavia/amphorae/{id}/stats": get(amphorae.stats),
    "/v2/octavia/amphorae/{id}/failover": put(amphorae.fail_over),
    "/v2/octavia/amphorae/{id}/config": put(amphorae.configure),
    "/v2/octavia/loadbalancers": get(reports.progress_of_all),
    "/v2/octavia/loadbalancers/{id}/progress": get(reports.progress),
    **network.routes(),
}

WITHOUT_AUTHENTICATION: Table = {
    "/projects/{id}": get(versions.project),
}
"""What is answered in the place of an identity service."""
