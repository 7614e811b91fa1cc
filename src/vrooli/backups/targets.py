"""The moment that a restore is asked for, and how pgBackRest restores it. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from vrooli.backups import listing
from vrooli.backups.info import StoredBackup
from vrooli.backups.listing import Listing, format_time
from vrooli.backups.points import Point, find_backup
from vrooli.backups.timelines import History
from vrooli.errors import UsageError

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?(Z?)")
# The newest moment.
LATEST = "latest"
_FORMS = (
    "Use a time such as 14:05, 14:05:30 or 2026-11-29 14:05:30, in UTC, or with an offset; or "
    f"{LATEST}."
)


@dataclass(frozen=True)
class Recovery:
    """What is restored.

    Attributes:
        backup: The backup that it starts from.
        moment: The moment of the restored data, UTC.
        options: The options of `pgbackrest restore` that stop at the moment.
        point: The point; None for a moment between points, or a backup of PostgreSQL only.
        is_named: Whether it is a point or a backup, not a moment.
        is_latest: Whether it is all that is in the WAL, the moment of which is not known before.
    """

    backup: StoredBackup
    moment: datetime
    options: tuple[str, ...]
    point: Point | None = None
    is_named: bool = False
    is_latest: bool = False

    @property
    def repository(self) -> int:
        """The number of the repository."""
        return self.backup.repository

    def __str__(self) -> str:
        """The moment as messages name it."""
        if self.is_latest:
            return "the last transaction in the WAL"
        return f"point {self.point.id}" if self.point else format_time(self.moment)


def is_latest(text: str) -> bool:
    """Whether ``--to`` is the newest moment."""
    return text.strip() == LATEST


def parse_moment(text: str, now: datetime) -> datetime:
    """A moment as ``--to`` takes it: ISO 8601, a time of today, or latest; UTC without an offset.

    Raises:
        UsageError: It is no time.
    """
    if is_latest(text):
        return now
    if match := _CLOCK.fullmatch(text.strip()):
        hour, minute, second = (int(part or 0) for part in match.groups()[:3])
        try:
            return now.astimezone(UTC).replace(
                hour=hour, minute=minute, second=second, microsecond=0
            )
        except ValueError as error:
            raise UsageError(f"{text!r} is not a time: {error}.", _FORMS) from error
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(f"{text!r} is not a time.", _FORMS) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def at_moment(
    listed: Listing,
    moment: datetime,
    now: datetime,
    history: History,
    repository: int | None = None,
) -> Recovery:
    """How a moment is restored: from the newest backup before it.

    Args:
        listed: The backups.
        moment: The moment, UTC.
        now: The time of PostgreSQL's clock, up to which WAL is archived.
        history: The timelines of the live data, whose past is restored.
        repository: The number of the repository; None takes the first that has the moment.

    Raises:
        UsageError: No repository has it; the message has the moments that can be restored.
        VrooliError: A repository that may have it cannot be used.
    """
    if moment > now:
        raise _refusal(listed, moment, "is in the future", now)
    for item in listed.info.repositories:
        if repository not in (None, item.number) or item.is_foreign:
            continue
        if newest := _newest_before(moment, listed.info.of(item.number), history):
            target = f"{moment:%Y-%m-%d %H:%M:%S.%f}+00"
            # PGO runs them in a shell.
            options = (f"--set={newest.label}", "--type=time", f'--target="{target}"')
            return Recovery(newest, moment, options)
    listing.demand_complete(listed.info, repository)
    raise _refusal(listed, moment, "is before the end of the first backup", now)


def _newest_before(
    moment: datetime, backups: Sequence[StoredBackup], history: History
) -> StoredBackup | None:
    """The newest backup that ended before a moment, on the timelines of the live data."""
    before = [
        backup
        for backup in backups
        # pgBackRest has times of backups in whole seconds.
        if backup.stopped + timedelta(seconds=1) <= moment
        and history.contains(backup.timeline, backup.end)
    ]
    return before[-1] if before else None


def at_latest(
    listed: Listing, now: datetime, history: History, repository: int | None = None
) -> Recovery:
    """How all that is in the WAL is restored, without a moment: the arguments of ``at_moment``.

    Raises:
        UsageError: There is no backup.
        VrooliError: A repository that may have one cannot be used.
    """
    newest = at_moment(listed, now, now, history, repository)
    options = (newest.options[0], "--type=default")
    return replace(newest, options=options, is_latest=True)


def at_point(listed: Listing, name: str) -> Recovery:
    """How a point, or a backup of PostgreSQL only, is restored.

    Raises:
        UsageError: There is no such point.
        VrooliError: A repository that may have it cannot be used.
    """
    match find_backup(listed.info, name):
        case None:
            listing.demand_complete(listed.info, foreign=True)
            raise UsageError(
                f"There is no point or backup {name!r}.", "`vrooli backups` lists those that exist."
            )
        case backup, None:
            immediate = (f"--set={backup.label}", "--type=immediate")
            return Recovery(backup, backup.stopped, immediate, is_named=True)
        case backup, point:
            options = (
                f"--set={backup.label}",
                "--type=name",
                f"--target={point.restore_point}",
                # A point may be of a timeline that a restore has abandoned.
                "--target-timeline=current",
            )
            return Recovery(backup, point.time, options, point, is_named=True)


def _refusal(listed: Listing, moment: datetime, reason: str, now: datetime) -> UsageError:
    return UsageError(
        f"{format_time(moment)} {reason}. Nothing was changed.",
        f"Moments that can be restored: {_ranges(listed, now)}. `vrooli backups` lists the points.",
    )


def _ranges(listed: Listing, now: datetime) -> str:
    texts: Sequence[str] = [
        f"{format_time(item.since + timedelta(seconds=1))} to {format_time(now)} "
        f"(repository {item.repository})"
        for item in listed.ranges
        if item.since is not None
    ]
    return ", ".join(texts) or "none, there is no backup"
