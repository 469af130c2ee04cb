"""Laws of L7 policies and rules."""

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from octavia.domain.graph import Graph
from octavia.domain.l7policy import TARGETS
from octavia.domain.l7rule import L7Rule
from octavia.domain.protocols import POOL_PROTOCOLS
from octavia.domain.refusal import Conflict, Invalid, Missing, NotOffered, Refusal

Faults = Iterator[Refusal]
MOST_RULES = 50
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""A token (RFC 9110, section 5.6.2)."""
DN_FIELD = re.compile(r"[a-zA-Z][A-Za-z0-9-]*")
PLAIN_TARGETS = ("redirect_url", "redirect_prefix")


def listeners(graph: Graph) -> Faults:
    protocols = {listener.id: listener.protocol for listener in graph.listeners}
    for policy in graph.l7policies:
        if policy.listener_id not in protocols:
            yield Missing(f"Listener {policy.listener_id} not found on this load balancer.")
        elif protocols[policy.listener_id] == "PROMETHEUS":
            yield Invalid("A PROMETHEUS listener cannot have child objects: it takes no L7 policy.")
        elif protocols[policy.listener_id] not in ("HTTP", "TERMINATED_HTTPS"):
            yield NotOffered(
                f"A {protocols[policy.listener_id]} listener cannot look into requests, so it takes no L7 policy. "
                "Use a listener of protocol HTTP or TERMINATED_HTTPS."
            )


def targets(graph: Graph) -> Faults:
    for policy in graph.l7policies:
        field = TARGETS[policy.action]
        if field is not None and getattr(policy, field) is None:
            yield Invalid(f"An L7 policy with the action {policy.action} needs {field}.")
    for policy in graph.l7policies:
        for field in PLAIN_TARGETS:
            if (url := getattr(policy, field)) is not None and not has_host(url):
                yield Invalid(f"{field} '{url}' is not an http or https URL with a host, like https://example.com/new.")


def has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def redirect_pools(graph: Graph) -> Faults:
    pools = {pool.id: pool for pool in graph.pools}
    protocols = {listener.id: listener.protocol for listener in graph.listeners}
    for policy in graph.l7policies:
        protocol = protocols.get(policy.listener_id)
        if policy.redirect_pool_id is None or protocol is None:
            continue
        pool = pools.get(policy.redirect_pool_id)
        if pool is None:
            yield Missing(f"Pool {policy.redirect_pool_id} not found on this load balancer.")
        elif pool.protocol not in POOL_PROTOCOLS[protocol]:
            fitting = ", ".join(sorted(POOL_PROTOCOLS[protocol]))
            yield Invalid(
                f"A {protocol} listener cannot send requests to pool {pool.name or pool.id}, which speaks "
                f"{pool.protocol}. It can use pools that speak {fitting}."
            )


def number_of_rules(graph: Graph) -> Faults:
    for policy_id, count in Counter(rule.l7policy_id for rule in graph.l7rules).items():
        if count > MOST_RULES:
            yield Conflict(f"L7 policy {policy_id} would have {count} rules; it can have {MOST_RULES} at most.")


def rules(graph: Graph) -> Faults:
    for rule in graph.l7rules:
        for wrong in (*key(rule), *comparison(rule), *value(rule)):
            yield Invalid(f"Error parsing L7Rule: {wrong}")


def key(rule: L7Rule) -> Iterator[str]:
    if rule.type in ("HEADER", "COOKIE", "SSL_DN_FIELD"):
        form = DN_FIELD if rule.type == "SSL_DN_FIELD" else HEADER_NAME
        if rule.key is None:
            yield f"a rule of type {rule.type} needs a key."
        elif not form.fullmatch(rule.key):
            yield f"the key '{rule.key}' of a rule of type {rule.type} has characters that no such name can have."
    elif rule.key is not None:
        yield f"a rule of type {rule.type} takes no key."


def comparison(rule: L7Rule) -> Iterator[str]:
    if rule.type == "FILE_TYPE" and rule.compare_type not in ("REGEX", "EQUAL_TO"):
        yield "a rule of type FILE_TYPE compares by REGEX or EQUAL_TO."
    if rule.type in ("SSL_CONN_HAS_CERT", "SSL_VERIFY_RESULT") and rule.compare_type != "EQUAL_TO":
        yield f"a rule of type {rule.type} compares by EQUAL_TO."


def value(rule: L7Rule) -> Iterator[str]:
    if rule.type == "SSL_CONN_HAS_CERT" and rule.value.lower() != "true":
        yield "the value of a rule of type SSL_CONN_HAS_CERT is 'true'."
    elif rule.type == "SSL_VERIFY_RESULT" and not re.fullmatch(r"[0-9]{1,9}", rule.value):
        yield "the value of a rule of type SSL_VERIFY_RESULT is a whole number from 0."
    elif rule.compare_type == "REGEX":
        yield from expression(rule.value)
    elif re.search(r"\s", rule.value) and not re.fullmatch(r'"[^"]*"', rule.value):
        yield f"the value '{rule.value}' has spaces: put it into double quotes."


def expression(text: str) -> Iterator[str]:
    try:
        re.compile(text)
    except FutureWarning:
        # Python means to read it in another way one day; HAProxy does not.
        return
    except (re.error, OverflowError, RecursionError) as error:
        yield f"'{text}' is no regular expression: {error}."


LAWS = (listeners, targets, redirect_pools, number_of_rules, rules)
