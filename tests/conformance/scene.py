"""One row's own part of the world: its things are made when the row first names them."""

import itertools
import re
from typing import Any

from tests.conformance.language import Ask, filled_in
from tests.conformance.nouns import NOUNS, collection, parted, root

PLACE = re.compile(r"\{([\w -]+)\}")
NUMBERS = itertools.count(1)


class Scene(dict[str, str]):
    """Names to ids. `send` asks and returns the answer's body, or fails the row."""

    def __init__(self, send: Any, places: dict[str, str]) -> None:
        number = next(NUMBERS)
        super().__init__(places | {"project": f"{number:08x}-1111-4111-8111-111111111111"})
        self._send = send

    def __missing__(self, words: str) -> str:
        made = self.make(words)
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

    def fill(self, value: Any) -> Any:
        """The value with this scene's ids in the place of names in braces."""
        if isinstance(value, dict):
            return {self.fill(name): self.fill(item) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.fill(item) for item in value]
        return PLACE.sub(lambda found: self[found[1]], value) if isinstance(value, str) else value
