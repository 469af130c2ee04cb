"""Who may do what, by oslo.policy: the defaults of `policy_rules`, and an operator's policy file over them."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from oslo_policy.policy import Enforcer, InvalidDefinitionError

from octavia.api.caller import Caller
from octavia.api.policy_rules import PREFIX, list_rules
from octavia.settings import SettingsError

log = logging.getLogger(__name__)
LOOK_EVERY = 1.0
"""Seconds between two looks at the policy files."""
MOST_KEPT = 10_000
Stamp = tuple[tuple[str, int, int], ...]


class Policies:
    """The permissions of each caller. Decisions are kept: oslo.policy takes a tenth of a millisecond for one.

    A policy file that is changed counts within a second; a change that cannot be used changes nothing.
    """

    def __init__(self, conf: Any, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._conf = conf
        self._clock = clock
        self._lock = threading.Lock()
        self._decide = Decisions(enforcer(conf))
        self._stamp = stamp(conf)
        self._look_at = clock() + LOOK_EVERY

    def allows(self, caller: Caller, rule: str, project_id: str | None) -> bool:
        """Whether the caller may do this. Without a project the object is everybody's (a flavor), or the caller's own.

        A rule that there is not allows nobody.
        """
        if self._clock() >= self._look_at:
            self._look()
        return self._decide(caller, PREFIX + rule, project_id or caller.project_id)

    def _look(self) -> None:
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._look_at = self._clock() + LOOK_EVERY
            found = stamp(self._conf)
            if found != self._stamp:
                self._stamp = found
                self._decide = Decisions(enforcer(self._conf))
                log.info("The policy file was changed, and is read again")
        except (SettingsError, OSError) as error:
            log.error("%s What was in force before stays in force.", error)
        finally:
            self._lock.release()


class Decisions:
    """What one set of rules says: the same for the same caller, rule and project, so it is asked once."""

    def __init__(self, enforcer: Enforcer) -> None:
        self._enforcer = enforcer
        # A check that asks another server may be answered otherwise the next time.
        self._lasting = not any("http:" in text or "https:" in text for text in map(str, enforcer.rules.values()))
        self._known: dict[tuple[Any, ...], bool] = {}

    def __call__(self, caller: Caller, rule: str, project_id: str | None) -> bool:
        key = (rule, project_id, *caller.credentials)
        known = self._known.get(key)
        if known is None:
            target = {} if project_id is None else {"project_id": project_id}
            known = bool(self._enforcer.enforce(rule, target, credentials(caller)))
            if self._lasting:
                self._keep(key, known)
        return known

    def _keep(self, key: tuple[Any, ...], known: bool) -> None:
        if len(self._known) >= MOST_KEPT:
            self._known = {}
        self._known[key] = known


def credentials(caller: Caller) -> dict[str, Any]:
    """What policy checks may ask for. What a caller does not have is left out: nothing equals it."""
    found = {
        "user_id": caller.user_id,
        "project_id": caller.project_id,
        "tenant_id": caller.project_id,
        "domain_id": caller.domain_id,
        "system_scope": caller.system_scope,
    }
    return {name: value for name, value in found.items() if value is not None} | {
        "roles": sorted(caller.roles),
        "service_roles": sorted(caller.service_roles),
        "is_admin": caller.is_admin,
    }


def enforcer(conf: Any) -> Enforcer:
    """The rules in force, which no longer look at files. Raises SettingsError."""
    made = Enforcer(conf)
    made.register_defaults(list(list_rules()))
    said = conf.oslo_policy.policy_file
    if asked_for(conf) and not conf.find_file(said):
        raise SettingsError(f"[oslo_policy] policy_file = {said}: there is no such file.")
    try:
        made.load_rules()
        made.check_rules(raise_on_violation=True)
    except (ValueError, TypeError, AttributeError, OSError, InvalidDefinitionError) as error:
        raise SettingsError(f"The policy file {made.policy_path or said} cannot be used: {error}") from None
    for name in unknown(made.file_rules, made.registered_rules):
        log.warning("unknown rule %s in the policy file, ignored", name)
    made.use_conf = False
    return made


def asked_for(conf: Any) -> bool:
    """Whether somebody has named the policy file; the default one need not be there."""
    return bool(conf.get_location("policy_file", "oslo_policy").location.is_user_controlled)


def unknown(given: Mapping[str, Any], registered: Mapping[str, Any]) -> Iterator[str]:
    return (name for name in given if name.startswith(PREFIX) and name not in registered)


def stamp(conf: Any) -> Stamp:
    """What changes when a policy file does."""
    return tuple(mark(path) for path in files(conf))


def files(conf: Any) -> Iterator[Path]:
    settled = conf.oslo_policy
    if found := conf.find_file(settled.policy_file):
        yield Path(found)
    for name in settled.policy_dirs:
        if folder := conf.find_file(name):
            yield from sorted(Path(folder).iterdir())


def mark(path: Path) -> tuple[str, int, int]:
    try:
        status = path.stat()
    except OSError:
        return str(path), 0, 0
    return str(path), status.st_mtime_ns, status.st_size
