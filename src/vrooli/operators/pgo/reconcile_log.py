"""PGO's log: errors that it repeats about a PostgresCluster. No I/O here.

PGO (controller-runtime) logs each failed attempt as "Reconciler error", with the object's namespace
and name, and retries after a delay that doubles: 5 ms at first, 1000 s at most. An attempt that
succeeds writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from vrooli.operators.reconcile_log import ObjectLog, ReconcileError, field_time, parse_fields

# The next error comes within this multiple of the delay before it, plus a margin, but always
# within the longest delay of controller-runtime's rate limiter (1000 s) and a tenth.
BACKOFF, MARGIN_S, LONGEST_S = 2.2, 2.5, 1100.0
# Another client changed the object meanwhile; the next attempt reads the newer one.
CONFLICT = re.compile(r"the object has been modified|please apply your changes to the latest")


def reconcile_errors(log: ObjectLog) -> list[ReconcileError]:
    """PGO's last error about a PostgresCluster, if there is one.

    Lines before ``since`` still determine the delay: only an attempt that succeeds shortens it, a
    change of the object does not. If the log is not whole, lines before the first error may be
    missing, and its delay may be the longest.
    """
    return [
        error
        for error in _last_errors(log.lines, is_whole=log.is_whole)
        if (error.namespace, error.name) == (log.namespace, log.name)
        and (log.since is None or error.last >= log.since)
    ]


def _last_errors(lines: Iterable[str], *, is_whole: bool) -> list[ReconcileError]:
    """The last error about each object."""
    last: dict[tuple[str, str], ReconcileError] = {}
    delays: dict[tuple[str, str], float] = {}
    begin: datetime | None = None
    for line in lines:
        fields = parse_fields(line)
        time, message = field_time(fields), fields.get("error", "")
        begin = begin or time
        if fields.get("msg") != "Reconciler error" or time is None or CONFLICT.search(message):
            continue
        key = fields.get("namespace", ""), fields.get("name", "")
        before = last.get(key)
        if before is None or time > before.until:
            is_cut = not is_whole and begin is not None and _seconds(begin, time) < LONGEST_S
            delays[key] = LONGEST_S if is_cut else 0.0
        else:  # a change of the object may cause an earlier attempt
            delays[key] = max(delays[key], _seconds(before.last, time))
        until = time + timedelta(seconds=min(delays[key] * BACKOFF + MARGIN_S, LONGEST_S))
        last[key] = ReconcileError(*key, message, time, until, line.strip())
    return list(last.values())


def _seconds(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds()
