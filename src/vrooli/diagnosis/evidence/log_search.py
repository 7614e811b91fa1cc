"""What logs said lately: a line of an hour ago may tell of what is mended. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from vrooli.diagnosis.evidence.model import Evidence, LogSource

# Whoever is refused tries again much sooner, seconds.
RECENT_S = 60.0
# The time that each of the programs here writes at or near the beginning of a line; all in UTC.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)")
_NEAR = 120


def time_of(line: str) -> datetime | None:
    """When a line was written, if it says so."""
    found = _TIME.search(line[:_NEAR])
    if found is None:
        return None
    try:
        return datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=UTC)
    except ValueError:
        return None


def lately(
    seen: Evidence,
    pattern: str,
    namespace: str | None = None,
    pods: str = "",
    within_s: float = RECENT_S,
) -> Iterator[tuple[LogSource, str]]:
    """The lines of logs that match and were written lately; those without a time don't count."""
    for source, line in seen.lines(pattern, namespace, pods):
        then = time_of(line)
        if then is not None and (seen.now - then).total_seconds() <= within_s:
            yield source, line


def quoted(found: list[tuple[LogSource, str]], most: int = 3) -> tuple[str, ...]:
    """The last of some lines, as lines of evidence."""
    return tuple(f"{source}: {line.strip()}" for source, line in found[-most:])
