"""The replicas of a PostgresCluster, as its primary reports them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vrooli.databases.polling import poll_reason
from vrooli.databases.postgres import patroni
from vrooli.databases.postgres.session import Postgres
from vrooli.events import Progress
from vrooli.operators.pgo import names

# The unreplayed log of a replica at which a switchover is short, bytes.
MAX_LAG = 1024 * 1024
REPLICATION = """SELECT application_name AS pod, state, sync_state,
  pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint AS lag FROM pg_stat_replication"""
# Source of the text: ctl.py of Patroni.
REINITIALIZE = patroni.Command(
    'patronictl reinit --force "$1" "$2"', "Success: reinitialize", limit_s=60.0
)


@dataclass(frozen=True)
class Replica:
    """The replication of one replica, as the primary reports it.

    Attributes:
        pod: Its pod.
        state: The state of its connection, such as streaming; empty without one.
        is_synchronous: Whether commits wait for it.
        lag: The log that it has not replayed yet, bytes.
    """

    pod: str
    state: str = ""
    is_synchronous: bool = False
    lag: int = 0

    def problem(self) -> str:
        """Why a switchover must not start yet; empty if it can."""
        if self.state != "streaming":
            return f"{self.pod} does not stream from the primary ({self.state or 'not connected'})"
        if self.lag > MAX_LAG:
            return f"{self.pod} is {self.lag / 1024 / 1024:.1f} MiB behind the primary"
        return ""


def first_problem(replicas: Iterable[Replica]) -> str:
    """Why one of the replicas does not follow closely; empty if all do."""
    return next(filter(None, (item.problem() for item in replicas)), "")


async def fetch(postgres: Postgres, primary: str, pods: Sequence[str]) -> list[Replica]:
    """The replication of these pods, as the primary reports it."""
    rows = {row["pod"]: row for row in await postgres.query(REPLICATION, pod=primary)}
    return [
        Replica(
            pod,
            rows[pod]["state"],
            rows[pod]["sync_state"] in ("sync", "quorum"),
            rows[pod]["lag"] or 0,
        )
        if pod in rows
        else Replica(pod)
        for pod in pods
    ]


async def fetch_all(postgres: Postgres, primary: str) -> list[Replica]:
    """The replication of all pods but the primary."""
    pods = [item.pod for item in await postgres.instances() if item.pod != primary]
    return await fetch(postgres, primary, pods)


async def await_followers(
    postgres: Postgres, primary: str, limit_s: float, progress: Progress
) -> str:
    """Wait until all replicas follow the primary closely; returns why one does not at the limit."""

    async def problem() -> str:
        return first_problem(await fetch_all(postgres, primary))

    return await poll_reason(problem, limit_s, progress)


async def reinitialize(postgres: Postgres, primary: str, pod: str) -> None:
    """Have Patroni replace the data of a replica by a copy; it continues after this returns.

    Raises:
        VrooliError: Patroni refused.
    """
    await patroni.run(
        postgres,
        primary,
        REINITIALIZE,
        [names.patroni_scope(postgres.name), pod],
        failure=f"Patroni did not copy the data to {pod}",
        advice="Run `vrooli diagnose` to find the cause.",
    )
