"""Programs that require what Vrooli's own require run with its values file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from support.cluster import vault_admin
from support.cluster.live import Live
from support.release.databases import REDIS, sql
from support.release.helm_cli import PlainHelm
from support.release.production import STAND_INS as NAMESPACE
from support.vrooli_stand_ins.values import KEYS, KEYS_POLICY, SECRETS, stand_in_values
from vrooli import project
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import VrooliError
from vrooli.kube import Kube
from vrooli.release import Release
from vrooli.release import uninstall as release_uninstall
from vrooli.vault import configuration, policies, server

pytestmark = pytest.mark.root

VROOLI = project.chart_dir() / "values-vrooli.yaml"
SERVERS = "app.kubernetes.io/component=server"
WORKERS = "SELECT string_agg(worker::text, ',' ORDER BY worker) FROM public.workers WHERE detector"
# The pods of the jobs whose sitemaps are written.
SITEMAPS = "SELECT string_agg(pod, ',') FROM public.executions WHERE sitemaps"
# The tables in which the server and the jobs note their counts in Redis.
COUNTS = ("workers", "executions")
MASTER = f"{REDIS},redisfailovers-role=master"
# What the migration must not reach: Redis, the server, PostgreSQL itself, and the API server.
OTHERS = (
    "rfm-vrooli-rf:6379,stand-ins-server:5329,vrooli-pg-primary:5432,kubernetes.default.svc:443"
)
LIMIT_S = 300.0
# When a migration that does not end is stopped, seconds.
STOPPED_S = 15


@pytest.fixture
async def helm(live: Live, kube: Kube) -> AsyncIterator[PlainHelm]:
    """A release in a namespace of its own, whose secrets Vault's role may read; with new keys.

    Its deletion takes a minute; the tests that need its place wait for it.
    """
    release = Release(NAMESPACE, NAMESPACE, live.kubeconfig)
    namespaces = [NAMESPACE, live.environment.namespace]
    await vault_admin.set_role(
        kube,
        bound_service_account_namespaces=namespaces,
        token_policies=[*policies.NAMES, KEYS_POLICY],
    )
    async with server.connect(kube) as vault:
        await configuration.generate_key_pairs(vault, *KEYS, frozenset(SECRETS))
    try:
        yield PlainHelm("helm", release)
    finally:
        await release_uninstall.start_namespace_deletion(kube, release)
        await vault_admin.set_role(kube)


def files(folder: Path, **migration: str) -> list[Path]:
    """The values files: a development cluster, Vrooli's images, and the stand-ins."""
    path = folder / "stand-ins.yaml"
    path.write_text(yaml.safe_dump(stand_in_values(**migration)))
    return [ENVIRONMENTS["dev"].values_file, VROOLI, path]


def hanging(folder: Path) -> list[Path]:
    """The values files with a migration that does not end, and is stopped soon."""
    path = folder / "hanging.yaml"
    path.write_text(f"migration: {{timeoutSeconds: {STOPPED_S}}}")
    return [*files(folder, HANG_MIGRATION="1"), path]


def without_migration(folder: Path) -> list[Path]:
    """The values files without the Job of the migration."""
    path = folder / "without-migration.yaml"
    path.write_text("migration: {enabled: false}")
    return [*files(folder), path]


async def totals(kube: Kube) -> list[int]:
    """The last counts that the servers and the jobs have written to both databases."""
    query = "SELECT coalesce(max(total), 0) FROM public.{}"
    return [int(await sql(kube, NAMESPACE, query.format(table))) for table in COUNTS]


async def until_equal(kube: Kube, query: str, expected: str) -> None:
    """Wait until a query gives a text."""
    deadline = time.monotonic() + LIMIT_S
    while (found := await sql(kube, NAMESPACE, query)) != expected:
        assert time.monotonic() < deadline, f"{query}: {found}"
        await asyncio.sleep(2.0)


async def count_again(kube: Kube) -> None:
    """Wait until the servers and the jobs have written ten more times."""
    deadline = time.monotonic() + LIMIT_S
    floors = [count + 10 for count in await totals(kube)]
    while True:
        counts = await totals(kube)
        if all(count >= floor for count, floor in zip(counts, floors, strict=True)):
            return
        assert time.monotonic() < deadline, f"{COUNTS}: {counts} of {floors}"
        await asyncio.sleep(2.0)


async def until_replaced(kube: Kube, uid: str) -> None:
    """Wait until another pod of Redis is the master."""
    deadline = time.monotonic() + LIMIT_S
    while (
        uid
        in (
            found := {
                pod["metadata"]["uid"] for pod in await kube.list("v1", "Pod", NAMESPACE, MASTER)
            }
        )
        or not found
    ):
        assert time.monotonic() < deadline, "no other Redis has become the master"
        await asyncio.sleep(2.0)


async def uids(kube: Kube) -> set[str]:
    """The identities of the servers' pods."""
    pods = await kube.list("v1", "Pod", NAMESPACE, SERVERS)
    return {pod["metadata"]["uid"] for pod in pods}


async def log_of(kube: Kube, pod: str, container: str) -> str:
    """The log of a container."""
    return "\n".join([line async for line in kube.logs(NAMESPACE, pod, container)])


async def migration_log(kube: Kube) -> str:
    """The log of the last migration."""
    pods = await kube.list("v1", "Pod", NAMESPACE, "app.kubernetes.io/component=migration")
    newest = max(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
    return await log_of(kube, newest["metadata"]["name"], "migration")


@pytest.mark.timeout(1500)
async def test_stand_ins_run_follow_the_master_and_survive_failed_migrations(
    helm: PlainHelm, kube: Kube, tmp_path: Path
) -> None:
    await helm.install(project.chart_dir(), *without_migration(tmp_path))
    await until_equal(kube, WORKERS, "0,1,2")
    assert await sql(kube, NAMESPACE, "SELECT 'A'::public.citext = 'a'") == "t"
    log = await log_of(kube, f"{helm.release.name}-server-0", "log-files")
    assert "worker 0 starts" in log
    jobs = f"{helm.release.name}-jobs-0"
    await until_equal(kube, SITEMAPS, jobs)
    assert "Sitemap generated successfully" in await log_of(kube, jobs, "log-files")

    (pod,) = await kube.list("v1", "Pod", NAMESPACE, MASTER)
    await kube.delete("v1", "Pod", pod["metadata"]["name"], NAMESPACE)
    await until_replaced(kube, pod["metadata"]["uid"])
    await count_again(kube)

    before = await uids(kube)
    with pytest.raises(VrooliError):
        await helm.upgrade(project.chart_dir(), *files(tmp_path, FAIL_MIGRATION=OTHERS))
    assert await uids(kube) == before
    await count_again(kube)
    log = await migration_log(kube)
    assert "P3018" in log
    # It is the first upgrade with a migration, whose policies exist before its pod.
    assert "reaches its database and []" in log

    with pytest.raises(VrooliError):
        await helm.upgrade(project.chart_dir(), *hanging(tmp_path))
    assert await uids(kube) == before
    await count_again(kube)
    assert "waits for a lock" in await migration_log(kube)
