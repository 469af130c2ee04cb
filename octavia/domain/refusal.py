"""Why a request is refused: one class per HTTP status, each with a sentence for the person who asked."""

from typing import ClassVar


class Refusal(Exception):
    """A wish that is not granted. Nothing has been changed when it is raised."""

    status: ClassVar[int] = 400

    @property
    def sentence(self) -> str:
        return str(self)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and str(other) == str(self)

    def __hash__(self) -> int:
        return hash((type(self), str(self)))


class Invalid(Refusal):
    """The request itself is wrong (400)."""


class Forbidden(Refusal):
    """The caller may not do this (403)."""

    status = 403


class Missing(Refusal):
    """The object in the path, or one that the wish refers to, is not there (404)."""

    status = 404


class Conflict(Refusal):
    """The wish contradicts something that exists (409)."""

    status = 409


class NotOffered(Refusal):
    """The wish is legal, but this data plane cannot fulfil it (501)."""

    status = 501


def not_found(title: str, identifier: str) -> Missing:
    return Missing(f"{title} {identifier} not found.")


def immutable(title: str, identifier: str) -> Conflict:
    return Conflict(
        f"{title} {identifier} is immutable and cannot be updated: it is being deleted. Wait until it is gone."
    )
