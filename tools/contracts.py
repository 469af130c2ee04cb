"""Runs import-linter, and prints its picture and its report only where a contract is broken."""

import subprocess
import sys
from pathlib import Path


def main() -> int:
    program = str(Path(sys.executable).with_name("lint-imports"))
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout + done.stderr)
        return done.returncode
    print(next((line for line in done.stdout.splitlines() if line.startswith("Contracts:")), "Contracts kept."))
    return 0


if __name__ == "__main__":
    sys.exit(main())
