"""`python -m octavia.amphora FOLDER`: the agent of the amphora whose seed lies in this folder."""

import logging
import os
import signal
import sys
import threading
from pathlib import Path


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: python -m octavia.amphora FOLDER", file=sys.stderr)  # noqa: T201
        return 2
    os.umask(0o077)
    os.chdir(sys.argv[1])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    serve(Path("seed.json"))
    return 0


def serve(seed: Path) -> None:
    """The agent of this seed has served until SIGTERM."""
    # msgspec takes typing_extensions where it is installed, and does without: 1.2 MB of memory, 11 ms of the start.
    sys.modules.setdefault("typing_extensions", None)  # type: ignore[arg-type]
    import msgspec

    from octavia.amphora.agent import Agent
    from octavia.domain.document import Seed

    agent = Agent(msgspec.json.decode(seed.read_bytes(), type=Seed))
    # A handler that stopped the server from its own thread would wait for itself.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=agent.stop).start())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    agent.run()


if __name__ == "__main__":
    sys.exit(main())
