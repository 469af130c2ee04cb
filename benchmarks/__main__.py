"""Runs benchmarks, prints their tables, and keeps their figures as JSON in benchmarks/results/."""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from types import FrameType

from benchmarks import api, create, fleet, member, memory, recovery, rootless, upstream
from benchmarks.harness import Benchmark, keep, table
from benchmarks.machine import introduction, machine
from tools.stage import ROOT, StageError

ALL: dict[str, Benchmark] = {
    "create": create.run,
    "rootless": rootless.run,
    "member": member.run,
    "memory": memory.run,
    "fleet": fleet.run,
    "recovery": recovery.run,
    "api": api.run,
    "upstream": upstream.run,
}
PREPARE = {"upstream": upstream.prepare}
"""What needs the network, which is not there in namespaces of their own."""
LONGEST = 1800
"""Seconds after which a benchmark is given up."""
INSIDE = "OCTAVIA_BENCHMARKS_INSIDE"
# The shell stays as the first process: it takes in whatever is left without a parent.
SETUP = 'mount -t tmpfs -o mode=755 tmpfs /run && ip link set lo up && "$@"'


def main() -> int:
    arguments = parsed()
    if INSIDE not in os.environ:
        prepare(arguments.names or ALL)
        if os.geteuid() == 0:
            apart()
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGALRM, too_long)
    failed = [name for name in arguments.names or ALL if not measure(name, quick=arguments.quick)]
    if failed:
        print(f"\nnot measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def measure(name: str, *, quick: bool) -> bool:
    """The benchmark's table is printed and kept; False where there is none."""
    print(f"\n==> {name}: {sys.modules[ALL[name].__module__].__doc__}", flush=True)
    here = machine()
    print(f"    {introduction(here)}", flush=True)
    signal.alarm(LONGEST)
    try:
        rows = [result.row() for result in ALL[name](quick)]
    except (StageError, AssertionError, OSError, subprocess.SubprocessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return False
    finally:
        signal.alarm(0)
    print(table(rows), flush=True)
    print(f"    kept as {keep(name, rows, here).relative_to(ROOT)}", flush=True)
    return True


def prepare(names: Iterable[str]) -> None:
    """What these benchmarks need from elsewhere is there; those that miss it fail later, and say why."""
    for name in names:
        try:
            PREPARE.get(name, lambda: None)()
        except (StageError, OSError, subprocess.SubprocessError) as error:
            print(f"error: {error}", file=sys.stderr)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*ALL, []], metavar="NAME", help=f"which: {', '.join(ALL)}")
    parser.add_argument("--quick", action="store_true", help="few repetitions: to see whether it works")
    return parser.parse_args()


def apart() -> None:
    """The same command in namespaces of its own: whatever happens, all that it starts ends with it."""
    kinds = ["--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
    command = ["unshare", *kinds, "sh", "-c", SETUP, "sh", sys.executable, "-m", "benchmarks", *sys.argv[1:]]
    os.execvpe(command[0], command, os.environ | {INSIDE: "1"})


def too_long(_number: int, _frame: FrameType | None) -> None:
    raise StageError(f"it takes longer than {LONGEST} s")


def interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
