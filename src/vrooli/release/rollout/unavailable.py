"""What a release's health depends on and couldn't be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from vrooli.errors import VrooliError


@dataclass(frozen=True)
class Unseen:
    """Something that couldn't be looked at.

    Attributes:
        what: What it is.
        why: What stood in the way.
        advice: What to do about it; may be empty.
    """

    what: str
    why: str
    advice: str = ""

    @classmethod
    def of(cls, what: str, error: VrooliError) -> Self:
        """What an error kept from being looked at."""
        return cls(what, error.message, error.advice)

    def __str__(self) -> str:
        return f"not seen: {self.what}: {self.why}"
