"""What the documentation says is so: links lead somewhere, commands exist, the page of options is that of the code."""

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from octavia.cli import main
from tools import options

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
                plain = line.partition("#")[0].strip()
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


@cache
def usage(*words: str) -> str:
    done = subprocess.run([sys.executable, "-m", "octavia.cli", *words, "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("line", sorted(set(commands("octavia"))))
def test_octavia_knows_what_the_documentation_says(line: str) -> None:
    words = line.split(" -- ")[0].split()[1:]
    depth = 2 if words[0] == "db" else 1
    assert "usage:" in usage(*words[:depth])
    for option in (word for word in words if word.startswith("--")):
        assert option in usage(*words[:depth])


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


def test_openstack_commands_are_ones_that_the_client_has() -> None:
    said = {" ".join(line.split()[1:4]) for line in commands("openstack")}
    assert {"loadbalancer create --name", "loadbalancer listener create"} <= said
