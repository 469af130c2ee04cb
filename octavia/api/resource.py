"""What the API's document says of the five things that can be done with most nouns."""

from collections.abc import Iterable
from dataclasses import dataclass

from octavia.api import components, parameters
from octavia.api.operation import Operation, Schema
from octavia.api.schemas import under
from octavia.domain.declare import Declared

NONE: frozenset[int] = frozenset()
CLASH = frozenset({409})
LAWS = frozenset({404, 409, 501})
"""How a wish that would change a load balancer can be refused."""


@dataclass(frozen=True)
class Resource:
    noun: type[Declared]
    tag: str

    def list(self, parents: Iterable[str] = ()) -> Operation:
        return Operation(
            id=f"list_{self.noun.plural}",
            tag=self.tag,
            summary=f"List {self.tag}",
            answer=components.page(self.noun),
            query=parameters.listing(self.noun, parents),
        )

    def create(self, refusals: frozenset[int], answer: Schema | None = None) -> Operation:
        return Operation(
            id=f"create_{self.noun.singular}",
            tag=self.tag,
            summary=f"Create: {self.noun.title}",
            answer=answer or components.one(self.noun),
            body=components.created(self.noun),
            refusals=refusals,
        )

    def show(self) -> Operation:
        return Operation(
            id=f"show_{self.noun.singular}",
            tag=self.tag,
            summary=f"Show: {self.noun.title}",
            answer=under(self.noun.singular, components.chosen(self.noun)),
            query=parameters.FIELDS,
        )

    def update(self, refusals: frozenset[int]) -> Operation:
        return Operation(
            id=f"update_{self.noun.singular}",
            tag=self.tag,
            summary=f"Change: {self.noun.title}",
            answer=components.one(self.noun),
            body=components.changed(self.noun),
            refusals=refusals,
        )

    def delete(self, query: tuple[Schema, ...] = ()) -> Operation:
        return Operation(
            id=f"delete_{self.noun.singular}",
            tag=self.tag,
            summary=f"Delete: {self.noun.title}",
            query=query,
            refusals=CLASH,
        )

    def start(self, name: str, summary: str, refusals: frozenset[int] = CLASH) -> Operation:
        """Something is set going."""
        return Operation(id=f"{name}_{self.noun.singular}", tag=self.tag, summary=summary, refusals=refusals)

    def report(self, name: str, summary: str, answer: Schema, *, query: tuple[Schema, ...] = ()) -> Operation:
        """Something of one of them."""
        return Operation(
            id=f"{name}_{self.noun.singular}",
            tag=self.tag,
            summary=summary,
            answer=answer,
            query=query,
        )
