"""One result of a check or of a diagnosis: what was looked at, what was found, what to do.

No I/O here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What can be said of something that was looked at."""

    HEALTHY = "healthy"
    PROBLEMS = "problems"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, *, has_problems: bool, is_missing: bool) -> Verdict:
        """Healthy is only what was seen as a whole; a problem is one whatever wasn't seen."""
        if has_problems:
            return cls.PROBLEMS
        return cls.UNKNOWN if is_missing else cls.HEALTHY


@dataclass(frozen=True)
class Finding:
    """One thing that isn't as it should be.

    Attributes:
        name: The check or the rule that found it, such as storage or redis-auth-key-missing.
        what: What was looked at, such as StorageClass/fast.
        found: What was found, in words.
        remedy: What to do about it, in words; may be empty.
        command: The command that does it, as it can be typed; empty where none can.
        link: Where more about it is written; may be empty.
        evidence: The lines that show it, as they were read; without secrets.
    """

    name: str
    what: str
    found: str
    remedy: str = ""
    command: str = ""
    link: str = ""
    evidence: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join(filter(None, (f"{self.what}: {self.found}", self.remedy)))
