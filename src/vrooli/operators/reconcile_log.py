"""What operators write into their logs of changes that they can't make. Pure readings, no I/O.

PGO (controller-runtime) logs each failed look at an object as "Reconciler error", with the object's
namespace and name, and looks again after a pause that doubles: 5 ms at first, 1000 s at last. A
look that succeeds writes nothing. The Redis operator looks every 30 s, and warns of claims that it
can't resize while it goes on. Both write logrus' text format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# After an error the next one comes within this, as a multiple of the pause before it, and more;
# but always within the longest pause (controller-runtime's rate limiter: 1000 s) and a tenth.
BACKOFF, MARGIN_S, LONGEST_S = 2.2, 2.5, 1100.0
# The Redis operator's next look comes within this, seconds.
RESYNC_S = 35.0
# Somebody else changed the object meanwhile: the next look has the newer one.
PASSING = re.compile(r"the object has been modified|please apply your changes to the latest")
# What the Redis operator meets with that its next look doesn't change.
REFUSED = re.compile(
    r"resize pvc failed|updates to statefulset spec|is invalid: |is forbidden: |Forbidden: "
)
_FIELD = re.compile(r'([\w.-]+)=("(?:[^"\\]|\\.)*"|\S*)')


@dataclass(frozen=True)
class ReconcileError:
    """What an operator meets with at an object.

    Attributes:
        namespace: The object's namespace.
        name: Its name.
        message: The error, in the operator's words.
        last: When it was last written.
        until: When a look has succeeded, unless another error is written before.
        line: The whole line.
    """

    namespace: str
    name: str
    message: str
    last: datetime
    until: datetime
    line: str

    def holds(self, now: datetime) -> bool:
        """Whether no look has succeeded since."""
        return now < self.until


def of_postgres(
    lines: Iterable[str], since: datetime | None = None, *, is_whole: bool = True
) -> list[ReconcileError]:
    """PGO's errors, the last one of each object.

    Args:
        lines: Its log.
        since: Errors whose last line is earlier don't count. Earlier lines still tell the pause: a
            change of the object doesn't shorten it, only a look that succeeds does.
        is_whole: Whether the lines begin with the operator. Where they don't, lines before an error
            that seems to be the first may be lacking, and its pause may be the longest.
    """
    last: dict[tuple[str, str], ReconcileError] = {}
    pauses: dict[tuple[str, str], float] = {}
    begin: datetime | None = None
    for line in lines:
        fields = _fields(line)
        time, message = _time(fields), fields.get("error", "")
        begin = begin or time
        if fields.get("msg") != "Reconciler error" or time is None or PASSING.search(message):
            continue
        key = fields.get("namespace", ""), fields.get("name", "")
        before = last.get(key)
        if before is None or time > before.until:
            is_cut = not is_whole and begin is not None and _seconds(begin, time) < LONGEST_S
            pauses[key] = LONGEST_S if is_cut else 0.0
        else:  # a change of the object may make the operator look earlier than it would
            pauses[key] = max(pauses[key], _seconds(before.last, time))
        until = time + timedelta(seconds=min(pauses[key] * BACKOFF + MARGIN_S, LONGEST_S))
        last[key] = ReconcileError(*key, message, time, until, line.strip())
    return [error for error in last.values() if since is None or error.last >= since]


def of_redis(
    lines: Iterable[str], namespace: str, name: str, since: datetime | None = None
) -> list[ReconcileError]:
    """What the Redis operator can't do for a RedisFailover: the last of it, if anything.

    Args:
        lines: Its log.
        namespace: The RedisFailover's namespace.
        name: Its name.
        since: Earlier lines don't count.
    """
    errors: list[ReconcileError] = []
    for line in lines:
        fields = _fields(line)
        time, message = _time(fields), fields.get("msg", "")
        key = fields.get("object-key", "") or f"{fields.get('namespace', '')}/{_object(fields)}"
        if time is None or not REFUSED.search(message) or not _is_of(key, namespace, name):
            continue
        if since is None or time >= since:
            until = time + timedelta(seconds=RESYNC_S)
            errors = [ReconcileError(namespace, name, message, time, until, line.strip())]
    return errors


def line_time(line: str) -> datetime | None:
    """When a line of an operator's log was written; None when it doesn't say."""
    return _time(_fields(line))


def _object(fields: Mapping[str, str]) -> str:
    """The name of an object that is part of a RedisFailover, in a line's fields."""
    names = (fields.get(key, "") for key in ("redisfailover", "pvc", "statefulSet", "deployment"))
    return next(filter(None, names), "")


def _is_of(key: str, namespace: str, name: str) -> bool:
    """Whether a key is of a RedisFailover, or of a part that is named after it."""
    place, _, part = key.partition("/")
    return (
        place == namespace
        and re.search(rf"(?:^|rf[rs]-){re.escape(name)}(?:-\d+)?$", part) is not None
    )


def _fields(line: str) -> dict[str, str]:
    """A line's fields; what is quoted is taken out of its quotes."""
    return {
        key: re.sub(r"\\(.)", r"\1", value[1:-1].replace("\\n", " "))
        if value.startswith('"')
        else value
        for key, value in _FIELD.findall(line)
    }


def _seconds(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds()


def _time(fields: Mapping[str, str]) -> datetime | None:
    try:
        return datetime.fromisoformat(fields.get("time", "")).astimezone(UTC)
    except ValueError:
        return None
