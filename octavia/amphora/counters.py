"""Counters that only grow since the agent's boot, over workers of HAProxy that each begin at 0. Pure."""

from collections.abc import Iterable, Mapping
from typing import Literal

from octavia.amphora.haproxy import Row
from octavia.domain.heartbeat import ListenerReport, PoolReport

COUNTED = {"bytes_in": "bin", "bytes_out": "bout", "total_connections": "stot", "request_errors": "ereq"}


class Counters:
    """One growing number for each (listener, counter)."""

    def __init__(self) -> None:
        self._last: dict[tuple[int, str, str], int] = {}
        self._sum: dict[tuple[str, str], int] = {}

    def baseline(self, seen: Mapping[int, Iterable[Row]]) -> None:
        """What was counted before the agent's boot does not count."""
        self.take_in(seen)
        self._sum.clear()

    def take_in(self, seen: Mapping[int, Iterable[Row]]) -> dict[str, ListenerReport]:
        """What the workers (process id to rows) show now. The first is the one that takes new connections: its
        listeners are reported; those of workers that finish their last connections are added to them."""
        rows = {worker: frontends(shown) for worker, shown in seen.items()}
        self._last = {key: value for key, value in self._last.items() if key[0] in rows}
        for worker, shown in rows.items():
            for row in shown:
                self._grow(worker, row)
        open_now: dict[str, int] = {}
        for row in (row for shown in rows.values() for row in shown):
            open_now[row["pxname"]] = open_now.get(row["pxname"], 0) + number(row, "scur")
        return {row["pxname"]: self._report(row, open_now[row["pxname"]]) for row in next(iter(rows.values()), [])}

    def _grow(self, worker: int, row: Row) -> None:
        for name, field in COUNTED.items():
            key, total = (worker, row["pxname"], name), (row["pxname"], name)
            value, last = number(row, field), self._last.get(key, 0)
            # A value below the last was set back by somebody, and has begun at 0.
            self._sum[total] = self._sum.get(total, 0) + (value - last if value >= last else value)
            self._last[key] = value

    def _report(self, row: Row, open_now: int) -> ListenerReport:
        full = 0 < number(row, "slim") <= number(row, "scur")
        sums = {name: self._sum.get((row["pxname"], name), 0) for name in COUNTED}
        return ListenerReport(status="FULL" if full else "OPEN", active_connections=open_now, **sums)


def frontends(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["svname"] == "FRONTEND"]


def pools(rows: Iterable[Row]) -> dict[str, PoolReport]:
    """Backend name to what it says of itself and of its servers."""
    members: dict[str, dict[str, str]] = {}
    status: dict[str, Literal["UP", "DOWN"]] = {}
    for row in rows:
        name, server = row["pxname"], row["svname"]
        if ":" not in name or server == "FRONTEND":
            continue
        if server == "BACKEND":
            status[name] = "UP" if row["status"].startswith("UP") else "DOWN"
        else:
            members.setdefault(name, {})[server] = row["status"]
    return {name: PoolReport(status=said, members=members.get(name, {})) for name, said in status.items()}


def number(row: Row, field: str) -> int:
    text = row[field]
    return int(text) if text.isdecimal() else 0
