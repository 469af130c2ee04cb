"""The one table: every address of the API, what can be done there, what success is called, and what is said of it."""

from dataclasses import replace

from octavia.api import (
    amphorae,
    catalogue,
    components,
    creation,
    members,
    network,
    parameters,
    providers,
    quotas,
    reports,
    things,
    versions,
)
from octavia.api.call import Handler, Verb
from octavia.api.catalogue import FLAVOR, FLAVOR_PROFILE, ZONE, ZONE_PROFILE, Offer
from octavia.api.kinds import HEALTH_MONITOR, L7POLICY, L7RULE, LISTENER, LOAD_BALANCER, MEMBER, POOL, Kind
from octavia.api.operation import Operation, Schema
from octavia.api.resource import CLASH, LAWS, NONE, Resource
from octavia.api.schemas import an_object, listed, reference, under
from octavia.api.things import bound
from octavia.domain.amphora import Amphora
from octavia.domain.catalogue import Profile
from octavia.domain.quota import Quota

Verbs = dict[str, Verb]
Table = dict[str, Verbs]
LOAD_BALANCERS = Resource(LOAD_BALANCER.noun, "loadbalancers")
LISTENERS = Resource(LISTENER.noun, "listeners")
AMPHORAE = Resource(Amphora, "amphorae")
QUOTAS = Resource(Quota, "quotas")


def get(handler: Handler, said: Operation) -> Verbs:
    return {"GET": Verb(handler, 200, said)}


def start(handler: Handler, said: Operation) -> Verbs:
    """Something is set going, and nothing is to be said about it yet."""
    return {"PUT": Verb(handler, 202, said)}


def collection(kind: Kind, create: Handler | None = None, answer: Schema | None = None) -> Verbs:
    said = Resource(kind.noun, kind.noun.plural)
    return get(bound(things.index, kind), said.list(kind.parents)) | {
        "POST": Verb(create or bound(things.add, kind), 201, said.create(LAWS, answer))
    }


def item(kind: Kind) -> Verbs:
    said = Resource(kind.noun, kind.noun.plural)
    query = parameters.CASCADE if kind is LOAD_BALANCER else ()
    return get(bound(things.show, kind), said.show()) | {
        "PUT": Verb(bound(things.change, kind), 200, said.update(LAWS)),
        "DELETE": Verb(bound(things.remove, kind), 204, said.delete(query)),
    }


def batch() -> Verbs:
    said = Operation(
        id="replace_members",
        tag=MEMBER.noun.plural,
        summary="Say all members of the pool at once",
        body=under(MEMBER.noun.plural, listed(reference("member_create"))),
        query=parameters.ADDITIVE,
        refusals=LAWS,
    )
    return start(members.replace_all, said)


def status() -> Operation:
    return LOAD_BALANCERS.report("status_of", "The tree of statuses", under("statuses", reference("status_tree")))


def statistics(of: Resource) -> Operation:
    return of.report("statistics_of", "Its traffic", under("stats", reference("statistics")))


def offers(path: str, offer: Offer) -> Table:
    """The addresses of one kind of what operators offer."""
    said = Resource(offer.noun, path)
    also = frozenset({501}) if issubclass(offer.noun, Profile) else NONE
    return {
        f"/v2/{path}": get(catalogue.bound(catalogue.index, offer), said.list())
        | {"POST": Verb(catalogue.bound(catalogue.add, offer), 201, said.create(also | CLASH))},
        f"/v2/{path}/{{id}}": get(catalogue.bound(catalogue.show, offer), said.show())
        | {
            "PUT": Verb(catalogue.bound(catalogue.change, offer), 200, said.update(also | CLASH)),
            "DELETE": Verb(catalogue.bound(catalogue.remove, offer), 204, said.delete()),
        },
    }


def quota_item() -> Verbs:
    answer = under(Quota.singular, reference("quota"))
    show = Operation(id="show_quota", tag="quotas", summary="What goes for the project", answer=answer)
    change = Operation(
        id="update_quota",
        tag="quotas",
        summary="Set some of the numbers",
        answer=answer,
        body=under(Quota.singular, reference("quota_change")),
    )
    remove = Operation(id="delete_quota", tag="quotas", summary="Back to the defaults")
    return get(quotas.show, show) | start(quotas.change, change) | {"DELETE": Verb(quotas.remove, 202, remove)}


def quota_index() -> Operation:
    return Operation(
        id="list_quotas",
        tag="quotas",
        summary="What was set, by project",
        answer=components.page(Quota, reference("quota_set")),
        query=parameters.listing(Quota, fields=False),
    )


def quota_defaults(name: str) -> Operation:
    answer = under(Quota.singular, reference("quota_default"))
    return Operation(id=name, tag="quotas", summary="What goes where nothing was set", answer=answer)


def provider_list(name: str, key: str, summary: str, query: tuple[Schema, ...]) -> Operation:
    answer = under(key, listed(reference("provider")))
    return Operation(id=name, tag="providers", summary=summary, answer=answer, query=query)


def capabilities(key: str) -> Operation:
    return provider_list(f"list_{key}", key, "What a profile can say", parameters.CAPABILITIES)


def open_versions() -> Operation:
    answer = under("versions", listed(reference("version")))
    return Operation(id="list_versions", tag="versions", summary="Which versions there are", answer=answer, open=True)


def one_version() -> Operation:
    answer = under("version", reference("version"))
    return Operation(id="show_version", tag="versions", summary="This version", answer=answer)


def progress_of_all() -> Operation:
    return Operation(
        id="list_progress",
        tag="progress",
        summary="What the control plane is doing, and why",
        answer=components.page(LOAD_BALANCER.noun, reference("progress")),
        query=parameters.listing(LOAD_BALANCER.noun),
    )


def progress_of_one() -> Operation:
    answer = under("progress", reference("progress"))
    said = "What the control plane is doing with it, and why"
    return Operation(id="show_progress", tag="progress", summary=said, answer=answer)


def amphora_statistics() -> Operation:
    answer = an_object({"amphora_stats": listed(reference("amphora_statistics"))})
    return AMPHORAE.report("statistics_of", "Its traffic, by listener", answer)


ROUTES: Table = {
    "/": get(versions.all_versions, open_versions()),
    "/v2": get(versions.this_version, one_version()),
    "/v2/loadbalancers": collection(
        LOAD_BALANCER, creation.create, under(LOAD_BALANCER.noun.singular, reference("loadbalancer_answer"))
    ),
    "/v2/loadbalancers/{id}": item(LOAD_BALANCER),
    "/v2/loadbalancers/{id}/status": get(reports.status_tree, status()),
    "/v2/loadbalancers/{id}/statuses": get(reports.status_tree, replace(status(), id="statuses_of_loadbalancer")),
    "/v2/loadbalancers/{id}/stats": get(reports.load_balancer_stats, statistics(LOAD_BALANCERS)),
    "/v2/loadbalancers/{id}/failover": start(
        amphorae.fail_over_load_balancer, LOAD_BALANCERS.start("fail_over", "Replace all of its amphorae")
    ),
    "/v2/listeners": collection(LISTENER),
    "/v2/listeners/{id}": item(LISTENER),
    "/v2/listeners/{id}/stats": get(reports.listener_stats, statistics(LISTENERS)),
    "/v2/pools": collection(POOL),
    "/v2/pools/{id}": item(POOL),
    "/v2/pools/{pool_id}/members": collection(MEMBER) | batch(),
    "/v2/pools/{pool_id}/members/{id}": item(MEMBER),
    "/v2/healthmonitors": collection(HEALTH_MONITOR),
    "/v2/healthmonitors/{id}": item(HEALTH_MONITOR),
    "/v2/l7policies": collection(L7POLICY),
    "/v2/l7policies/{id}": item(L7POLICY),
    "/v2/l7policies/{l7policy_id}/rules": collection(L7RULE),
    "/v2/l7policies/{l7policy_id}/rules/{id}": item(L7RULE),
    "/v2/quotas": get(quotas.index, quota_index()),
    "/v2/quotas/defaults": get(quotas.defaults, quota_defaults("show_default_quota")),
    "/v2/quotas/{id}": quota_item(),
    "/v2/quotas/{id}/default": get(quotas.defaults, quota_defaults("show_default_quota_of_project")),
    "/v2/providers": get(
        providers.index, provider_list("list_providers", "providers", "List providers", parameters.FIELDS)
    ),
    "/v2/providers/{provider}/flavor_capabilities": get(
        providers.FLAVOR_CAPABILITIES, capabilities("flavor_capabilities")
    ),
    "/v2/providers/{provider}/availability_zone_capabilities": get(
        providers.ZONE_CAPABILITIES, capabilities("availability_zone_capabilities")
    ),
    **offers("flavors", FLAVOR),
    **offers("flavorprofiles", FLAVOR_PROFILE),
    **offers("availabilityzones", ZONE),
    **offers("availabilityzoneprofiles", ZONE_PROFILE),
    "/v2/octavia/amphorae": get(amphorae.index, AMPHORAE.list(amphorae.PARENTS)),
    "/v2/octavia/amphorae/{id}": get(amphorae.show, AMPHORAE.show())
    | {"DELETE": Verb(amphorae.remove, 204, AMPHORAE.delete())},
    "/v2/octavia/amphorae/{id}/stats": get(amphorae.stats, amphora_statistics()),
    "/v2/octavia/amphorae/{id}/failover": start(amphorae.fail_over, AMPHORAE.start("fail_over", "Replace it")),
    "/v2/octavia/amphorae/{id}/config": start(
        amphorae.configure, AMPHORAE.start("configure", "Its agent starts anew", NONE)
    ),
    "/v2/octavia/loadbalancers": get(reports.progress_of_all, progress_of_all()),
    "/v2/octavia/loadbalancers/{id}/progress": get(reports.progress, progress_of_one()),
    **network.routes(),
}

WITHOUT_AUTHENTICATION: Table = {
    "/projects/{id}": get(
        versions.project,
        Operation(
            id="show_project",
            tag="identity",
            summary="A project",
            answer=under("project", {"type": "object"}),
        ),
    ),
}
"""What is answered in the place of an identity service."""
