"""The Redis operator's log: errors that it repeats about a RedisFailover. No I/O here.

It reconciles every 30 s, and logs a warning for each claim that it cannot resize, then continues.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from vrooli.operators.reconcile_log import ReconcileError, field_time, parse_fields

# The operator's next attempt comes within this, seconds.
RESYNC_S = 35.0
# Errors that the next attempt meets again.
REFUSED = re.compile(
    r"resize pvc failed|updates to statefulset spec|is invalid: |is forbidden: |Forbidden: "
)


def reconcile_errors(
    lines: Sequence[str],
    namespace: str,
    name: str,
    since: datetime | None = None,
    *,
    is_whole: bool = True,
) -> list[ReconcileError]:
    """The operator's last error about a RedisFailover, if there is one.

    Args:
        lines: Its log.
        namespace: The RedisFailover's namespace.
        name: Its name.
        since: Earlier lines do not count.
        is_whole: Irrelevant: the delay between two attempts is constant.
    """
    del is_whole
    errors: list[ReconcileError] = []
    for line in lines:
        fields = parse_fields(line)
        time, message = field_time(fields), fields.get("msg", "")
        key = fields.get("object-key", "") or f"{fields.get('namespace', '')}/{_part(fields)}"
        if time is None or not REFUSED.search(message) or not _belongs_to(key, namespace, name):
            continue
        if since is None or time >= since:
            until = time + timedelta(seconds=RESYNC_S)
            errors = [ReconcileError(namespace, name, message, time, until, line.strip())]
    return errors


def _part(fields: Mapping[str, str]) -> str:
    """The name of the RedisFailover, or of an object that is part of it, in a line's fields."""
    names = (fields.get(key, "") for key in ("redisfailover", "pvc", "statefulSet", "deployment"))
    return next(filter(None, names), "")


def _belongs_to(key: str, namespace: str, name: str) -> bool:
    """Whether a key is that of a RedisFailover, or of a part that is named after it."""
    key_namespace, _, part = key.partition("/")
    return (
        key_namespace == namespace
        and re.search(rf"(?:^|rf[rs]-){re.escape(name)}(?:-\d+)?$", part) is not None
    )
