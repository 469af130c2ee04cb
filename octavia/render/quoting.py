"""The one way of free text into a configuration (HAProxy configuration manual 2.6, section 2.2)."""

import re
from typing import Any

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
WORD = re.compile(r"[A-Za-z0-9_.:@/+,\[\]-]+")


class Quoted(str):
    """Text that may stand in a configuration as it is."""


def quoted(text: str) -> Quoted:
    """The text as one word: between single quotes nothing but a single quote has a meaning.

    A control character could end the line, and no quoting protects from that: ValueError.
    """
    if CONTROL.search(text):
        raise ValueError(f"no control characters in a configuration: {text!r}")
    return Quoted("'" + text.replace("'", r"'\''") + "'")


def literal(text: str) -> Quoted:
    """The text where HAProxy expects a log format (section 8.2.4), in which it stands for itself."""
    return quoted(text.replace("%", "%%"))


def sample(fetch: str, argument: str) -> Quoted:
    """A sample fetch with any text as its argument, for which there is a second, inner quoting (section 2.3)."""
    inner = argument.replace("\\", r"\\").replace('"', r"\"")
    return quoted(f'{fetch}("{inner}")')


def safe(value: Any) -> Any:
    """What a template may put out: a number, a plain word, or text that was quoted. ValueError for anything else."""
    if isinstance(value, (int, Quoted)):
        return value
    if isinstance(value, str) and WORD.fullmatch(value):
        return value
    raise ValueError(f"not quoted: {value!r}")
