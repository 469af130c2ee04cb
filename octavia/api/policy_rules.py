"""Every policy rule with its default: what an operator's policy file may put another check in the place of."""

from collections.abc import Iterator
from typing import Final

from oslo_policy.policy import DocumentedRuleDefault, RuleDefault

PREFIX: Final = "os_load-balancer_api:"
SCOPES: Final = ["project", "system"]
"""A token for a whole domain is refused: no object belongs to a domain."""

READ: Final = "rule:load-balancer:read"
READ_GLOBAL: Final = "rule:load-balancer:read-global"
WRITE: Final = "rule:load-balancer:write"
READ_QUOTA: Final = "rule:load-balancer:read-quota"
READ_QUOTA_GLOBAL: Final = "rule:load-balancer:read-quota-global"
WRITE_QUOTA: Final = "rule:load-balancer:write-quota"
ADMIN: Final = "rule:load-balancer:admin"
READ_OR_SERVICE: Final = f"{READ} or rule:service"

ROLES: Final = {
    "context_is_admin": ("role:admin or is_admin:True", "Who is an administrator of everything."),
    "project-member": ("role:member and project_id:%(project_id)s", "A member of the object's project."),
    "project-reader": ("role:reader and project_id:%(project_id)s", "A reader of the object's project."),
    "service": ("role:service", "Another service of the cloud, with a token of its own."),
    "load-balancer:owner": ("project_id:%(project_id)s", "Whoever has a token for the object's project."),
    "load-balancer:observer_and_owner": ("rule:project-reader", "Who may read what their project has."),
    "load-balancer:member_and_owner": ("rule:project-member", "Who may change what their project has."),
    "load-balancer:global_observer": ("role:admin", "Who may read what all projects have."),
    "load-balancer:quota-admin": ("role:admin", "Who may read and set the quotas of all projects."),
    "load-balancer:admin": ("rule:context_is_admin", "Who may do everything."),
    "load-balancer:read": (
        "rule:load-balancer:observer_and_owner or rule:load-balancer:member_and_owner "
        "or rule:load-balancer:global_observer or rule:load-balancer:admin",
        "Reading.",
    ),
    "load-balancer:read-global": (
        "rule:load-balancer:global_observer or rule:load-balancer:admin",
        "Lists over all projects.",
    ),
    "load-balancer:write": (
        "rule:load-balancer:member_and_owner or rule:load-balancer:admin",
        "Creating, changing, deleting.",
    ),
    "load-balancer:read-quota": (
        "rule:load-balancer:observer_and_owner or rule:load-balancer:member_and_owner "
        "or rule:load-balancer:global_observer or rule:load-balancer:quota-admin or rule:load-balancer:admin",
        "Reading a project's quotas.",
    ),
    "load-balancer:read-quota-global": (
        "rule:load-balancer:global_observer or rule:load-balancer:quota-admin or rule:load-balancer:admin",
        "Reading the quotas of all projects.",
    ),
    "load-balancer:write-quota": (
        "rule:load-balancer:quota-admin or rule:load-balancer:admin",
        "Setting and resetting quotas.",
    ),
}
"""The building blocks: name, default check, who that is."""

Action = tuple[str, str, str, str]
"""Name, default check, method, path under /v2/lbaas (or from the root, where it begins with /v2)."""


def listing(path: str, check: str = READ) -> tuple[Action, ...]:
    return (("get_all", check, "GET", path),)


def listing_global(path: str, check: str = READ_GLOBAL) -> tuple[Action, ...]:
    return (("get_all-global", check, "GET", path),)


def handling(path: str, item: str, read: str = READ, write: str = WRITE) -> tuple[Action, ...]:
    """The four verbs of one object beside its list."""
    return (
        ("get_one", read, "GET", item),
        ("post", write, "POST", path),
        ("put", write, "PUT", item),
        ("delete", write, "DELETE", item),
    )


def noun(path: str, key: str = "{id}") -> tuple[Action, ...]:
    return (*listing(path), *listing_global(path), *handling(path, f"{path}/{key}"))


def offered(path: str, key: str, read: str) -> tuple[Action, ...]:
    """What operators offer to users, and what is behind it."""
    return (*listing(path, read), *handling(path, f"{path}/{key}", read, ADMIN))


MEMBERS, RULES, AMPHORAE = "/pools/{pool_id}/members", "/l7policies/{l7policy_id}/rules", "/v2/octavia/amphorae"
ACTIONS: Final[dict[str, tuple[Action, ...]]] = {
    "loadbalancer": (
        *noun("/loadbalancers"),
        ("post:vip_sg_ids", WRITE, "POST", "/loadbalancers"),
        ("put:vip_sg_ids", WRITE, "PUT", "/loadbalancers/{id}"),
        ("get_stats", READ, "GET", "/loadbalancers/{id}/stats"),
        ("get_status", READ, "GET", "/loadbalancers/{id}/status"),
        ("put_failover", ADMIN, "PUT", "/loadbalancers/{id}/failover"),
    ),
    "listener": (*noun("/listeners"), ("get_stats", READ, "GET", "/listeners/{id}/stats")),
    "pool": noun("/pools"),
    "member": (*listing(MEMBERS, READ_OR_SERVICE), *handling(MEMBERS, MEMBERS + "/{id}")),
    "healthmonitor": noun("/healthmonitors"),
    "l7policy": noun("/l7policies"),
    "l7rule": (*listing(RULES), *handling(RULES, RULES + "/{id}")),
    "quota": (
        *listing("/quotas", READ_QUOTA),
        *listing_global("/quotas", READ_QUOTA_GLOBAL),
        ("get_one", READ_QUOTA, "GET", "/quotas/{project_id}"),
        ("put", WRITE_QUOTA, "PUT", "/quotas/{project_id}"),
        ("delete", WRITE_QUOTA, "DELETE", "/quotas/{project_id}"),
        ("get_defaults", READ_QUOTA, "GET", "/quotas/{project_id}/default"),
    ),
    "provider": listing("/providers"),
    "provider-flavor": listing("/providers/{provider}/flavor_capabilities", ADMIN),
    "provider-availability-zone": listing("/providers/{provider}/availability_zone_capabilities", ADMIN),
    "flavor": offered("/flavors", "{id}", READ),
    "flavor-profile": offered("/flavorprofiles", "{id}", ADMIN),
    "availability-zone": offered("/availabilityzones", "{name}", READ),
    "availability-zone-profile": offered("/availabilityzoneprofiles", "{id}", ADMIN),
    "amphora": (
        *listing(AMPHORAE, ADMIN),
        ("get_one", ADMIN, "GET", AMPHORAE + "/{id}"),
        ("delete", ADMIN, "DELETE", AMPHORAE + "/{id}"),
        ("get_stats", ADMIN, "GET", AMPHORAE + "/{id}/stats"),
        ("put_failover", ADMIN, "PUT", AMPHORAE + "/{id}/failover"),
        ("put_config", ADMIN, "PUT", AMPHORAE + "/{id}/config"),
    ),
}
"""What can be done to each type of object."""

SAID: Final = {
    "get_all": "List",
    "get_all-global": "List, of all projects,",
    "get_one": "Show one of",
    "post": "Create one of",
    "put": "Change one of",
    "delete": "Delete one of",
    "post:vip_sg_ids": "Give security groups to a new one of",
    "put:vip_sg_ids": "Change the security groups of",
    "get_stats": "Read the statistics of",
    "get_status": "Read the status tree of",
    "get_defaults": "Read the defaults of",
    "put_failover": "Fail over",
    "put_config": "Push the agent's configuration to",
}


def list_rules() -> Iterator[RuleDefault]:
    """All rules with their defaults, as oslo.policy takes them, and its tools."""
    for name, (check, description) in ROLES.items():
        yield RuleDefault(name, check, description)
    for kind, actions in ACTIONS.items():
        for action, check, method, path in actions:
            where = path if path.startswith("/v2") else f"/v2/lbaas{path}"
            yield DocumentedRuleDefault(
                name=f"{PREFIX}{kind}:{action}",
                check_str=check,
                description=f"{SAID[action]} `{kind}`.",
                operations=[{"method": method, "path": where}],
                scope_types=SCOPES,
            )
