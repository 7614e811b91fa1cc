"""Commands of Patroni, by `patronictl` in a pod of a PostgresCluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vrooli.databases import programs
from vrooli.databases.postgres.session import CONTAINER, Postgres
from vrooli.databases.programs import Place
from vrooli.errors import VrooliError
from vrooli.kube.objects import number

# PGO's default of `patroni.leaderLeaseDurationSeconds`, seconds.
DEFAULT_LEASE_S = 30
# The last lines of the output, which have the reason of a refusal.
REASON_LINES = 3


@dataclass(frozen=True)
class Command:
    """A command of patronictl.

    Attributes:
        script: The command; ``$1`` and so on are its arguments.
        success: What it prints if Patroni has accepted it: it exits with 0 in both cases.
        limit_s: The time limit, seconds.
    """

    script: str
    success: str
    limit_s: float


def lease_s(postgres: Postgres) -> int:
    """How long a primary stays the leader that no longer answers, seconds."""
    path = ("spec", "patroni", "leaderLeaseDurationSeconds")
    return number(postgres.body, *path, default=DEFAULT_LEASE_S)


async def run(
    postgres: Postgres,
    pod: str,
    command: Command,
    arguments: Sequence[str],
    *,
    failure: str,
    advice: str,
) -> None:
    """Run a command in a pod.

    Raises:
        VrooliError: Patroni refused; the message is the failure with the reason.
    """
    place = Place(postgres.namespace, pod, CONTAINER)
    completed = await programs.run(
        postgres.kube, place, command.script, arguments, "", command.limit_s
    )
    if command.success not in completed.stdout:
        lines = (completed.stdout + completed.stderr).strip().splitlines()
        raise VrooliError(f"{failure}: {' '.join(lines[-REASON_LINES:])}", advice)
