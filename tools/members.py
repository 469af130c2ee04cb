"""Web servers as members, in network namespaces on a bridge. Run where that bridge is:

python members.py up BRIDGE PREFIX NUMBER ADDRESS/LENGTH    one web server, named web<NUMBER>, on port 8080
python members.py here NUMBER ADDRESS                       the same, without a namespace of its own
"""

import subprocess
import sys
from pathlib import Path

PORT = 8080


def main() -> None:
    verb, *rest = sys.argv[1:]
    if verb == "here":
        serve([], *rest)
        return
    bridge, prefix, number, address = rest
    name = prefix + number
    surround(bridge, name, address)
    serve(["nsenter", f"--net=/run/netns/{name}", "--"], number, address.partition("/")[0])


def surround(bridge: str, name: str, address: str) -> None:
    """A namespace of this name with one link to the bridge."""
    ip("netns", "add", name)
    ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
    ip("link", "set", name, "master", bridge, "up")
    for command in (
        ["addr", "add", address, "dev", "eth0"],
        ["link", "set", "eth0", "up"],
        ["link", "set", "lo", "up"],
    ):
        ip("-n", name, *command)


def serve(before: list[str], number: str, address: str) -> None:
    program = str(Path(__file__).with_name("web.py"))
    nothing = subprocess.DEVNULL
    subprocess.Popen(
        [*before, sys.executable, program, f"web{number}", address, str(PORT)],
        start_new_session=True,
        stdin=nothing,
        stdout=nothing,
        stderr=nothing,
    )


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


if __name__ == "__main__":
    main()
