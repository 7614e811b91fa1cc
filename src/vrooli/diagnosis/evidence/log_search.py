"""Search recent log lines: a line of an hour ago may be about a fixed problem. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from vrooli.diagnosis.evidence.model import Evidence, LogSource

# Clients retry much sooner than this, seconds.
RECENT_S = 60.0
# The timestamp at or near the start of a line, in UTC.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)")
_NEAR = 120


def time_of(line: str) -> datetime | None:
    """The timestamp of a line; None if it has none."""
    match = _TIME.search(line[:_NEAR])
    if match is None:
        return None
    try:
        return datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=UTC)
    except ValueError:
        return None


def recent_lines(
    evidence: Evidence,
    pattern: str,
    namespace: str | None = None,
    pods: str = "",
    within_s: float = RECENT_S,
) -> Iterator[tuple[LogSource, str]]:
    """The recent log lines that match; lines without a timestamp are ignored."""
    for source, line in evidence.lines(pattern, namespace, pods):
        then = time_of(line)
        if then is not None and (evidence.now - then).total_seconds() <= within_s:
            yield source, line


def quoted(lines: list[tuple[LogSource, str]], most: int = 3) -> tuple[str, ...]:
    """The last lines as lines of evidence."""
    return tuple(f"{source}: {line.strip()}" for source, line in lines[-most:])
