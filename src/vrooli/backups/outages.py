"""A PostgreSQL that does not answer: which of its volumes can be restored, and its timelines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from vrooli.backups import moment, timelines
from vrooli.backups.data_directories import DataDirectories
from vrooli.backups.timelines import History
from vrooli.databases.postgres.session import Postgres
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.kube import ApiError

# What a restore without live data cannot do.
CONSEQUENCES = (
    "what will be lost cannot be counted: PostgreSQL does not answer",
    "roles and passwords are those of the restored moment: the rotator, if it is enabled, gives "
    "the login of the release its present password within two minutes",
)
# What a copy then lacks.
NOT_ARCHIVED = (
    "transactions that PostgreSQL had not archived when it stopped are not in the copy: `vrooli "
    "restore --to latest` without --into restores them, too"
)
_FIRST_LINE = re.compile(r"^(\d+) ([0-9A-F]+/[0-9A-F]+|-)$")


@dataclass(frozen=True)
class Outage:
    """A PostgreSQL that does not answer.

    Attributes:
        reason: Why, as it was reported.
        pod: The instance with the newest data; empty if no pod runs programs.
        history: The timelines of its data; of an unknown one, if they cannot be read.
    """

    reason: str
    pod: str = ""
    history: History = field(default_factory=lambda: History(0))


async def find(postgres: Postgres) -> Outage | None:
    """Why PostgreSQL does not answer; None if it does.

    Raises:
        ApiError: Programs may not be run in its pods.
    """
    try:
        await moment.now(postgres)
    except VrooliError as error:
        if isinstance(error, ApiError) and error.is_forbidden:
            raise
        return await _examined(postgres, error.message)
    return None


async def _examined(postgres: Postgres, reason: str) -> Outage:
    """The instance with the newest data, of those whose pods run programs."""
    newest, position = Outage(reason), (-1, -1)
    for instance in await postgres.instances():
        try:
            output = await DataDirectories(postgres, instance.pod).timelines()
        except VrooliError:  # its container does not run
            continue
        first, _, history = output.partition("\n")
        match = _FIRST_LINE.match(first)
        timeline, checkpoint = (int(match[1]), match[2]) if match else (0, "-")
        candidate = (timeline, timelines.parse_position(checkpoint))
        if candidate > position:
            known = History(timeline, timelines.parse_history(history))
            newest, position = Outage(reason, instance.pod, known), candidate
    return newest


async def demand_restorable(postgres: Postgres, outage: Outage) -> None:
    """Refuse a restore in place that would have no effect.

    Raises:
        PrerequisiteError: No pod runs programs, or another instance would become the primary.
    """
    if not outage.pod:
        raise PrerequisiteError(
            f"PostgreSQL {postgres.name} does not answer ({outage.reason}), and no pod of it runs "
            "programs. Nothing was changed.",
            "Run `vrooli diagnose` to find the cause, or restore a copy with --into.",
        )
    others = [i.pod for i in await postgres.instances() if i.is_ready and i.pod != outage.pod]
    if others:
        raise PrerequisiteError(
            f"PostgreSQL {postgres.name} has no primary that answers, but {', '.join(others)} "
            "runs as a replica: Patroni would promote it with the present data. Nothing was "
            "changed.",
            "Run `vrooli diagnose` to find out why it is not promoted, or restore a copy with "
            "--into.",
        )
