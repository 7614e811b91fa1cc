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
from vrooli.backups import redis_dump, redis_load
from vrooli.backups.points import ANNOTATION, Point, RedisDump
from vrooli.databases.redis.session import Redis, RedisCommandError, RedisPod
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import PrerequisiteError, UsageError, VrooliError
from vrooli.events import silent
from vrooli.kube import ApiError
from vrooli.kube.times import parse_time
from vrooli.release.model import Release
from vrooli.steps import Done, Step
from vrooli.workflows.backups.run import BackupRun
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.restores import redis as workflow
from vrooli.workflows.restores.redis import RedisRestoreOptions
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


def _staged() -> redis_load.Staged:
    body = owned("RedisFailover", "vrooli-rf", RELEASE.name)
    body["metadata"]["namespace"] = "dev"
    redis = Redis(FakeCluster(), body)
    return redis_load.Staged(redis, RedisPod("a", "redis", "", is_ready=True), "/data", 3)


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


async def test_a_failed_load_says_how_to_undo_it_and_leaves_the_dump_to_its_script(
    monkeypatch: pytest.MonkeyPatch, events: list[str]
) -> None:
    staged = Staged(VrooliError("The connection broke off"))
    _stage(monkeypatch, staged, events)
    with pytest.raises(VrooliError, match="broke off") as failure:
        await _restore()
    assert "`vrooli restore --point now --only redis -e dev`" in failure.value.advice
    assert not staged.is_removed


@pytest.mark.parametrize(
    ("error", "is_removed"),
    [(ApiError("run sh", 403, "forbidden"), True), (VrooliError("broke off"), False)],
)
async def test_a_dump_is_removed_from_outside_if_its_script_was_not_started(
    monkeypatch: pytest.MonkeyPatch, error: VrooliError, is_removed: bool
) -> None:
    removed: list[object] = []

    async def run(*arguments: object) -> str:
        removed.append(arguments[2])
        return ""

    async def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(redis_load, "_run", run)
    monkeypatch.setattr(redis_load.programs, "run", fail)
    with pytest.raises(VrooliError):
        await _staged().load()
    assert removed == ([["/data/vrooli-restore.rdb"]] if is_removed else [])


async def test_a_full_volume_is_reported_before_the_dump_is_copied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run(*_: object) -> str:
        header = "Filesystem 1024-blocks Used Available Capacity Mounted on"
        return f"{header}\n/dev/sda1 100 99 1 99% /data\n"

    monkeypatch.setattr(redis_load, "_run", run)
    dump = RedisDump(400, "ab", 1, 3)
    assert TIME is not None
    point = Point("p", TIME, "vrooli-dev", 7, redis=dump)
    with pytest.raises(PrerequisiteError, match=r"1200 bytes .*, 1024 bytes"):
        await redis_load._check_space(_staged(), point, dump)


async def test_a_dump_waits_for_the_end_of_a_rewrite(monkeypatch: pytest.MonkeyPatch) -> None:
    refusals = ["Another child process is active (AOF?): can't BGSAVE right now."]
    fields = {"rdb_bgsave_in_progress": "0", "rdb_last_bgsave_status": "ok"}

    async def command(*_: object) -> str:
        if refusals:
            raise RedisCommandError(f"Redis refused BGSAVE: {refusals.pop()}")
        return "Background saving started"

    async def info(*_: object) -> dict[str, str]:
        return fields

    monkeypatch.setattr(Redis, "command", command)
    monkeypatch.setattr(Redis, "info", info)
    monkeypatch.setattr(redis_dump, "POLL_S", 0)
    staged = _staged()
    await redis_dump.save(staged.redis, staged.master, 5)
    assert refusals == []


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
    assert TIME is not None
    point = Point("p", TIME, "vrooli-dev", 7, redis=DUMP)
    with pytest.raises(PrerequisiteError, match=r"148388608 bytes .*, its limit is 100000000"):
        await redis_load._check(_staged(), point, DUMP, "ab")
