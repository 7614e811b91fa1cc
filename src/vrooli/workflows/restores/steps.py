"""What restores of PostgreSQL share, in place and as a copy: target, WAL and comparison."""

from __future__ import annotations

from datetime import UTC, datetime

from vrooli.backups import listing, moment, targets, timelines
from vrooli.backups.contents import Contents
from vrooli.backups.listing import Listing
from vrooli.backups.outages import Outage
from vrooli.backups.targets import Recovery
from vrooli.databases.postgres.session import Postgres
from vrooli.errors import UsageError
from vrooli.events import Progress
from vrooli.grammar import counted
from vrooli.steps import Done
from vrooli.workflows.backups.run import ARCHIVE_S
from vrooli.workflows.results.backups import TableView


def demand_one_target(to: str, point: str) -> None:
    """Refuse a restore with no target or with two.

    Raises:
        UsageError: There is not exactly one.
    """
    if bool(to) == bool(point):
        raise UsageError(
            "A restore needs one target.",
            "Use --to with a moment, or --point with an ID from `vrooli backups`.",
        )


async def fetch_recovery(
    listed: Listing,
    to: str,
    point: str,
    repository: int | None,
    *,
    outage: Outage | None = None,
    foreign: bool = False,
) -> Recovery:
    """How a moment or a point is restored.

    Args:
        listed: The backups.
        to: The moment, as ``--to`` takes it; empty with a point.
        point: The ID of a point or the label of a backup; empty with a moment.
        repository: The number of the repository; None takes the first that has the moment.
        outage: Why PostgreSQL does not answer; None if it does.
        foreign: Whether a backup of another PostgreSQL can be restored.

    Raises:
        UsageError: The moment or the point cannot be restored.
        VrooliError: The repository is not usable.
    """
    postgres = listed.repository.postgres
    if point:
        recovery = targets.at_point(listed, point)
    else:
        now = datetime.now(UTC) if outage else await moment.now(postgres)
        history = outage.history if outage else await timelines.fetch(postgres)
        if outage and targets.is_latest(to):
            recovery = targets.at_latest(listed, now, history, repository)
        else:
            at = targets.parse_moment(to, now)
            recovery = targets.at_moment(listed, at, now, history, repository)
    listing.demand_usable(listed.info, recovery.repository, foreign=foreign)
    return recovery


async def archive(
    postgres: Postgres, recovery: Recovery, progress: Progress, outage: Outage | None = None
) -> Done:
    """Archive the WAL up to now: PostgreSQL stops at the first transaction after a moment.

    One that does not answer archives nothing.

    Raises:
        VrooliError: It was not archived in time.
    """
    if recovery.is_named:
        return Done(changed=False, detail=f"archived with {recovery}")
    if outage is not None:
        return Done(changed=False, detail="nothing is archived: PostgreSQL does not answer")
    progress.report("waits until the WAL up to now is archived")
    wal = await moment.close(postgres)
    await moment.archive(postgres, wal, ARCHIVE_S)
    return Done(changed=True, detail=f"archived up to {wal}")


def format_comparison(restored: Contents, differences: int) -> str:
    """Restored data and the number of their differences from the live data, in words."""
    rows = counted(sum(restored.rows.values()), "row")
    tables, found = counted(len(restored.rows), "table"), counted(differences, "difference")
    return f"{rows} in {tables}, {found}"


def table_views(restored: Contents, live: Contents) -> tuple[TableView, ...]:
    """The rows of each table in restored and in live data."""
    return tuple(
        TableView(table=name, restored_rows=restored.rows.get(name), live_rows=live.rows.get(name))
        for name in sorted(restored.rows.keys() | live.rows.keys())
    )
