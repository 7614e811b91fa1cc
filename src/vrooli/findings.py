"""A finding of a check or of a diagnosis: the resource, the problem and the remediation.

No I/O here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vrooli import shell


class Verdict(StrEnum):
    """The overall result of a check or of a diagnosis."""

    HEALTHY = "healthy"
    PROBLEMS = "problems"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, *, has_problems: bool, is_missing: bool) -> Verdict:
        """Return HEALTHY only if nothing is missing; a problem counts even if data is missing."""
        if has_problems:
            return cls.PROBLEMS
        return cls.UNKNOWN if is_missing else cls.HEALTHY


@dataclass(frozen=True)
class Finding:
    """A problem of one resource.

    Attributes:
        rule_id: The check or the rule that reports it, such as storage or redis-auth-key-missing.
        resource: The resource that has the problem, such as StorageClass/fast.
        message: The problem, in words.
        remediation: How to fix it, in words; may be empty.
        command: The command that fixes it, ready to paste; may be empty.
        link: The address of further documentation; may be empty.
        evidence: Lines of logs, events or objects that show the problem; secrets are redacted.
    """

    rule_id: str
    resource: str
    message: str
    remediation: str = ""
    command: str = ""
    link: str = ""
    evidence: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Remove a command with a word that is not valid; the remediation says so."""
        command, remediation = shell.reject(self.command, self.remediation)
        object.__setattr__(self, "command", command)
        object.__setattr__(self, "remediation", remediation)

    def __str__(self) -> str:
        return " ".join(filter(None, (f"{self.resource}: {self.message}", self.remediation)))
