"""Times as Kubernetes writes them. No I/O here."""

from __future__ import annotations

from datetime import datetime


def parse_time(value: str) -> datetime | None:
    """An RFC 3339 time; None if the text is not a time or has no time zone."""
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time if time.tzinfo else None
