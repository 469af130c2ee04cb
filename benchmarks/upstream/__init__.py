"""The API beside that of OpenStack Octavia, over drivers that do nothing: how many times as fast is it?"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.harness import Result, dumped, say
from benchmarks.upstream import install
from benchmarks.upstream.filling import PLAIN, ROWS, asked, fill_ours, fill_upstream, one_of
from benchmarks.upstream.requests import Cell, Seen, measured
from benchmarks.upstream.servers import LIST, NOOP, Serve, Side, memory, ours, staged, upstream
from tools import mariadb
from tools.stage import StageError

DURABLE = (
    "--innodb-buffer-pool-size=512M",
    "--innodb-log-file-size=128M",
    "--innodb-flush-log-at-trx-commit=1",
    "--skip-log-bin",
)
"""Every commit is on the disk before it is answered, as for SQLite: nobody is quick by forgetting."""
CLIENTS = (1, 16)
ROUNDS, SECONDS = 5, 3.0
QUICK_ROUNDS, QUICK_SECONDS = 2, 1.0

Seens = dict[tuple[str, str], list[Seen]]
"""By what was measured and by whom it was answered: one for each round."""


def prepare() -> None:
    """What needs the network is there."""
    install.ensure()


def run(quick: bool) -> list[Result]:
    rounds, seconds = (QUICK_ROUNDS, QUICK_SECONDS) if quick else (ROUNDS, SECONDS)
    seens: Seens = {}
    sizes: dict[str, list[float]] = {}
    with sides() as compared:
        wanted = {side.name: cells(one_of(side.port)) for side in compared}
        for side in compared:
            for cell in wanted[side.name]:
                check(side, cell)
                measured(side.port, cell, count=20 if cell.clients == 1 else 0, seconds=0.3)
            side.reset()
        for number in range(rounds):
            for at in range(len(cells(""))):
                for side in turned(compared, number):
                    measure(side, wanted[side.name][at], seconds, seens)
                    if wanted[side.name][at].method == "POST":
                        sizes.setdefault(side.name, []).append(memory(side))
                        side.reset()
            say(f"round {number + 1} of {rounds} is done")
    for line in [*summary(seens), *(f"{name}: PSS {median(size):.0f} MB" for name, size in sizes.items())]:
        say(line)
    return results(seens, sizes)


@contextmanager
def sides() -> Iterator[list[Side]]:
    """All of them serve, each with the same load balancers."""
    with (
        tempfile.TemporaryDirectory(prefix="octavia-bench-") as folder,
        mariadb.server(options=DURABLE) as server,
        staged("bench-serve") as alone,
        staged("bench-filling") as filling,
        upstream(server, install.ensure(), Path(folder)) as theirs,
    ):
        fill_upstream(theirs.name, theirs.port, server)
        connection = server.create("ours")
        fill_ours("octavia serve on MariaDB", filling, f"[database]\nconnection = {connection}\n{NOOP}")
        filling.stop()
        fill_ours("octavia serve on SQLite", alone)
        serve = Serve("octavia serve, SQLite", alone)
        with ours(server, filling, connection) as forked:
            for side in (theirs, forked, serve):
                side.keep()
            yield [theirs, forked, serve]


def cells(identifier: str) -> list[Cell]:
    kinds = [
        ("show one", f"{LIST}/{identifier}", None),
        ("status tree", f"{LIST}/{identifier}/status", None),
        ("list of 100", f"{LIST}?limit=100", ("loadbalancers", 100)),
        ("list of 1000", f"{LIST}?limit={ROWS}", ("loadbalancers", ROWS)),
    ]
    asking = [
        Cell(what=named(what, clients), path=path, clients=clients, items=items)
        for what, path, items in kinds
        for clients in CLIENTS
    ]
    body = dumped(PLAIN)
    making = [
        Cell(what=named("create", clients), method="POST", path=LIST, clients=clients, body=body, wanted=201)
        for clients in CLIENTS
    ]
    return asking + making


def named(what: str, clients: int) -> str:
    return f"{what}, {clients} client{'s' if clients > 1 else ''}"


def turned(sides: Sequence[Side], number: int) -> list[Side]:
    """Who comes first changes with each round."""
    first = number % len(sides)
    return [*sides[first:], *sides[:first]]


def check(side: Side, cell: Cell) -> None:
    """Everybody answers with as many as were asked for. Raises StageError."""
    if cell.items is None:
        return
    name, count = cell.items
    found = len(asked(side.port, cell.path)[name])
    if found != count:
        raise StageError(f"{side.name}: {cell.what} has {found} items")


def measure(side: Side, cell: Cell, seconds: float, seens: Seens) -> None:
    seen = measured(side.port, cell, seconds=seconds)
    if cell.method == "GET" and seen.sizes[1] > 1.1 * seen.sizes[0]:
        raise StageError(f"{side.name}: {cell.what}: answers of {seen.sizes[0]} and of {seen.sizes[1]} bytes")
    seens.setdefault((cell.what, side.name), []).append(seen)


def results(seens: Seens, sizes: dict[str, list[float]]) -> list[Result]:
    rows = [row for key in seens for row in rows_of(key, seens)]
    theirs = next(iter(sizes.values()))
    for name, size in sizes.items():
        times = None if size is theirs else median(theirs) / median(size)
        rows.append(Result(what=f"PSS of all API processes: {name}", unit="MB", samples=size, times=times))
    return rows


def rows_of(key: tuple[str, str], seens: Seens) -> list[Result]:
    what, name = key
    mine, theirs = seens[key], seens[what, "upstream"]
    rate, latency = ratios(mine, theirs)
    compared = mine is not theirs
    title = f"{what}: {name}"
    failed = [float(seen.failed) for seen in mine]
    return [
        Result(what=title, unit="1/s", samples=[one.rate for one in mine], times=rate if compared else None),
        Result(what="  p50", unit="ms", samples=[one.p50 for one in mine], times=latency if compared else None),
        Result(what="  p99", unit="ms", samples=[one.p99 for one in mine]),
        *([Result(what="  failed", unit="", samples=failed, most=0)] if any(failed) else []),
    ]


def ratios(mine: Sequence[Seen], theirs: Sequence[Seen]) -> tuple[float, float]:
    """How many times the requests per second, and how many times as short the median latency."""
    rate = median(one.rate for one in mine) / median(one.rate for one in theirs)
    return rate, median(one.p50 for one in theirs) / median(one.p50 for one in mine)


def summary(seens: Seens) -> list[str]:
    """A line for each cell: requests/s and median latency of each, and how many times as good as upstream."""
    names = list(dict.fromkeys(name for _, name in seens))
    lines = [f"{'requests/s, p50 in ms (times upstream)':<40}" + "".join(f"{name:>36}" for name in names)]
    for what in dict.fromkeys(what for what, _ in seens):
        theirs = seens[what, names[0]]
        lines.append(f"{what:<40}" + "".join(f"{brief(seens[what, name], theirs):>36}" for name in names))
    return lines


def brief(mine: Sequence[Seen], theirs: Sequence[Seen]) -> str:
    text = f"{median(one.rate for one in mine):.1f}/s {median(one.p50 for one in mine):.2f} ms"
    if mine is theirs:
        return text
    rate, latency = ratios(mine, theirs)
    return f"{text} (x{rate:.1f}, x{latency:.1f})"
