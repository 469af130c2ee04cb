"""Who may do what: the role matrix, rule by rule, as clients know it; and what an operator's policy file changes."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from octavia.api.caller import Caller
from octavia.api.policy import Policies
from octavia.api.policy_rules import ACTIONS, PREFIX, list_rules
from octavia.settings import Settings, SettingsError, load

OWN, OTHER = "11111111111111111111111111111111", "22222222222222222222222222222222"
FILES = Path(__file__).parents[2] / "etc" / "octavia"

# R read, W write, A admin, G read over all projects, Q its quota, P quotas of all, L limits quotas, S read or service.
RULES = """
loadbalancer: get_all R, get_all-global G, get_one R, post W, put W, delete W, post:vip_sg_ids W, put:vip_sg_ids W
loadbalancer: get_stats R, get_status R, put_failover A
listener: get_all R, get_all-global G, get_one R, post W, put W, delete W, get_stats R
pool: get_all R, get_all-global G, get_one R, post W, put W, delete W
member: get_all S, get_one R, post W, put W, delete W
healthmonitor: get_all R, get_all-global G, get_one R, post W, put W, delete W
l7policy: get_all R, get_all-global G, get_one R, post W, put W, delete W
l7rule: get_all R, get_one R, post W, put W, delete W
quota: get_all Q, get_all-global P, get_one Q, put L, delete L, get_defaults Q
provider: get_all R
provider-flavor: get_all A
provider-availability-zone: get_all A
flavor: get_all R, get_one R, post A, put A, delete A
flavor-profile: get_all A, get_one A, post A, put A, delete A
availability-zone: get_all R, get_one R, post A, put A, delete A
availability-zone-profile: get_all A, get_one A, post A, put A, delete A
amphora: get_all A, get_one A, get_stats A, put_failover A, put_config A, delete A
"""

CALLERS = {
    "reader": ("reader",),
    "member": ("member", "reader"),
    "manager": ("manager", "member", "reader"),
    "admin": ("admin", "manager", "member", "reader"),
    "service": ("service",),
    "a role of no meaning": ("cook",),
    "no role": (),
}

# By caller: the kinds of rules that allow it in the project of its token, and in another one.
DEFAULTS = {
    "reader": ("RSQ", ""),
    "member": ("RSQW", ""),
    "manager": ("RSQW", ""),
    "admin": ("RSQWAGPL", "RSQWAGPL"),
    "service": ("S", "S"),
    "a role of no meaning": ("", ""),
    "no role": ("", ""),
}


def parsed() -> Iterator[tuple[str, str]]:
    for line in RULES.strip().splitlines():
        kind, _, actions = line.partition(": ")
        for action in actions.split(", "):
            name, _, letter = action.rpartition(" ")
            yield f"{kind}:{name}", letter


KINDS = dict(parsed())


def settings(folder: Path, text: str = "") -> Settings:
    file = folder / "octavia.conf"
    file.write_text(text)
    return load([file], state_path=folder, privileged=False)


def policies(folder: Path, policy: str | None = None) -> Policies:
    """The permissions by the defaults, or by this policy file."""
    if policy is None:
        return Policies(settings(folder).oslo)
    (folder / "policy.yaml").write_text(policy)
    return Policies(settings(folder, f"[oslo_policy]\npolicy_file = {folder}/policy.yaml\n").oslo)


def caller(*roles: str, project_id: str | None = OWN, **more: Any) -> Caller:
    return Caller(
        project_id=project_id, user_id="u", is_admin=False, request_id="req-1", roles=frozenset(roles), **more
    )


def test_the_table_names_every_rule() -> None:
    assert sorted(KINDS) == sorted(f"{kind}:{action[0]}" for kind, actions in ACTIONS.items() for action in actions)


@pytest.mark.parametrize("who", CALLERS)
def test_the_defaults(who: str, tmp_path: Path) -> None:
    check(policies(tmp_path), who, DEFAULTS[who], CALLERS[who])


def check(permissions: Policies, who: str, allowed: tuple[str, str], roles: tuple[str, ...]) -> None:
    asking = caller(*roles)
    for rule, letter in KINDS.items():
        for project, letters in zip((OWN, OTHER), allowed, strict=True):
            expected = letter in letters
            assert permissions.allows(asking, rule, project) == expected, (who, rule, project)
        # What belongs to no project, such as a flavor, is asked for with the caller's own.
        assert permissions.allows(asking, rule, None) == (letter in allowed[0]), (who, rule)


ADVANCED = {
    "load-balancer_observer": ("RSQ", ""),
    "load-balancer_member": ("RSQW", ""),
    "load-balancer_global_observer": ("RSQGP", "RSQGP"),
    "load-balancer_quota_admin": ("QPL", "QPL"),
    "load-balancer_admin": ("RSQWAGPL", "RSQWAGPL"),
    "admin": ("RSQWAGPL", "RSQWAGPL"),
    "member": ("", ""),
    "reader": ("", ""),
    "service": ("S", "S"),
}
OWNERS = {
    "admin": ("RSQWAGPL", "RSQWAGPL"),
    "member": ("RSQW", ""),
    "reader": ("RSQW", ""),
    "a role of no meaning": ("RSQW", ""),
    "service": ("RSQW", "S"),
}
SHIPPED = [
    (file, role, allowed)
    for file, table in [
        ("advanced-rbac-policy.yaml", ADVANCED),
        ("admin_or_owner-policy.yaml", OWNERS),
        ("keystone_default_roles-policy.yaml", DEFAULTS),
    ]
    for role, allowed in table.items()
]


@pytest.mark.parametrize(("file", "role", "allowed"), SHIPPED)
def test_a_policy_file_that_is_shipped(file: str, role: str, allowed: tuple[str, str], tmp_path: Path) -> None:
    check(policies(tmp_path, (FILES / file).read_text()), role, allowed, CALLERS.get(role, (role,)))


SCOPED = [
    ({"project_id": OWN}, ("admin",), "RSQWAGPL"),
    ({"project_id": None, "system_scope": "all"}, ("admin", "member", "reader"), "RSQWAGPL"),
    ({"project_id": None, "system_scope": "all"}, ("reader",), ""),
    ({"project_id": None, "domain_id": "default"}, ("admin",), ""),
    ({"project_id": None}, ("member", "reader"), ""),
]
SYSTEM_READERS = [
    ({"project_id": OWN}, ("admin", "member", "reader"), "RSQW"),
    ({"project_id": None, "system_scope": "all"}, ("admin", "member", "reader"), "RSQWAGPL"),
    ({"project_id": None, "system_scope": "all"}, ("reader",), "RSQGP"),
    ({"project_id": None, "domain_id": "default"}, ("admin",), ""),
    ({"project_id": OWN}, ("reader",), "RSQ"),
]


@pytest.mark.parametrize(("scope", "roles", "letters"), SCOPED)
def test_scopes(scope: dict[str, Any], roles: tuple[str, ...], letters: str, tmp_path: Path) -> None:
    check_scope(policies(tmp_path), caller(*roles, **scope), letters)


@pytest.mark.parametrize(("scope", "roles", "letters"), SYSTEM_READERS)
def test_the_scoped_policy_file(scope: dict[str, Any], roles: tuple[str, ...], letters: str, tmp_path: Path) -> None:
    text = (FILES / "keystone_default_roles_scoped-policy.yaml").read_text()
    check_scope(policies(tmp_path, text), caller(*roles, **scope), letters)


def check_scope(permissions: Policies, asking: Caller, letters: str) -> None:
    for rule, letter in KINDS.items():
        assert permissions.allows(asking, rule, OWN) == (letter in letters), rule


def test_who_has_no_project_owns_nothing(tmp_path: Path) -> None:
    permissions = policies(tmp_path)
    assert not permissions.allows(caller("member", "reader", project_id=None), "loadbalancer:get_one", None)
    assert not permissions.allows(caller("member", "reader", project_id=None), "loadbalancer:get_one", "None")


def test_a_service_may_read_members_by_its_own_roles_only(tmp_path: Path) -> None:
    passed_on = caller("cook", service_roles=frozenset({"service", "admin"}))
    assert not policies(tmp_path).allows(passed_on, "member:get_all", OWN)


def test_an_administrator_by_authentication(tmp_path: Path) -> None:
    asking = Caller(project_id=OWN, user_id="u", is_admin=True, request_id="req-1")
    assert all(policies(tmp_path).allows(asking, rule, OTHER) for rule in KINDS)


def test_a_rule_that_there_is_not_allows_nobody(tmp_path: Path) -> None:
    assert not policies(tmp_path).allows(caller("admin"), "loadbalancer:paint", OWN)


def test_a_policy_file_replaces_single_rules(tmp_path: Path) -> None:
    permissions = policies(tmp_path, f'"{PREFIX}loadbalancer:delete": "role:admin"\n')
    assert not permissions.allows(caller("member"), "loadbalancer:delete", OWN)
    assert permissions.allows(caller("member"), "loadbalancer:put", OWN)


def test_a_user_may_be_named(tmp_path: Path) -> None:
    permissions = policies(tmp_path, f'"{PREFIX}loadbalancer:delete": "user_id:u"\n')
    assert permissions.allows(caller(), "loadbalancer:delete", OWN)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f'"{PREFIX}pool:get_all": "rule:nowhere"', "not well defined"),
        ('"a": "rule:b"\n"b": "rule:a"', "not well defined"),
        ("[1, 2", "cannot be used"),
        ("[1, 2]", "cannot be used"),
        (f'"{PREFIX}pool:get_all": 7', "cannot be used"),
    ],
)
def test_a_policy_file_that_cannot_be_used(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=sentence):
        policies(tmp_path, text)


def test_a_policy_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"policy_file = nowhere\.yaml: there is no such file"):
        Policies(settings(tmp_path, "[oslo_policy]\npolicy_file = nowhere.yaml\n").oslo)


def test_a_misspelt_rule_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    policies(tmp_path, f'"{PREFIX}pool:get_al": "role:admin"\n"of_my_own": "role:cook"\n')
    assert f"unknown rule {PREFIX}pool:get_al in the policy file, ignored" in caplog.text
    assert "of_my_own" not in caplog.text


def test_a_changed_policy_file_counts_within_a_second(tmp_path: Path) -> None:
    now = [100.0]
    file = tmp_path / "policy.yaml"
    file.write_text(f'"{PREFIX}pool:get_all": "role:cook"\n')
    conf = settings(tmp_path, f"[oslo_policy]\npolicy_file = {file}\n").oslo
    permissions = Policies(conf, clock=lambda: now[0])

    def may_cook(text: str, later: float) -> bool:
        file.write_text(text)
        os.utime(file, ns=(round(later * 1e9), round(later * 1e9)))
        now[0] += later
        return permissions.allows(caller("cook"), "pool:get_all", OWN)

    assert may_cook("{}", 0.5)
    assert not may_cook("{}", 1.0)
    assert may_cook(f'"{PREFIX}pool:get_all": "role:cook"', 1.5)
    assert may_cook("{ broken", 2.0)
    assert not may_cook("{}", 2.5)


def test_many_threads_while_the_file_changes(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("{}")
    ticks = iter(range(10**9))
    permissions = Policies(
        settings(tmp_path, f"[oslo_policy]\npolicy_file = {file}\n").oslo, clock=lambda: float(next(ticks))
    )
    said: list[bool] = []

    def ask() -> None:
        for number in range(100):
            file.write_text("#" * (number % 7))
            said.append(permissions.allows(caller("member"), "loadbalancer:put", OWN))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [True] * 400


def test_every_rule_says_what_it_is_for() -> None:
    for rule in list_rules():
        assert rule.description, rule.name
