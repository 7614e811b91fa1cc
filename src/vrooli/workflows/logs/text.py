"""Lines of logs as people read them. No I/O here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vrooli.kube.times import parse_time

INDENT = "  "


def readable(line: str) -> list[str]:
    """The lines of a record that a service logged as a JSON object; other lines as they are.

    Further lines of a record are indented: a message cannot imitate another record.

    Source of the keys: `vrooli_shared.logs` of the reference services.
    """
    record = _parse(line)
    message = record.get("message")
    if not isinstance(message, str):
        return [line]
    time = parse_time(str(record.get("time", "")))
    level, logger = str(record.get("level", "")), str(record.get("logger", ""))
    head = " ".join(filter(None, (_clock(time), level.upper(), f"{logger}:" if logger else "")))
    trace = record.get("trace")
    more = trace.splitlines() if isinstance(trace, str) else []
    first, *rest = message.splitlines() or [""]
    return [f"{head} {first}".strip(), *(INDENT + line for line in (*rest, *more))]


def _parse(line: str) -> Mapping[str, Any]:
    if not line.startswith("{"):
        return {}
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _clock(time: datetime | None) -> str:
    """The time of day in the time zone of this machine."""
    return time.astimezone().isoformat(sep=" ", timespec="milliseconds")[11:23] if time else ""
