"""One row's own part of the world: its things are made when the row first names them."""

import itertools
import re
from typing import Any
from urllib.parse import quote

from tests.conformance.language import Ask, filled_in, path_of
from tests.conformance.nouns import NOUNS, collection, parted, root

PLACE = re.compile(r"\{([\w. -]+)\}")
NUMBERS = itertools.count(1)


class Scene(dict[str, str]):
    """Names to ids. `send` asks and returns the answer's body, or fails the row."""

    def __init__(self, send: Any, places: dict[str, str]) -> None:
        number = next(NUMBERS)
        super().__init__(places | {"project": f"{number:08x}-1111-4111-8111-111111111111"})
        self._send = send

    def __missing__(self, words: str) -> str:
        """`{listener}` is the id of one, `{listener.name}` what it shows as its name."""
        thing, dot, name = words.partition(".")
        made = self.shown(thing, name) if dot else self.make(words)
        self[words] = made
        return made

    def make(self, words: str) -> str:
        """A noun of its least fields."""
        _, noun = parted(words)
        assert noun in NOUNS, f"nothing is called {words}"
        wish = self.fill(filled_in(words, {}))
        answer = self._send(Ask("POST", self.fill(collection(words)), {root(words): wish}), 201)
        found = answer[root(words)]
        return str(found["name"] if noun == "availability_zone" else found["id"])

    def shown(self, words: str, name: str) -> str:
        answer = self._send(Ask("GET", self.fill(path_of(words))), 200)
        return quote(str(answer[root(words)][name]), safe="")

    def fill(self, value: Any) -> Any:
        """The value with this scene's ids in the place of names in braces."""
        if isinstance(value, dict):
            return {self.fill(name): self.fill(item) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.fill(item) for item in value]
        return PLACE.sub(lambda found: self[found[1]], value) if isinstance(value, str) else value
