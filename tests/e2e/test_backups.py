"""A point of a live release, and a copy of a moment: what they have, and that nothing is files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from support.cluster import workload
from support.cluster.live import Live
from vrooli.backups import copies, listing, moment, points
from vrooli.backups.clones import Place
from vrooli.databases.postgres.session import Postgres
from vrooli.databases.redis.session import Redis
from vrooli.errors import UsageError, VrooliError
from vrooli.events import Progress, silent
from vrooli.kube import Kube
from vrooli.release.model import Release
from vrooli.rotation import targets
from vrooli.rotation.model import Rotated
from vrooli.workflows.backups.backup import backup, backups
from vrooli.workflows.backups.run import BackupOptions
from vrooli.workflows.restores.copy import RestoreOptions, restore
from vrooli.workflows.restores.end import finish_restore
from vrooli.workflows.restores.point import PointRestoreOptions, restore_point
from vrooli.workflows.restores.postgres import PostgresRestoreOptions
from vrooli.workflows.restores.redis import RedisRestoreOptions, restore_redis
from vrooli.workflows.restores.vault import VaultRestoreOptions, restore_vault
from vrooli.workflows.rotate import RotateOptions, rotate

pytestmark = [pytest.mark.root, pytest.mark.anyio]

DATABASE, TABLE, KEY = "vrooli", "public.backup_test", "backup-test"
PLACE = Place("copy", "restored-test")
CONNECT = "use IO::Socket::INET; exit !IO::Socket::INET->new(PeerAddr => $ARGV[0], Timeout => 2)"
COUNT = f"SELECT count(*) AS rows FROM {TABLE}"


@dataclass(frozen=True)
class Site:
    """The live release and its databases."""

    live: Live
    kube: Kube
    release: Release
    postgres: Postgres
    redis: Redis


@pytest.fixture
async def site(live: Live) -> AsyncIterator[Site]:
    """The release; the table, the key and the copy of a test are removed at its end."""
    release = Release.of(live.environment, live.kubeconfig)
    async with await Kube.connect(live.kubeconfig) as kube:
        postgres, redis = await Postgres.of(kube, release), await Redis.of(kube, release)
        try:
            yield Site(live, kube, release, postgres, redis)
        finally:
            await postgres.execute(f"DROP TABLE IF EXISTS {TABLE};", DATABASE)
            await redis.command(await redis.master(), "DEL", KEY)
            await copies.remove(kube, PLACE, Progress("copy", silent))
            await kube.delete("v1", "Namespace", PLACE.namespace)


async def test_a_point_is_complete_and_leaves_nothing_in_the_pods(site: Site) -> None:
    value = bytes(range(1, 127)).decode() * 50
    await site.redis.command(await site.redis.master(), "SET", KEY, value)
    result = await backup(BackupOptions(site.live.environment, site.live.cluster), silent)
    point = result.backup
    listed = await backups(site.live.environment, site.live.cluster, silent)
    assert listed.backups[-1] == point
    assert point.vault_versions
    repository = (await listing.fetch(site.kube, site.release)).repository
    folder = f"{points.FOLDER}/{point.id}"
    sizes = await repository.sizes(point.repository, folder)
    assert sum(sizes.values()) == point.redis_bytes
    dump = b"".join([await repository.get(1, f"{folder}/{name}") for name in sorted(sizes)])
    assert dump.startswith(b"REDIS")
    assert KEY.encode() in dump
    master = await site.redis.master()
    files = await site.kube.exec(site.release.namespace, master.name, ["ls", "/data"], "redis")
    assert "vrooli-dump" not in files
    future = RestoreOptions(
        site.live.environment, to="2100-01-01", into=str(PLACE), cluster=site.live.cluster
    )
    with pytest.raises(UsageError, match="in the future"):
        await restore(future, silent)


@pytest.mark.long
async def test_a_copy_has_what_was_committed_until_its_moment(site: Site) -> None:
    await site.postgres.execute(f"CREATE TABLE {TABLE} (number int);", DATABASE)
    await site.postgres.execute(f"INSERT INTO {TABLE} VALUES (1), (2);", DATABASE)
    at = await moment.now(site.postgres)
    await asyncio.sleep(0.1)
    await site.postgres.execute(f"INSERT INTO {TABLE} VALUES (3);", DATABASE)
    options = RestoreOptions(
        site.live.environment, to=at.isoformat(), into=str(PLACE), cluster=site.live.cluster
    )
    result = await restore(options, silent)
    (table,) = [item for item in result.tables if item.table == f"{DATABASE}: {TABLE}"]
    assert (table.restored_rows, table.live_rows) == (2, 3)
    copy: Any = await copies.find(site.kube, PLACE)
    assert await Postgres(site.kube, copy).query(COUNT, DATABASE) == [{"rows": 2}]
    await _demand_closed(site.kube, copy)
    policies = await site.kube.list(
        "networking.k8s.io/v1", "NetworkPolicy", site.release.namespace, "vrooli.com/restored-copy"
    )
    assert policies == []


@pytest.mark.long
async def test_a_copy_of_a_point_is_made(site: Site) -> None:
    made = await backup(BackupOptions(site.live.environment, site.live.cluster), silent)
    options = RestoreOptions(
        site.live.environment, point=made.backup.id, into=str(PLACE), cluster=site.live.cluster
    )
    result = await restore(options, silent)
    assert (result.point, result.cluster) == (made.backup.id, PLACE.name)
    assert result.tables


@pytest.mark.long
async def test_a_key_of_redis_has_the_value_of_the_point_again(site: Site) -> None:
    await site.redis.command(await site.redis.master(), "SET", KEY, "before")
    made = await backup(BackupOptions(site.live.environment, site.live.cluster), silent)
    await site.redis.command(await site.redis.master(), "SET", KEY, "after")
    options = RedisRestoreOptions(site.live.environment, made.backup.id, site.live.cluster)
    result = await restore_redis(options, silent)
    assert "before" in await site.redis.command(await site.redis.master(), "GET", KEY)
    assert result.previous_point in result.undo_command


@pytest.mark.long
async def test_a_secret_has_the_values_of_the_point_again(site: Site) -> None:
    environment, cluster = site.live.environment, site.live.cluster
    target = await targets.find(site.kube, environment, Rotated.SHARED)
    before = await targets.read(site.kube, environment.namespace, target.published)
    made = await backup(BackupOptions(environment, cluster), silent)
    await rotate(RotateOptions(environment, (Rotated.SHARED,), cluster), silent)
    assert await targets.read(site.kube, environment.namespace, target.published) != before
    await restore_vault(VaultRestoreOptions(environment, made.backup.id, cluster=cluster), silent)
    assert await targets.read(site.kube, environment.namespace, target.published) == before


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_the_whole_release_has_the_data_of_the_point_again(site: Site) -> None:
    environment, cluster = site.live.environment, site.live.cluster
    target = await targets.find(site.kube, environment, Rotated.SHARED)
    await site.postgres.execute(f"CREATE TABLE {TABLE} (number int);", DATABASE)
    await site.redis.command(await site.redis.master(), "SET", KEY, "before")
    secret = await targets.read(site.kube, environment.namespace, target.published)
    made = await backup(BackupOptions(environment, cluster), silent)
    await site.postgres.execute(f"INSERT INTO {TABLE} VALUES (1);", DATABASE)
    await site.redis.command(await site.redis.master(), "SET", KEY, "after")
    await rotate(RotateOptions(environment, (Rotated.SHARED,), cluster), silent)
    options = PointRestoreOptions(environment, made.backup.id, cluster)
    result = await restore_point(options, silent)
    try:
        assert await site.postgres.query(COUNT, DATABASE) == [{"rows": 0}]
        assert "before" in await site.redis.command(await site.redis.master(), "GET", KEY)
        assert await targets.read(site.kube, environment.namespace, target.published) == secret
        assert result.redis is not None
        assert result.vault is not None
        assert result.notes == ()
    finally:
        await finish_restore(PostgresRestoreOptions(environment, cluster=cluster), silent)


async def _demand_closed(kube: Kube, copy: Any) -> None:
    """Require that pods beside a copy, and in another namespace, cannot connect to it."""
    (instance,) = await Postgres(kube, copy).instances()
    target = await kube.get("v1", "Pod", instance.pod, PLACE.namespace)
    assert target is not None
    around = await kube.get("v1", "Namespace", PLACE.namespace)
    assert around is not None
    standard = around["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
    assert standard in ("baseline", "restricted")
    stranger = workload.pod("stranger")
    stranger["metadata"]["namespace"] = "default"
    await workload.run_pod(kube, stranger)
    try:
        argv = ["perl", "-e", CONNECT, f"{target['status']['podIP']}:5432"]
        with pytest.raises(VrooliError):
            await kube.exec("default", "stranger", argv, "server")
        await kube.exec("default", "stranger", ["perl", "-e", CONNECT, "127.0.0.1:8080"], "server")
    finally:
        await kube.delete("v1", "Pod", "stranger", "default")
