"""Each wish gives the same text, byte for byte, and HAProxy takes it without a warning.

REFRESH_GOLDEN=1 writes the files anew: read the difference before you commit it.
"""

import os
from pathlib import Path

import pytest

from tests.render import haproxy
from tests.render.wishes import CASES

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.mark.parametrize("name", CASES)
def test_text(name: str) -> None:
    path = GOLDEN / f"{name}.cfg"
    text = CASES[name].document().config
    if os.environ.get("REFRESH_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


@haproxy.needed
@pytest.mark.parametrize("name", CASES)
def test_haproxy_takes_it(name: str, tmp_path: Path) -> None:
    assert haproxy.complaints((GOLDEN / f"{name}.cfg").read_text(), tmp_path) == ""


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.cfg")} == set(CASES)
