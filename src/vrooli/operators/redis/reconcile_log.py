"""The Redis operator's log: errors that it repeats about a RedisFailover. No I/O here.

It reconciles every 30 s, and logs a warning for each claim that it cannot resize, then continues.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from vrooli.operators.reconcile_log import ObjectLog, ReconcileError, field_time, parse_fields

# The operator's next attempt comes within this, seconds.
RESYNC_S = 35.0
# Errors that the next attempt meets again.
REFUSED = re.compile(
    r"resize pvc failed|updates to statefulset spec|is invalid: |is forbidden: |Forbidden: "
)


def reconcile_errors(log: ObjectLog) -> list[ReconcileError]:
    """The operator's last error about a RedisFailover, if there is one.

    Whether the log is whole is irrelevant: the delay between two attempts is constant.
    """
    errors: list[ReconcileError] = []
    for line in log.lines:
        fields = parse_fields(line)
        time, message = field_time(fields), fields.get("msg", "")
        key = fields.get("object-key", "") or f"{fields.get('namespace', '')}/{_part(fields)}"
        if time is None or not REFUSED.search(message) or not _belongs_to(key, log):
            continue
        if log.since is None or time >= log.since:
            until = time + timedelta(seconds=RESYNC_S)
            last = ReconcileError(log.namespace, log.name, message, time, until, line.strip())
            errors = [last]
    return errors


def _part(fields: Mapping[str, str]) -> str:
    """The name of the RedisFailover, or of an object that is part of it, in a line's fields."""
    names = (fields.get(key, "") for key in ("redisfailover", "pvc", "statefulSet", "deployment"))
    return next(filter(None, names), "")


def _belongs_to(key: str, log: ObjectLog) -> bool:
    """Whether a key is that of the RedisFailover, or of a part that is named after it."""
    namespace, _, part = key.partition("/")
    return (
        namespace == log.namespace
        and re.search(rf"(?:^|rf[rs]-){re.escape(log.name)}(?:-\d+)?$", part) is not None
    )
