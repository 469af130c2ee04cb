"""Counters that only grow since the agent's boot, over a HAProxy whose own begin anew with every reload. Pure."""

from collections.abc import Iterable, Mapping
from typing import Literal

from octavia.domain.heartbeat import ListenerReport, PoolReport

Row = Mapping[str, str]
COUNTED = {"bytes_in": "bin", "bytes_out": "bout", "total_connections": "stot", "request_errors": "ereq"}


class Counters:
    """One growing number for each (frontend, counter)."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], int] = {}
        self._sum: dict[tuple[str, str], int] = {}

    def baseline(self, rows: Iterable[Row]) -> None:
        """What was counted before the agent's boot does not count."""
        for row in frontends(rows):
            for name, field in COUNTED.items():
                self._last[row["pxname"], name] = number(row, field)

    def take_in(self, rows: Iterable[Row]) -> dict[str, ListenerReport]:
        return {row["pxname"]: self._report(row) for row in frontends(rows)}

    def _report(self, row: Row) -> ListenerReport:
        full = 0 < number(row, "slim") <= number(row, "scur")
        sums = {name: self._grown(row["pxname"], name, number(row, field)) for name, field in COUNTED.items()}
        return ListenerReport(status="FULL" if full else "OPEN", active_connections=number(row, "scur"), **sums)

    def _grown(self, listener: str, name: str, value: int) -> int:
        """A value lower than the last is of a new worker, which began at 0."""
        key = (listener, name)
        last = self._last.get(key, 0)
        self._sum[key] = self._sum.get(key, 0) + (value - last if value >= last else value)
        self._last[key] = value
        return self._sum[key]


def frontends(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.get("svname") == "FRONTEND"]


def pools(rows: Iterable[Row]) -> dict[str, PoolReport]:
    """Backend name to what it says of itself and of its servers."""
    members: dict[str, dict[str, str]] = {}
    status: dict[str, Literal["UP", "DOWN"]] = {}
    for row in rows:
        name, server = row.get("pxname", ""), row.get("svname", "")
        if ":" not in name or server == "FRONTEND":
            continue
        if server == "BACKEND":
            status[name] = "UP" if row.get("status", "").startswith("UP") else "DOWN"
        else:
            members.setdefault(name, {})[server] = row.get("status", "")
    return {name: PoolReport(status=said, members=members.get(name, {})) for name, said in status.items()}


def number(row: Row, field: str) -> int:
    text = row.get(field, "")
    return int(text) if text.isdecimal() else 0
