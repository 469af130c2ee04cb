"""A HAProxy that answers on many addresses, each with its own name, in a namespace on a bridge.

Run as: python -m benchmarks.backend BRIDGE NAME PREFIXLEN ADDRESS...
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from tools.members import PORT, ip, surround

HEAD = """global
    maxconn 2000
defaults
    mode http
    timeout client 60s
    timeout server 60s
    timeout connect 5s
"""
ONE = """frontend {name}
    bind {address}:{port}
    http-request return status 200 content-type text/plain string "{address}"
"""


def main() -> None:
    bridge, name, length, *addresses = sys.argv[1:]
    surround(bridge, name, f"{addresses[0]}/{length}")
    for address in addresses[1:]:
        ip("-n", name, "addr", "add", f"{address}/{length}", "dev", "eth0")
    config = HEAD + "".join(ONE.format(name=f"f{i}", address=a, port=PORT) for i, a in enumerate(addresses))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "backend.cfg")
        file.write_text(config)
        # -D returns once the sockets are bound.
        inside = ["nsenter", f"--net=/run/netns/{name}", "--"]
        subprocess.run([*inside, "haproxy", "-D", "-f", str(file)], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
