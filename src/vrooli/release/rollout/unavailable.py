"""A resource that the health of a release depends on and that could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from vrooli.errors import VrooliError


@dataclass(frozen=True)
class Unavailable:
    """A resource that could not be read.

    Attributes:
        resource: The resource, in words.
        reason: Why it could not be read.
        advice: How to make it readable; may be empty.
    """

    resource: str
    reason: str
    advice: str = ""

    @classmethod
    def of(cls, resource: str, error: VrooliError) -> Self:
        """The resource that an error made unreadable."""
        return cls(resource, error.message, error.advice)

    def __str__(self) -> str:
        return f"not seen: {self.resource}: {self.reason}"
