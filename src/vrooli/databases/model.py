"""What a switchover plans and reports. No I/O here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """A planned switchover.

    Attributes:
        current: The pod that accepts writes now.
        target: The pod that will accept them.
    """

    current: str
    target: str

    @property
    def is_needed(self) -> bool:
        """Whether there is something to do."""
        return self.current != self.target


@dataclass(frozen=True)
class Switched:
    """A completed switchover.

    Attributes:
        pod: The pod that accepts writes now.
        pause_s: How long no write was acknowledged, seconds.
    """

    pod: str
    pause_s: float
