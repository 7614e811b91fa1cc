"""The moment of a point in PostgreSQL, and the archiving of its WAL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from vrooli.databases.postgres.session import Postgres
from vrooli.errors import VrooliError

EPOCH = datetime.fromtimestamp(0, UTC)
# The pause between two looks at the archiver, seconds.
PAUSE_S = 0.2
# What the wait for the archiver may take beyond its limit, seconds.
SLACK_S = 10.0
_POINT = (
    "SELECT pg_walfile_name(pg_create_restore_point('{name}')) AS wal, clock_timestamp() AS time"
)
# A segment is archived once it is complete, so the current one is completed. `now()` is the begin
# of the transaction.
_ARCHIVE = """SELECT pg_switch_wal();
DO $$ BEGIN
  WHILE clock_timestamp() < now() + interval '{limit} s' LOOP
    PERFORM pg_stat_clear_snapshot();
    EXIT WHEN (SELECT last_archived_wal >= '{wal}' FROM pg_stat_archiver);
    PERFORM pg_sleep({pause});
  END LOOP;
END $$;
"""
_ARCHIVER = (
    "SELECT last_archived_wal AS wal, last_archived_time AS time, last_failed_wal AS failed, "
    "coalesce(last_failed_time > last_archived_time, last_failed_time IS NOT NULL) AS is_failing "
    "FROM pg_stat_archiver"
)


@dataclass(frozen=True)
class Archiver:
    """What PostgreSQL's archiver has done.

    Attributes:
        wal: The last segment that it has archived; empty if none.
        time: When; None if none.
        failed: The segment that it could not archive last; empty if it did since.
    """

    wal: str
    time: datetime | None
    failed: str


async def mark(postgres: Postgres, name: str) -> tuple[str, datetime]:
    """Write a restore point into the WAL.

    Args:
        postgres: The PostgreSQL.
        name: Its name, letters, digits and hyphens.

    Returns:
        The WAL segment with it, and its time.
    """
    (row,) = await postgres.query(_POINT.format(name=name))
    return str(row["wal"]), parse(row["time"])


async def now(postgres: Postgres) -> datetime:
    """The time of PostgreSQL's clock, which the moments of its transactions have."""
    (row,) = await postgres.query("SELECT clock_timestamp() AS time")
    return parse(row["time"])


async def last_transaction(postgres: Postgres, pod: str) -> datetime | None:
    """When the last transaction of a recovery in a pod was committed; None if there was none."""
    (row,) = await postgres.query("SELECT pg_last_xact_replay_timestamp() AS time", pod=pod)
    return parse(row["time"]) if row["time"] else None


def parse(time: str) -> datetime:
    """A timestamp of PostgreSQL in JSON, as UTC."""
    return datetime.fromisoformat(time).astimezone(UTC)


async def close(postgres: Postgres) -> str:
    """Commit an empty transaction, after which a recovery to an earlier moment can stop.

    PostgreSQL compares the moment with commits only, and fails if it finds none that is later.

    Returns:
        The WAL segment with it.
    """
    await postgres.execute("SELECT pg_current_xact_id();")
    (row,) = await postgres.query("SELECT pg_walfile_name(pg_current_wal_lsn()) AS wal")
    return str(row["wal"])


async def archive(postgres: Postgres, wal: str, limit_s: float) -> None:
    """Complete the current WAL segment, and wait until one is archived.

    Raises:
        VrooliError: It was not archived in time; the message has what is missing.
    """
    statements = _ARCHIVE.format(limit=limit_s, wal=wal, pause=PAUSE_S)
    await postgres.execute(statements, limit_s=limit_s + SLACK_S)
    state = await archiver(postgres)
    if state.wal < wal:
        raise VrooliError(
            f"PostgreSQL {postgres.name} did not archive the WAL segment {wal} within "
            f"{limit_s:g} s: {_missing(state)}.",
            "Run `vrooli diagnose`: the repository may be full or unreachable.",
        )


def _missing(state: Archiver) -> str:
    """What the archiver has and has not done."""
    at = f" at {state.time:%Y-%m-%d %H:%M:%S} UTC" if state.time else ""
    last = f"the last archived one is {state.wal}{at}" if state.wal else "it has archived none"
    return f"archiving {state.failed} fails, {last}" if state.failed else last


async def archiver(postgres: Postgres) -> Archiver:
    """What the archiver of the primary has done."""
    (row,) = await postgres.query(_ARCHIVER)
    time = parse(row["time"]) if row["time"] else None
    return Archiver(row["wal"] or "", time, (row["failed"] or "") if row["is_failing"] else "")
