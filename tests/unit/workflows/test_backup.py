"""A backup of a release: one point of PostgreSQL, Redis and Vault, and the list of them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.release.database_pods import (
    output,
    owned,
    pod,
    postgres_pod,
    psql,
    redis_cli,
    redis_pod,
)
from support.release.records import helm_secret, record
from support.release.repository import FakeRepository, backup
from vrooli.backups import points, vault_versions
from vrooli.chart import manifest
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.events import silent
from vrooli.kube.execution import Completed, Program
from vrooli.release.model import Release
from vrooli.rotation import vault_values
from vrooli.workflows.backups import backup as workflow
from vrooli.workflows.backups.run import BackupOptions
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access

DEV = ENVIRONMENTS["dev"]
RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
SETTINGS = {"pgbackrest": {"global": {"repo1-retention-full": "2"}}}
POSTGRES = owned("PostgresCluster", "vrooli-pg", RELEASE.name, backups=SETTINGS)
REDIS = owned("RedisFailover", "vrooli-rf", RELEASE.name)
HOST = "vrooli-pg-repo-host-0"
SECRET = {
    "apiVersion": "secrets.hashicorp.com/v1beta1",
    "kind": "VaultStaticSecret",
    "metadata": {"name": "vrooli-dev-redis"},
    "spec": {"type": "kv-v2", "mount": "secret", "path": "vrooli/secrets/redis"},
}
DUMP = b"REDIS0010" + bytes(range(256)) * 20
API = "databases.spotahome.com/v1"
WAL = "00000001000000000000000E"

pytestmark = pytest.mark.anyio


class Databases:
    """PostgreSQL and Redis that answer what a backup asks."""

    def __init__(self, archived: str = WAL) -> None:
        self.archived, self.saves, self.removed = archived, 0, False

    def sql(self, text: str) -> Completed:
        """Answer a query."""
        if "pg_create_restore_point" in text:
            return output(json.dumps({"wal": WAL, "time": "2026-11-29T14:05:01.25+00:00"}) + "\n")
        if "clock_timestamp" in text:
            return output(json.dumps({"time": "2026-11-29T14:05:01+00:00"}) + "\n")
        if "last_archived_time" in text:
            row = {"wal": self.archived, "time": "2026-11-29T14:05:03+00:00", "failed": None}
            return output(json.dumps({**row, "is_failing": False}) + "\n")
        assert "pg_switch_wal" in text
        return output("")

    def redis(self, words: Sequence[str]) -> Completed:
        """Answer a command."""
        match words:
            case ["SENTINEL", *_]:
                return output('["10.0.0.1", "6379"]\n')
            case ["BGSAVE"]:
                self.saves += 1
                return output('"Background saving started"\n')
            case ["INFO", "persistence"]:
                fields = f"rdb_saves:{self.saves}\nrdb_bgsave_in_progress:0\n"
                return output(f"# Persistence\n{fields}rdb_last_bgsave_status:ok\n")
            case ["CONFIG", "GET", key]:
                return output(json.dumps({key: {"dir": "/data"}.get(key, "dump.rdb")}) + "\n")
        pytest.fail(f"not expected: {words}")

    def redis_pod(self, program: Program) -> Completed:
        """Run redis-cli, or the commands that read the dump."""
        script = program.argv[2]
        if "redis-cli " in script:
            return redis_cli(self.redis)(program)
        if "ln " in script:
            digest = hashlib.sha256(DUMP).hexdigest()
            return output(f"{digest}  x\n{len(DUMP)}\n[info] 11 keys read\n")
        if "dd " in script:
            return output(base64.b64encode(DUMP).decode())
        assert "rm -f" in script
        self.removed = True
        return output("")


def _cluster(databases: Databases, repository: FakeRepository) -> FakeCluster:
    secret = manifest.from_body(SECRET, "dev")
    failover = manifest.from_body({"apiVersion": API, **REDIS}, "dev")
    cluster = FakeCluster(
        namespace("dev"),
        POSTGRES,
        REDIS,
        postgres_pod("pg-a-0", "master"),
        pod(HOST, {}),
        redis_pod("rfr-0", "redis", "10.0.0.1"),
        redis_pod("rfs-0", "sentinel", "10.0.0.2"),
        helm_secret(RELEASE, record(1, objects=[failover, secret])),
    )
    handlers = cluster.server.programs.handlers
    handlers["dev", "pg-a-0", "database"] = psql(databases.sql)
    handlers["dev", HOST, "pgbackrest"] = repository.run
    handlers["dev", "rfr-0", "redis"] = databases.redis_pod
    handlers["dev", "rfs-0", "sentinel"] = redis_cli(databases.redis)
    return cluster


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The versions in Vault."""
    versions = {"secret/vrooli/secrets/redis": 3}

    async def fetch(vault: object, bodies: object) -> dict[str, int]:
        return versions

    _reach(monkeypatch)
    monkeypatch.setattr(vault_versions, "fetch", fetch)
    return versions


def _reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reach a Vault."""

    @asynccontextmanager
    async def reach(*_: object) -> AsyncIterator[None]:
        yield

    monkeypatch.setattr(vault_values, "reach", reach)


def _connect(monkeypatch: pytest.MonkeyPatch, cluster: FakeCluster) -> None:
    @asynccontextmanager
    async def connect(text: str | None) -> AsyncIterator[Access]:
        reached = SimpleNamespace(kubeconfig=Path("kubeconfig"))
        yield Access(cast(Any, None), cast(Any, reached), cluster)

    monkeypatch.setattr(access, "connect", connect)


async def test_a_point_contains_postgres_redis_vault_and_the_revision(
    monkeypatch: pytest.MonkeyPatch, secrets: dict[str, int]
) -> None:
    databases, repository = Databases(), FakeRepository()
    _connect(monkeypatch, _cluster(databases, repository))
    result = await workflow.backup(BackupOptions(DEV), silent)
    point = result.backup
    assert (point.id, point.is_point, point.kind, point.revision) == (
        "20261129-140501",
        True,
        "full",
        1,
    )
    assert (point.redis_bytes, point.vault_versions) == (len(DUMP), secrets)
    assert point.remaining_full_backups == 2
    assert repository.files == {"vrooli/20261129-140501/redis.rdb.000": DUMP}
    assert databases.removed
    command = f"vrooli restore --point {point.id} --into inspection -e dev"
    assert result.restore_command == command
    listed = await workflow.backups(DEV, None, silent)
    assert listed.backups == (point,)
    assert listed.ranges[0].until is not None


async def test_a_point_without_access_to_vault_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    _connect(monkeypatch, _cluster(Databases(), FakeRepository()))

    async def fetch(vault: object, bodies: object) -> dict[str, int]:
        raise PrerequisiteError("Vault is sealed.", "Unseal it.")

    _reach(monkeypatch)
    monkeypatch.setattr(vault_versions, "fetch", fetch)
    result = await workflow.backup(BackupOptions(DEV), silent)
    assert result.notes == ("versions of the secrets in Vault: Vault is sealed. Unseal it.",)
    assert result.backup.vault_versions == {}


async def test_dumps_of_expired_backups_are_removed(
    monkeypatch: pytest.MonkeyPatch, secrets: dict[str, int]
) -> None:
    repository = FakeRepository(files={"vrooli/20261101-000000/redis.rdb.000": b"old"})
    _connect(monkeypatch, _cluster(Databases(), repository))
    await workflow.backup(BackupOptions(DEV), silent)
    assert list(repository.files) == ["vrooli/20261129-140501/redis.rdb.000"]


async def test_wal_that_is_not_archived_is_no_point(
    monkeypatch: pytest.MonkeyPatch, secrets: dict[str, int]
) -> None:
    repository = FakeRepository()
    _connect(monkeypatch, _cluster(Databases("00000001000000000000000D"), repository))
    with pytest.raises(VrooliError, match=f"did not archive the WAL segment {WAL}"):
        await workflow.backup(BackupOptions(DEV), silent)
    assert not any("annotation" in item for item in repository.backups)


async def test_a_missing_repository_is_reported_before_anything_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    databases, repository = Databases(), FakeRepository()
    _connect(monkeypatch, _cluster(databases, repository))
    with pytest.raises(VrooliError, match="no backup repository 2; there are: 1"):
        await workflow.backup(BackupOptions(DEV, repository=2), silent)
    assert repository.backups == []
    assert databases.saves == 0


async def test_scheduled_backups_are_listed_as_postgresql_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _connect(monkeypatch, _cluster(Databases(), FakeRepository([backup("20261129-094420F")])))
    (item,) = (await workflow.backups(DEV, None, silent)).backups
    assert (item.id, item.is_point, item.redis_bytes) == ("20261129-094420F", False, None)


async def test_a_record_that_others_wrote_is_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = backup("20261129-094420F", annotation={points.ANNOTATION: '{"id": "\\u001b[2J"}'})
    _connect(monkeypatch, _cluster(Databases(), FakeRepository([hostile])))
    (item,) = (await workflow.backups(DEV, None, silent)).backups
    assert item.id == "20261129-094420F"
