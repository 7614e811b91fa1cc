"""Outcome of a completed pass."""

from __future__ import annotations

from enum import Enum, auto


class Outcome(Enum):
    """Outcome of a completed pass."""

    AT_REST = auto()
    """No changes were required."""

    PUBLISHED = auto()
    """A new value is published; its users are not restarted yet."""

    COMPLETED = auto()
    """The previous password is no longer used, and the database rejects it."""
