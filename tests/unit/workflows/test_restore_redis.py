"""The data of Redis is replaced with that of a point, and can be brought back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.release.database_pods import owned, pod
from support.release.records import helm_secret, record
from support.release.repository import FakeRepository, backup
from vrooli.backups import redis_load
from vrooli.backups.points import ANNOTATION, Point, RedisDump
from vrooli.databases.redis.session import Redis, RedisPod
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import PrerequisiteError, UsageError, VrooliError
from vrooli.events import silent
from vrooli.kube.times import parse_time
from vrooli.release.model import Release
from vrooli.steps import Done, Step
from vrooli.workflows import restore_redis as workflow
from vrooli.workflows.backup_run import BackupRun
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.restore_redis import RedisRestoreOptions
from vrooli.workflows.safeguards.consent import CONFIRMED, Consent

DEV = ENVIRONMENTS["dev"]
RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
TIME = parse_time("2026-11-29T14:05:01Z")
DUMP = RedisDump(9, "ab", 1, 3)
HOST = "vrooli-pg-repo-host-0"

pytestmark = pytest.mark.anyio


class Staged:
    """A dump in the pod, which can be loaded once."""

    def __init__(self, failure: VrooliError | None = None) -> None:
        self.failure, self.is_removed = failure, False

    async def load(self) -> float:
        """Replace the data."""
        if self.failure:
            raise self.failure
        return 0.5

    async def remove(self) -> None:
        """Remove the dump."""
        self.is_removed = True


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that ran, in order; the point of now has the name `now`."""
    steps: list[str] = []
    assert TIME is not None
    point = Point("20261129-140501", TIME, "vrooli-dev", 7, redis=DUMP)
    bodies = [
        backup("20261129-000000F"),
        backup("20261129-094420F", seconds=9, annotation={ANNOTATION: point.to_annotation()}),
    ]
    cluster = FakeCluster(
        namespace("dev"),
        owned("PostgresCluster", "vrooli-pg", RELEASE.name),
        owned("RedisFailover", "vrooli-rf", RELEASE.name),
        pod(HOST, {}),
        helm_secret(RELEASE, record(1)),
    )
    cluster.server.programs.handlers["dev", HOST, "pgbackrest"] = FakeRepository(bodies).run

    @asynccontextmanager
    async def connect(text: str | None) -> AsyncIterator[Access]:
        reached = SimpleNamespace(kubeconfig=Path("kubeconfig"))
        yield Access(cast(Any, None), cast(Any, reached), cluster)

    def backup_steps(run: BackupRun) -> list[Step]:
        async def make(_: object) -> Done:
            steps.append("point")
            run.point = Point("now", run.point.time, run.point.release, 1)
            return Done(changed=True)

        return [Step("record", "Record", make)]

    async def master(redis: Redis) -> RedisPod:
        return RedisPod("rfr-0", "redis", "10.0.0.1", is_ready=True)

    async def info(redis: Redis, pod: RedisPod, section: str) -> dict[str, str]:
        return {"db0": "keys=3,expires=1,avg_ttl=0", "db2": "keys=4,expires=0,avg_ttl=0"}

    monkeypatch.setattr(access, "connect", connect)
    monkeypatch.setattr(BackupRun, "steps", backup_steps)
    monkeypatch.setattr(Redis, "master", master)
    monkeypatch.setattr(Redis, "info", info)
    return steps


def _stage(monkeypatch: pytest.MonkeyPatch, staged: Staged, steps: list[str]) -> None:
    async def stage(*arguments: object) -> Staged:
        steps.append("stage")
        return staged

    monkeypatch.setattr(redis_load, "stage", stage)


async def _restore(point: str = "20261129-140501", consent: Consent = CONFIRMED) -> Any:
    return await workflow.restore_redis(RedisRestoreOptions(DEV, point), silent, consent)


async def test_a_point_of_now_is_made_before_the_data_is_replaced(
    monkeypatch: pytest.MonkeyPatch, events: list[str]
) -> None:
    staged = Staged()
    _stage(monkeypatch, staged, events)
    result = await _restore()
    assert events == ["point", "stage"]
    assert (result.keys, result.pause_s, result.previous_point) == (7, 0.5, "now")
    assert result.undo_command == "vrooli restore --point now --only redis -e dev"
    assert staged.is_removed


async def test_a_failed_load_leaves_no_dump_in_the_pod(
    monkeypatch: pytest.MonkeyPatch, events: list[str]
) -> None:
    staged = Staged(VrooliError("it is not the master"))
    _stage(monkeypatch, staged, events)
    with pytest.raises(VrooliError, match="not the master"):
        await _restore()
    assert staged.is_removed


async def test_a_point_without_a_dump_of_redis_is_refused(events: list[str]) -> None:
    with pytest.raises(UsageError, match="20261129-000000F has no dump of Redis"):
        await _restore("20261129-000000F")
    assert events == []


async def test_it_is_confirmed_in_every_environment(events: list[str]) -> None:
    with pytest.raises(UsageError, match="replace the data of Redis of vrooli-dev"):
        await _restore(consent=Consent())
    assert events == []


async def test_missing_memory_is_reported_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def info(redis: Redis, pod: RedisPod, section: str) -> dict[str, str]:
        return {"used_memory_rss": "90000000"}

    async def run(*arguments: object) -> str:
        return "ab  /data/x\nAUX FIELD used-mem = '50000000'\n100000000\n"

    monkeypatch.setattr(Redis, "info", info)
    monkeypatch.setattr(redis_load, "_run", run)
    redis = Redis(FakeCluster(), owned("RedisFailover", "vrooli-rf", RELEASE.name))
    staged = redis_load.Staged(redis, RedisPod("a", "redis", "", is_ready=True), "/data")
    assert TIME is not None
    point = Point("p", TIME, "vrooli-dev", 7, redis=DUMP)
    with pytest.raises(PrerequisiteError, match=r"148388608 bytes .*, its limit is 100000000"):
        await redis_load._check(staged, point, DUMP, "ab")
