"""The switchover of PostgreSQL: when it is refused, its order, and its pause."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster
from support.release.database_pods import output, owned, pod, postgres_pod, psql
from vrooli.databases.model import Plan
from vrooli.databases.postgres import switchover
from vrooli.databases.postgres.session import Postgres
from vrooli.errors import PrerequisiteError, UsageError, VrooliError
from vrooli.events import Progress, silent
from vrooli.kube.execution import Completed, Program
from vrooli.operators.pgo import names
from vrooli.release.model import Release

RELEASE = Release("vrooli-prod", "dev", Path("kubeconfig"))
POOL = pod("pool-0", {names.CLUSTER_LABEL: "vrooli-pg", names.ROLE_LABEL: "pgbouncer"})
PROGRESS = Progress("switchover", silent)
MIB = 1024 * 1024

pytestmark = pytest.mark.anyio


def row(name: str, state: str = "streaming", sync: str = "async", lag: int = 0) -> dict[str, Any]:
    return {"pod": name, "state": state, "sync_state": sync, "lag": lag}


class Site:
    """A PostgresCluster with pods; what runs in them is recorded in order."""

    def __init__(self, *pods: dict[str, Any], rows: Sequence[dict[str, Any]] = ()) -> None:
        body = owned("PostgresCluster", "vrooli-pg", RELEASE.name)
        self.cluster = FakeCluster(body, POOL, *pods)
        self.rows = list(rows)
        self.acts: list[str] = []
        self.patroni = output('Successfully switched over to "pg-b-0"\n')
        for item in pods:
            place = ("dev", item["metadata"]["name"], "database")
            self.cluster.server.programs.handlers[place] = self._run
        self.cluster.server.programs.handlers["dev", "pool-0", "pgbouncer"] = self._signal

    async def postgres(self) -> Postgres:
        return await Postgres.of(self.cluster, RELEASE)

    def _run(self, program: Program) -> Completed:
        if "patronictl switchover" in program.argv[2]:
            self.acts.append(f"switch over to {program.argv[6]}")
            return self.patroni
        return psql(self._sql)(program)

    def _sql(self, sql: str) -> Completed:
        if "pg_stat_replication" in sql:
            return output("".join(f"{json.dumps(item)}\n" for item in self.rows))
        self.acts.append(sql.split(maxsplit=1)[0])
        return output("")

    def _signal(self, program: Program) -> Completed:
        self.acts.append("pause" if "USR1" in program.argv[2] else "resume")
        return output("")


A = postgres_pod("pg-a-0", "master")
B, C = postgres_pod("pg-b-0", "replica"), postgres_pod("pg-c-0", "replica")


@pytest.mark.parametrize(
    ("pods", "rows", "to", "error", "message"),
    [
        ((A,), (), "", PrerequisiteError, "has no replica"),
        ((A, B), (), "other", UsageError, "has no pod other"),
        ((B, C), (), "", PrerequisiteError, "has no primary"),
        (
            (A, postgres_pod("pg-b-0", "replica", is_ready=False)),
            (row("pg-b-0"),),
            "",
            PrerequisiteError,
            "not ready: pg-b-0",
        ),
        ((A, B), (), "", PrerequisiteError, "pg-b-0 does not stream"),
        ((A, B), (row("pg-b-0", "catchup"),), "", PrerequisiteError, r"\(catchup\)"),
        ((A, B), (row("pg-b-0", lag=3 * MIB),), "", PrerequisiteError, "3.0 MiB behind"),
        (
            (A, B, C),
            (row("pg-b-0", sync="sync"), row("pg-c-0")),
            "pg-c-0",
            PrerequisiteError,
            "asynchronous replica",
        ),
    ],
)
async def test_a_switchover_is_refused_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
    pods: Sequence[dict[str, Any]],
    rows: Sequence[dict[str, Any]],
    to: str,
    error: type[Exception],
    message: str,
) -> None:
    monkeypatch.setattr(switchover, "CATCH_UP_S", 0.01)
    site = Site(*pods, rows=rows)
    with pytest.raises(error, match=message):
        await switchover.plan(await site.postgres(), to, PROGRESS)
    assert site.acts == []


@pytest.mark.parametrize(
    ("rows", "to", "target"),
    [
        ((row("pg-b-0", lag=9), row("pg-c-0", lag=1)), "", "pg-c-0"),
        ((row("pg-b-0", lag=9, sync="sync"), row("pg-c-0", lag=1)), "", "pg-b-0"),
        ((row("pg-b-0"), row("pg-c-0")), "pg-c-0", "pg-c-0"),
        ((row("pg-b-0"), row("pg-c-0")), "pg-a-0", "pg-a-0"),
    ],
)
async def test_the_target_is_the_requested_or_the_safest_replica(
    rows: Sequence[dict[str, Any]], to: str, target: str
) -> None:
    site = Site(A, B, C, rows=rows)
    planned = await switchover.plan(await site.postgres(), to, PROGRESS)
    assert planned == Plan("pg-a-0", target)
    assert planned.is_needed == (target != "pg-a-0")


class _Probe:
    longest_s = 1.5

    async def wait_for_write(self, limit_s: float) -> None: ...


@pytest.fixture
def _probed(monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def probe(postgres: Postgres) -> AsyncIterator[_Probe]:
        yield _Probe()

    monkeypatch.setattr(switchover, "probe_pool", probe)


@pytest.mark.usefixtures("_probed")
async def test_the_pool_is_paused_from_before_the_switchover_until_writes_are_accepted() -> None:
    site = Site(A, B, rows=[row("pg-b-0")])
    switched = await switchover.switch_over(
        await site.postgres(), Plan("pg-a-0", "pg-b-0"), PROGRESS
    )
    assert (switched.pod, switched.pause_s) == ("pg-b-0", 1.5)
    assert site.acts[:2] == ["CHECKPOINT", "pause"]
    assert set(site.acts[2:4]) == {"switch over to pg-b-0", "DO"}
    assert site.acts[4:] == ["resume"]


@pytest.mark.usefixtures("_probed")
async def test_the_pool_resumes_if_patroni_refuses() -> None:
    site = Site(A, B, rows=[row("pg-b-0")])
    site.patroni = output("Switchover failed, details: 412, candidate name does not match\n")
    with pytest.raises(BaseExceptionGroup) as errors:
        await switchover.switch_over(await site.postgres(), Plan("pg-a-0", "pg-b-0"), PROGRESS)
    (error,) = errors.value.exceptions
    assert isinstance(error, VrooliError)
    assert "candidate name does not match" in error.message
    assert site.acts[-1] == "resume"


async def test_followers_that_do_not_follow_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switchover, "FOLLOW_S", 0.01)
    site = Site(A, B, rows=[row("pg-b-0")])
    await switchover.await_followers(await site.postgres(), "pg-a-0", PROGRESS)
    site.rows = []
    with pytest.raises(VrooliError, match="pg-b-0 does not stream"):
        await switchover.await_followers(await site.postgres(), "pg-a-0", PROGRESS)
