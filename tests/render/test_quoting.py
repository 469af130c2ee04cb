"""No text breaks out of its place in a configuration."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from octavia.render.quoting import CONTROL, Quoted, literal, quoted, safe, sample
from tests.render import haproxy

SPECIAL = st.sampled_from(list("'\"\\ #${}%[]()|&;,\u00fc"))
TEXT = st.text(SPECIAL | st.characters(blacklist_categories=("Cs", "Cc")), max_size=60)


def words(line: str) -> list[str]:
    """The words of a line, read as HAProxy reads them (configuration manual, section 2.2)."""
    found, word, inside, place = [""], "", "", 0
    while place < len(line):
        letter = line[place]
        if inside:
            inside = "" if letter == inside else inside
            word += "" if letter == "'" else letter
        elif letter == "'":
            inside = letter
        elif letter == "\\":
            place += 1
            word += line[place]
        elif letter == " ":
            found[-1], word = word, ""
            found.append("")
        else:
            assert letter != "#", "a comment began"
            word += letter
        place += 1
    assert not inside, "a quote was left open"
    found[-1] = word
    return found


@given(TEXT)
def test_a_quoted_text_is_one_word_and_itself(text: str) -> None:
    assert words(f"before {quoted(text)} after") == ["before", text, "after"]
    assert words(f"before {sample('req.cook', text)} after")[0::2] == ["before", "after"]
    assert words(f"before {literal(text)} after")[1].replace("%%", "%") == text


@given(st.text())
def test_what_is_put_out_unquoted_is_a_plain_word(text: str) -> None:
    try:
        assert words(str(safe(text))) == [text]
    except ValueError:
        assert not text.isalnum() or not text.isascii()


@pytest.mark.parametrize("control", [*map(chr, range(32)), "\x7f"])
def test_control_characters_are_refused(control: str) -> None:
    assert CONTROL.search(control)
    for filter_ in (quoted, literal, lambda text: sample("f", text)):
        with pytest.raises(ValueError, match="control"):
            filter_(f"a{control}b")


def test_a_template_refuses_values_that_are_neither_plain_nor_quoted() -> None:
    assert safe(Quoted("'a b'")) == "'a b'"
    wrong: list[Any] = ["a b", "", "a\n", None, [], 1.5, "#", "'", '"', "\\", "$", "%"]
    for value in wrong:
        with pytest.raises(ValueError, match="not quoted"):
            safe(value)


@haproxy.needed
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(TEXT, min_size=50, max_size=50))
def test_haproxy_reads_every_text_as_it_was_written(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("quoting")
    variables = "".join(f"    setenv TEXT{number} {quoted('.' + text)}\n" for number, text in enumerate(texts))
    with haproxy.running("global\n    stats socket unix@haproxy.sock level admin\n" + variables, folder) as runtime:
        seen = dict(line.split("=", 1) for line in haproxy.ask(runtime, b"show env\n").decode().split("\n") if line)
    assert [seen[f"TEXT{number}"] for number in range(len(texts))] == [f".{text}" for text in texts]
