"""How a pass ended that waits for nothing."""

from __future__ import annotations

from enum import Enum, auto


class Outcome(Enum):
    """What a pass has come to."""

    AT_REST = auto()
    """Nothing was to be done."""

    PUBLISHED = auto()
    """A new value is published; what used the previous one is still to be replaced."""

    COMPLETED = auto()
    """Nothing uses the previous password, and the database refuses it."""
