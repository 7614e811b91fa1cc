"""The operators' logs: lines in logrus' text format, and errors that an operator repeats.

No I/O here. How one operator reports an error is in its own package.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

# A name begins where no name does already, and ends where it must: a long word without an equals
# sign would take quadratic time otherwise.
_FIELD = re.compile(r'(?<![\w.-])([\w.-]++)=("(?:[^"\\]|\\.)*"|\S*)')


@dataclass(frozen=True)
class ReconcileError:
    """An error that an operator reports while it reconciles an object.

    Attributes:
        namespace: The object's namespace.
        name: Its name.
        message: The operator's message.
        last: When it was last written.
        until: The operator has succeeded by then, unless it writes another error before.
        line: The whole line.
    """

    namespace: str
    name: str
    message: str
    last: datetime
    until: datetime
    line: str

    def is_current(self, now: datetime) -> bool:
        """Whether the operator has not succeeded since."""
        return now < self.until


@dataclass(frozen=True)
class ObjectLog:
    """An operator's log, from which the errors about one object are read.

    Attributes:
        lines: The log.
        namespace: The object's namespace.
        name: Its name.
        since: Errors whose last line is earlier do not count.
        is_whole: Whether the lines begin with the start of the operator.
    """

    lines: Sequence[str]
    namespace: str
    name: str
    since: datetime | None = None
    is_whole: bool = True


def line_time(line: str) -> datetime | None:
    """When a line was written; None if it has no time."""
    return field_time(parse_fields(line))


def parse_fields(line: str) -> dict[str, str]:
    """A line's fields; values without their quotes."""
    return {
        key: re.sub(r"\\(.)", r"\1", value[1:-1].replace("\\n", " "))
        if value.startswith('"')
        else value
        for key, value in _FIELD.findall(line)
    }


def field_time(fields: Mapping[str, str]) -> datetime | None:
    """The time of a line with these fields; None if it has none."""
    try:
        return datetime.fromisoformat(fields.get("time", "")).astimezone(UTC)
    except ValueError:
        return None
