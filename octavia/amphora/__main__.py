"""`python -m octavia.amphora FOLDER`: the agent of the amphora whose seed lies in this folder."""

import logging
import os
import signal
import sys
import threading
from pathlib import Path

import msgspec

from octavia.amphora.agent import Agent
from octavia.domain.document import Seed


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: python -m octavia.amphora FOLDER", file=sys.stderr)  # noqa: T201
        return 2
    os.umask(0o077)
    os.chdir(sys.argv[1])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    agent = Agent(msgspec.json.decode(Path("seed.json").read_bytes(), type=Seed))
    # A handler that stopped the server from its own thread would wait for itself.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=agent.stop).start())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    agent.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
