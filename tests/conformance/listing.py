"""What the suite holds: docs/conformance.md, by sections of the contract."""

from collections import Counter
from pathlib import Path

from tests.conformance.suite import all_tables

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
SECTIONS = {
    "1": "Transport, discovery, versioning",
    "2": "Paths, verbs, policies",
    "3": "Lists",
    "4": "Common write rules",
    "5": "Load balancer",
    "6": "Listener",
    "7": "Pool",
    "8": "Member",
    "9": "Health monitor",
    "10": "L7 policy and rule",
    "11": "Quotas, flavors, availability zones, providers, amphorae",
    "12": "Statuses and transitions",
    "13": "Exact response keys, transport details",
    "Defects of upstream": "Defects of upstream",
}
HEAD = """# Conformance

What clients of the Load Balancer API v2 rely on is written down in `tests/conformance/`: {total} rules, each one
request and what its answer must be. They are asked of the API over a real database, with no-op drivers and a
controller that works when it is told to. Run them with

```
make test ARGS=tests/conformance
```

A row is data, and reads as a sentence. `listener`, `{{UDP pool}}`, `{{HEADER rule}}` are things of a row's own scene,
which are made when it first names them:

```
Row("a listener has one default pool", new("pool", loadbalancer_id=LEFT_OUT, listener_id="{{listener}}"), 409,
    "default pool", [show("served pool")])
```

This page is written by `python -m tests.conformance`.
"""


def counts() -> dict[str, Counter[str]]:
    """Section to topic to the number of its rules."""
    found: dict[str, Counter[str]] = {section: Counter() for section in SECTIONS}
    for table in all_tables():
        found[table.section][table.title.partition(":")[0]] += len(table.rows)
    return found


def page() -> str:
    found = counts()
    lines = [HEAD.format(total=sum(topics.total() for topics in found.values()))]
    for section, topics in found.items():
        lines += [f"## {SECTIONS[section]}: {topics.total()}", ""]
        lines += [f"* {topic}: {number}" for topic, number in topics.items()]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"
