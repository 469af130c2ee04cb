"""Runs benchmarks, prints their tables, and keeps their figures as JSON in benchmarks/results/."""

import argparse
import os
import signal
import sys
from types import FrameType

from benchmarks import api, create, fleet, member, memory
from benchmarks.harness import Benchmark, keep, table
from tools.stage import ROOT, StageError

ALL: dict[str, Benchmark] = {
    "create": create.run,
    "member": member.run,
    "memory": memory.run,
    "fleet": fleet.run,
    "api": api.run,
}
INSIDE = "OCTAVIA_BENCHMARKS_INSIDE"
# The shell stays as the first process: it takes in whatever is left without a parent.
SETUP = 'mount -t tmpfs -o mode=755 tmpfs /run && ip link set lo up && "$@"'


def main() -> int:
    arguments = parsed()
    if os.geteuid() == 0 and INSIDE not in os.environ:
        apart()
    signal.signal(signal.SIGTERM, interrupt)
    failed = 0
    for name in arguments.names or ALL:
        print(f"\n==> {name}: {sys.modules[ALL[name].__module__].__doc__}", flush=True)
        try:
            rows = [result.row() for result in ALL[name](arguments.quick)]
        except StageError as error:
            print(f"error: {error}", file=sys.stderr)
            failed += 1
            continue
        print(table(rows), flush=True)
        print(f"    kept as {keep(name, rows).relative_to(ROOT)}", flush=True)
    return 1 if failed else 0


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


def interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
