"""What rolls out, as the messages of a rollout name it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Subject:
    """What rolls out, for messages.

    Attributes:
        name: Its name at the beginning of a sentence.
        status: How people see its status.
        longer: How a command waits longer, as a clause; empty if none does.
    """

    name: str
    status: str
    longer: str = ""


RELEASE = Subject(
    "The release",
    "See `vrooli status` and `vrooli logs`",
    "; `vrooli deploy` and `vrooli rollback` wait longer with --timeout",
)
