"""What a new worker of HAProxy should know of what the old one knew: members that are down, clients that stick.

HAProxy hands stick tables over by itself (its `peers`), but for a worker that is only seconds old: that one has not
learnt yet that it has nothing to learn. Members it believes in until their first check says otherwise.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from msgspec import Struct

from octavia.amphora.haproxy import Row

YOUNG: Final = 7.0
"""Seconds after which a worker hands its tables over itself: measured with 2.6.12, it needs 5."""
MOST_ENTRIES: Final = 10_000
"""More is not carried: a reload must not wait for it."""
TABLE: Final = re.compile(r"# table: (\S+), type: .*, used:([1-9]\d*)")
ENTRY: Final = re.compile(r"0x\S+ key=([!-~]+) use=.* server_id=(\d+)")
SPECIAL: Final = re.compile(r"[\\;]")


class Entry(Struct, frozen=True):
    """This client goes to this server."""

    table: str
    key: str
    server: int


def entries(ask: Callable[[str], str]) -> list[Entry]:
    """What stands in the worker's tables (management guide 9.3, `show table`)."""
    used = (found.group(1) for line in ask("show table").splitlines() if (found := TABLE.match(line)))
    return [entry for table in used for entry in parsed(table, ask(f"show table {table}"))][:MOST_ENTRIES]


def parsed(table: str, text: str) -> Iterator[Entry]:
    for line in text.splitlines():
        if found := ENTRY.match(line):
            yield Entry(table, found.group(1), int(found.group(2)))


def down(rows: Iterable[Row]) -> list[str]:
    """The servers that have failed their checks."""
    return [
        f"{row['pxname']}/{row['svname']}"
        for row in rows
        if row["status"].startswith("DOWN") and row["svname"] not in ("FRONTEND", "BACKEND")
    ]


def commands(known: Iterable[Entry], failed: Iterable[str]) -> list[str]:
    """What tells another worker. It refuses what does not concern it any more, which does no harm."""
    return [
        *(f"set server {server} health down" for server in failed),
        *(f"set table {entry.table} key {escaped(entry.key)} data.server_id {entry.server}" for entry in known),
    ]


def escaped(key: str) -> str:
    return SPECIAL.sub(r"\\\g<0>", key)
