"""From one set of servers to another: a model of HAProxy's runtime API obeys the commands, and ends as wished."""

from collections.abc import Callable

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from octavia.amphora import changes
from octavia.domain.document import Server

replace = msgspec.structs.replace
BACKENDS = ("pool:a", "pool:b")
OPTIONS = ((), ("backup",), ("check", "inter", "1000ms", "fall", "3", "rise", "2"))


@st.composite
def servers(draw: st.DrawFn) -> Server:
    number = draw(st.integers(1, 6))
    return Server(
        backend=draw(st.sampled_from(BACKENDS)),
        name=f"member{number}",
        id=number,
        address=draw(st.sampled_from(("192.0.2.1", "192.0.2.2", "2001:db8::1"))),
        port=draw(st.integers(1, 65535)),
        weight=draw(st.integers(0, 256)),
        disabled=draw(st.booleans()),
        options=draw(st.sampled_from(OPTIONS)),
    )


sets = st.lists(servers(), max_size=12, unique_by=changes.key)


class Model:
    """What the management guide says of a worker (9.3): it refuses what a worker would refuse."""

    def __init__(self, running: list[Server]) -> None:
        self.servers = {changes.key(server): server for server in running}
        self.checked = {name for name, server in self.servers.items() if "check" in server.options}
        self.cookies: set[str] = set()
        self.resting: set[str] = set()

    def obey(self, command: str) -> None:
        words = command.split()
        known: dict[tuple[str, str], Callable[..., object]] = {
            ("add", "server"): self.add,
            ("enable", "server"): lambda name: self.change(name, disabled=False),
            ("enable", "health"): lambda name: self.checked.add(self.known(name)),
            ("enable", "dynamic-cookie"): lambda kind, backend: self.cookies.add(backend),
            ("set", "server"): self.set,
        }
        known[words[0], words[1]](*words[2:])

    def known(self, name: str) -> str:
        assert name in self.servers
        return name

    def change(self, name: str, **fields: object) -> None:
        self.servers[name] = replace(self.servers[self.known(name)], **fields)

    def add(self, name: str, endpoint: str, *words: str) -> None:
        assert name not in self.servers
        assert words[0] == "id"
        assert words[2] == "weight"
        backend, _, short = name.partition("/")
        address, _, port = endpoint.rpartition(":")
        self.servers[name] = Server(
            backend=backend,
            name=short,
            id=int(words[1]),
            address=address.strip("[]"),
            port=int(port),
            weight=int(words[3]),
            disabled=True,
            options=words[4:],
        )

    def set(self, name: str, what: str, *words: str) -> None:
        if what == "state" and words == ("maint",) and name not in self.wanted:
            self.resting.add(self.known(name))
        elif what == "state":
            self.change(name, disabled=words == ("maint",))
        elif what == "weight":
            self.change(name, weight=int(words[0]))
        else:
            assert (what, words[1]) == ("addr", "port")
            self.change(name, address=words[0], port=int(words[2]))

    def become(self, wanted: list[Server], commands: list[str]) -> None:
        self.wanted = {changes.key(server) for server in wanted}
        for command in commands:
            self.obey(command)


@given(sets, sets, st.sets(st.sampled_from(BACKENDS)))
def test_the_commands_lead_there(running: list[Server], wanted: list[Server], cookies: set[str]) -> None:
    if changes.needs_reload(running, wanted):
        return
    model = Model(running)
    for commands in changes.commands(running, wanted, cookies):
        model.become(wanted, commands)
    left = set(changes.leaving(running, wanted))
    assert model.resting == left
    assert {name: server for name, server in model.servers.items() if name not in left} == {
        changes.key(server): server for server in wanted
    }
    fresh = [server for server in wanted if changes.key(server) not in map(changes.key, running)]
    assert {changes.key(server) for server in wanted if "check" in server.options} <= model.checked
    assert {server.backend for server in fresh} & cookies == model.cookies


@given(sets, st.randoms(use_true_random=False))
def test_nothing_is_said_where_nothing_changes(running: list[Server], random: object) -> None:
    wanted = list(running)
    random.shuffle(wanted)  # type: ignore[attr-defined]
    assert changes.commands(running, wanted, BACKENDS) == ([], [])
    assert changes.leaving(running, wanted) == []
    assert not changes.needs_reload(running, wanted)


@given(sets)
def test_only_identity_and_keywords_need_a_reload(running: list[Server]) -> None:
    for number, server in enumerate(running):
        others = running[:number] + running[number + 1 :]
        soft = replace(server, address="192.0.2.99", port=1, weight=7, disabled=not server.disabled)
        assert not changes.needs_reload(running, [*others, soft])
        assert changes.needs_reload(running, [*others, replace(server, id=99)])
        assert changes.needs_reload(running, [*others, replace(server, options=("send-proxy",))])


def test_newcomers_serve_before_anybody_leaves() -> None:
    old = Server(backend="p", name="old", id=1, address="192.0.2.1", port=80, weight=1)
    new = replace(old, name="new", id=2)
    assert changes.commands([old], [new], []) == (
        ["add server p/new 192.0.2.1:80 id 2 weight 1", "enable server p/new"],
        ["set server p/old state maint"],
    )


def test_nobody_rests_before_others_work() -> None:
    one = Server(backend="p", name="one", id=1, address="192.0.2.1", port=80, weight=5)
    two = replace(one, name="two", id=2, disabled=True, weight=0)
    after = [replace(one, weight=0, disabled=True), replace(two, weight=7, disabled=False)]
    assert changes.commands([one, two], after, []) == (
        ["set server p/two weight 7", "set server p/two state ready"],
        ["set server p/one weight 0", "set server p/one state maint"],
    )


def test_words_of_the_command_line_are_escaped() -> None:
    strange = Server(backend="p", name="s", id=1, address="::1", port=80, weight=1, options=("sni", "a b;c\\"))
    first, _ = changes.commands([], [strange], ["p"])
    assert first[0] == "add server p/s [::1]:80 id 1 weight 1 sni a\\ b\\;c\\\\"
