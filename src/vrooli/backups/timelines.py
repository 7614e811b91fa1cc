"""The timelines of PostgreSQL's data: which backups are of its own past.

A restore in place begins a new timeline. Backups that were made between the restored moment and the
restore are of the abandoned one, and the live data cannot be recovered from them.
https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-TIMELINES
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vrooli.databases.postgres.session import Postgres

_HISTORY = """SELECT timeline_id AS timeline, pg_read_file('pg_wal/' ||
  lpad(upper(to_hex(timeline_id)), 8, '0') || '.history', 0, 1000000, true) AS history
  FROM pg_control_checkpoint()"""


@dataclass(frozen=True)
class History:
    """The timelines of data.

    Attributes:
        current: The present timeline; 0 if it is unknown.
        ends: The position in the WAL at which each earlier one was left.
    """

    current: int
    ends: Mapping[int, int] = field(default_factory=dict)

    def contains(self, timeline: int, position: int) -> bool:
        """Whether a position of a timeline is part of the data's past; an unknown one may be."""
        if timeline in (0, self.current) or not self.current:
            return True
        return position <= self.ends.get(timeline, -1)


async def fetch(postgres: Postgres) -> History:
    """Read the timelines of the primary."""
    (row,) = await postgres.query(_HISTORY)
    return History(int(row["timeline"]), parse_history(row["history"] or ""))


def parse_history(text: str) -> dict[int, int]:
    """The end of each timeline in a history file of PostgreSQL."""
    lines = [line.split("\t") for line in text.splitlines() if line.strip()]
    return {int(line[0]): parse_position(line[1]) for line in lines if not line[0].startswith("#")}


def parse_position(text: str) -> int:
    """A position in the WAL, such as 0/50000A0; 0 for none."""
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16) if low else 0
