"""What HAProxy must be told at runtime to get from one set of servers to another. Pure."""

from collections.abc import Iterable

from octavia.domain.document import Server

SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\; "})


def commands(
    running: Iterable[Server], wanted: Iterable[Server], dynamic_cookies: Iterable[str]
) -> tuple[list[str], list[str]]:
    """Commands of the runtime API (management guide 9.3): those that give traffic somewhere to go, and those that
    take it away from somewhere. The second must wait until HAProxy has done all of the first."""
    before = {key(server): server for server in running}
    after = {key(server): server for server in wanted}
    cookies = frozenset(dynamic_cookies)
    first: list[str] = []
    second: list[str] = []
    for name, server in after.items():
        known = before.get(name)
        if known is None:
            first += added(server, cookies)
        elif known != server:
            first += strengthened(known, server)
            second += weakened(known, server)
    return first, second + [f"set server {name} state maint" for name in before if name not in after]


def needs_reload(running: Iterable[Server], wanted: Iterable[Server]) -> bool:
    """Whether a server changes in what HAProxy learns from its file alone: its id or its further keywords.

    It could be deleted and added again, but its traffic would have nowhere to go meanwhile; a reload loses none.
    """
    before = {key(server): server for server in running}
    return any((known := before.get(key(server))) is not None and fixed(known) != fixed(server) for server in wanted)


def key(server: Server) -> str:
    return f"{server.backend}/{server.name}"


def fixed(server: Server) -> tuple[object, ...]:
    return (server.id, server.options)


def leaving(running: Iterable[Server], wanted: Iterable[Server]) -> list[str]:
    """Names of servers that are to be deleted once they are drained."""
    kept = {key(server) for server in wanted}
    return [key(server) for server in running if key(server) not in kept]


def added(server: Server, cookies: frozenset[str]) -> list[str]:
    name = key(server)
    address = f"[{server.address}]" if ":" in server.address else server.address
    options = [option.translate(SPECIAL) for option in server.options]
    words = [f"add server {name} {address}:{server.port} id {server.id} weight {server.weight}", *options]
    found = [" ".join(words)]
    if server.backend in cookies:
        # Without it HAProxy takes the cookies of this server's clients for unknown ones.
        found.append(f"enable dynamic-cookie backend {server.backend}")
    if "check" in server.options:
        found.append(f"enable health {name}")
    if not server.disabled:
        found.append(f"enable server {name}")
    return found


def strengthened(before: Server, after: Server) -> list[str]:
    name = key(after)
    found = []
    if (before.address, before.port) != (after.address, after.port):
        found.append(f"set server {name} addr {after.address} port {after.port}")
    if before.weight != after.weight and after.weight:
        found.append(f"set server {name} weight {after.weight}")
    if before.disabled and not after.disabled:
        found.append(f"set server {name} state ready")
    return found


def weakened(before: Server, after: Server) -> list[str]:
    name = key(after)
    found = []
    if before.weight and not after.weight:
        found.append(f"set server {name} weight 0")
    if after.disabled and not before.disabled:
        found.append(f"set server {name} state maint")
    return found
