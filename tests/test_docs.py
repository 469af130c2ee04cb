"""What the documentation says is so: links lead somewhere, commands do what is said, tables are those of the code."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from octavia.api import network
from octavia.api.door import LARGEST_BODY
from octavia.api.routes import ROUTES
from octavia.cli import main, parser
from octavia.domain.catalogue import ENTRIES
from octavia.domain.graph import NOUNS
from octavia.domain.quota import Quota
from octavia.domain.shape import shape
from octavia.render.offered import GAPS
from tests.e2e.conftest import reason_against, staged
from tests.e2e.stage import Stage, python
from tools import options, reference

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("design/*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The names that headings get, in the way of GitHub."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(first: str) -> Iterator[str]:
    """Every command line of the documentation's blocks that starts with this word."""
    for page in PAGES:
        for block in BLOCK.findall(page.read_text()):
            for line in block.splitlines():
                plain = line.removeprefix("$ ").partition("#")[0].strip()
                if plain.startswith(f"{first} "):
                    yield plain


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        aim = (page.parent / path).resolve() if path else page
        assert aim.exists(), f"{named(page)} links to {target}"
        assert not anchor or anchor in anchors(aim), f"{named(page)} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_pages_are_narrow_enough_to_read_unrendered(page: Path) -> None:
    prose = [line for line in page.read_text().splitlines() if not line.startswith("|")]
    assert max(map(len, prose)) <= 120


def test_every_design_record_is_listed() -> None:
    listed = (ROOT / "design" / "README.md").read_text()
    for record in ROOT.glob("design/0*.md"):
        assert f"({record.name})" in listed
        assert "\nStatus: " in record.read_text()
        assert "\n## Cost\n" in record.read_text()


def test_the_page_of_options_is_that_of_the_code() -> None:
    assert options.PAGE.read_text() == options.page(), "run: python -m tools.options"


@pytest.mark.parametrize("line", sorted(set(commands("octavia"))))
def test_octavia_takes_what_the_documentation_says(line: str) -> None:
    assert parser().parse_args(shlex.split(line.removesuffix("&"))[1:]).command


def spans(first: str) -> set[str]:
    """The second word of what is said within a line, such as `octavia status`."""
    pages = "\n".join(BLOCK.sub("", page.read_text()) for page in PAGES)
    return set(re.findall(rf"`{first} ([a-z]+)[^`]*`", pages))


def test_octavia_has_the_subcommands_that_are_named() -> None:
    for word in spans("octavia"):
        words = [word, "upgrade"] if word == "db" else [word]
        with pytest.raises(SystemExit) as ended:
            main([*words, "--help"])
        assert ended.value.code == 0, word


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["serve", "--help"], ["db", "upgrade", "--help"]])
def test_octavia_speaks_without_loading_the_daemon(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    assert capsys.readouterr().out


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("line", sorted(set(commands("make"))))
def test_make_knows_what_the_documentation_says(line: str) -> None:
    assert line.split()[1] in targets()


def test_make_says_what_it_knows() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    assert all(f"make {target}" in done.stdout for target in targets())


def test_make_has_the_targets_that_are_named() -> None:
    assert spans("make") <= targets()


@pytest.mark.parametrize("line", sorted({line.partition(" -")[0] for line in commands("openstack loadbalancer")}))
def test_openstack_commands_are_ones_that_the_client_has(line: str) -> None:
    pytest.importorskip("octaviaclient")
    known = {point.name for point in entry_points(group="openstack.load_balancer.v2")}
    words = line.split()[1:]
    assert any("_".join(words[:count]) in known for count in (2, 3))


def rows(page: str) -> Iterator[list[str]]:
    """The cells of every table of a page."""
    for line in (ROOT / "docs" / page).read_text().splitlines():
        if line.startswith("| "):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def test_the_page_of_the_api_is_that_of_the_code() -> None:
    assert reference.PAGE.read_text() == reference.page(), "run: python -m tools.reference"


def test_the_addresses_of_the_api_are_those_that_it_has() -> None:
    said = {
        (cells[1].strip("`"), cells[0]) for cells in rows("api.md") if len(cells) == 5 and cells[1].startswith("`/")
    }
    assert said == {(path, verb) for path, verbs in ROUTES.items() if path not in network.routes() for verb in verbs}
    assert all(f"`{name}`" in (ROOT / "docs" / "api.md").read_text() for name in network.RESOURCES)


def test_every_attribute_is_said() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    nouns = (*NOUNS, *ENTRIES, Quota)
    assert [(noun, key) for noun in nouns for key in shape(noun) if f"`{key}`" not in text] == []


def test_what_is_not_offered_is_said() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    assert [gap.field for gap in GAPS if f"`{gap.field}`" not in text] == []
    assert str(LARGEST_BODY) in text


def test_sentences_of_visits_are_those_of_the_code() -> None:
    rooms = (ROOT / "octavia" / room for room in ("controller", "drivers"))
    code = "\n".join(file.read_text() for room in rooms for file in room.rglob("*.py"))
    table = [cells[0] for cells in rows("operations.md") if len(cells) == 2 and "..." in cells[0]]
    assert len(table) > 5
    for sentence in re.findall("`([^`]+)`", " ".join(table)):
        assert sentence in code, sentence


def test_what_status_shows_is_what_it_shows() -> None:
    """The labels in the documented output are those that the command prints."""
    code = (ROOT / "octavia" / "cli.py").read_text()
    for page in PAGES:
        for label in re.findall(
            r"^([a-z]+(?: [a-z]+)?)  +\S", "\n".join(BLOCK.findall(page.read_text())), re.MULTILINE
        ):
            if label in ("load balancer", "status", "generation", "last edit", "lease", "amphora"):
                assert f'"{label}  ' in code, label


FUNCTIONS = """set -e
openstack() { "$PYTHON" -m openstackclient.shell "$@"; }
octavia() {
    command=$1
    shift
    case $command in exec) set -- --state-path "$STATE" "$@" ;; esac
    "$PYTHON" -m octavia.cli "$command" "$@"
}
"""
READY = "until octavia exec -- curl -s -o /dev/null http://198.18.0.1:8000/; do sleep 0.1; done"
BY_HAND = ("openstack ", "octavia exec", "octavia status", "mkdir ", "curl ")


@pytest.fixture
def stage() -> Iterator[Stage]:
    yield from staged("root" if reason_against("root") is None else "rootless")


def blocks(page: str) -> list[str]:
    """What is to be typed by hand: each block of commands, without what prepares the shell."""
    found = []
    for block in BLOCK.findall((ROOT / page).read_text()):
        lines = [line for line in block.splitlines() if not re.match(r"(\.|export|octavia destroy|make) ?", line)]
        typed = "\n".join(lines).strip("\n")
        if typed.startswith(BY_HAND):
            found.append(typed)
    return found


def test_the_first_load_balancer_by_hand_is_made_as_written(stage: Stage) -> None:
    """README, and the request of the quick start, to the letter: only where the member's page lies is another place."""
    pytest.importorskip("openstackclient")
    create, ask, delete = blocks("README.md")
    (at_once,) = blocks("docs/quickstart.md")
    (server,) = (line for line in ask.splitlines() if line.endswith("&"))
    before, _, after = ask.partition(server)
    typed(stage, create, before)
    stage.spawn(shlex.split(elsewhere(stage, server.strip("&").partition(" -- ")[2])))
    said = typed(stage, READY, after, at_once, delete)
    assert "\nhello\n" in f"\n{said}"
    assert "status         ACTIVE, ONLINE" in said
    assert '"vip_address":"198.18.0.100"' in said
    stage.until(lambda: names(stage) == ["at-once"], "only the second one is left")


def elsewhere(stage: Stage, text: str) -> str:
    return text.replace("/tmp/www", str(stage.state / "www")).replace("http://127.0.0.1:9876", stage.endpoint)


def typed(stage: Stage, *lines: str) -> str:
    """What these lines print."""
    script = elsewhere(stage, "\n".join([FUNCTIONS, *lines]))
    variables = [f"PYTHON={python(stage.kind)}", f"STATE={stage.state / 'state'}"]
    return stage.run(["env", *variables, "sh", "-c", script]).stdout


def names(stage: Stage) -> list[str]:
    return [row["name"] for row in stage.call("GET", "/loadbalancers")["loadbalancers"]]
