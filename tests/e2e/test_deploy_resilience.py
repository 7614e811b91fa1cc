"""Deploys that are killed or whose hook fails, and a server that is killed: nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.cluster.live import Live
from support.release import hooks, server_pod
from support.release.artifacts import DEV, Source
from support.release.databases import forget_data, read_data, write_data
from vrooli.chart import values
from vrooli.events import Event, Progress, StepEnded, silent
from vrooli.kube import Kube
from vrooli.release import Release
from vrooli.release.failure_handling import DeployFailedError
from vrooli.release.records import storage
from vrooli.release.rollout import wait
from vrooli.workflows.deploys.deploy import deploy
from vrooli.workflows.deploys.rollback import RollbackOptions, rollback
from vrooli.workflows.development.develop import develop
from vrooli.workflows.options import DeployOptions, DevelopOptions

pytestmark = [pytest.mark.root, pytest.mark.anyio]

FIRST, SECOND, HOOK = "3.0.0", "3.0.1", "3.0.2"
# What production has: two of the page and of the API, and time to drain them.
PRODUCTION: dict[str, Any] = {
    "replicaCount": {"ui": 2, "server": 2},
    "services": {"ui": {"drainSeconds": 5}, "server": {"drainSeconds": 5}},
}
# What only the second version has, so that a killed deploy may leave it behind.
MORE: dict[str, Any] = {"services": {"ui": {"podDisruptionBudget": {"enabled": True}}}}
# Moments of a deploy at which it is killed, seconds after its begin: as long as one may take.
KILLED_WITHIN_S = 20.0
INSTANCE = "app.kubernetes.io/instance=vrooli-dev"
KINDS = (
    ("apps/v1", "Deployment"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "ServiceAccount"),
    ("policy/v1", "PodDisruptionBudget"),
)
# Requests one after another, as many as there are until a killed process has come again.
ASKED = 100
# How long it may take to tell that a hook fails, seconds; on a busy machine.
TOLD_S = 180.0


@pytest.fixture(scope="module")
def artifacts(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions with what production has, and one with a hook that fails."""
    folder, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("out")
    source = Source(folder)
    chosen = values.merge(values.load(DEV, live.values), PRODUCTION)
    source.build(out, FIRST, chosen, images=True)
    source.build(out, SECOND, values.merge(chosen, MORE), images=True)
    (folder / "k8s/chart/templates/failing-hook.yaml").write_text(hooks.FAILING)
    source.build(out, HOOK, chosen, images=True)
    return out


@pytest.fixture(scope="module")
async def release(live: Live) -> AsyncIterator[Release]:
    """The live release, which goes back to what it was after the last of these tests."""
    release = Release.of(live.environment, live.kubeconfig)
    async with await Kube.connect(live.kubeconfig) as kube:
        before = await storage.fetch_revision(kube, release)
    assert before is not None
    yield release
    async with await Kube.connect(live.kubeconfig) as kube:
        revisions = await storage.fetch_revisions(kube, release)
    if before.number in {item.number for item in revisions}:
        await rollback(RollbackOptions(DEV, before.number, live.cluster), silent)
    else:  # after many deploys Helm has forgotten it
        await develop(DevelopOptions(DEV, cluster=live.cluster, values=live.values), silent)


@pytest.fixture
async def first(live: Live, artifacts: Path, release: Release) -> Release:
    """The release with the first version deployed."""
    await deploy(options(live, artifacts, FIRST), silent)
    return release


def options(live: Live, artifacts: Path, version: str) -> DeployOptions:
    """A deploy of one of the versions."""
    return DeployOptions(DEV, version, artifacts / version, live.cluster)


async def test_a_servers_process_that_is_killed_fails_no_request_after_it(
    live: Live, kube: Kube, artifacts: Path, first: Release
) -> None:
    pod = await server_pod.name(kube)
    async with httpx.AsyncClient(base_url=live.urls["ui"], trust_env=False, timeout=30) as client:
        server_pod.kill(pod)
        answers = [await client.get("/api/posts?limit=5") for _ in range(ASKED)]
    assert [answer.status_code for answer in answers] == [httpx.codes.OK] * ASKED
    await wait.until_ready(kube, await storage.fetch_manifests(kube, first), Progress())
    body = await kube.get("v1", "Pod", pod, DEV.namespace)
    assert body is not None
    assert body["status"]["containerStatuses"][0]["restartCount"] == 1


async def test_a_hook_that_fails_is_told_early_and_the_old_state_comes_back(
    live: Live, kube: Kube, artifacts: Path, first: Release
) -> None:
    before, ended = await storage.fetch_revision(kube, first), list[tuple[float, StepEnded]]()

    def listen(event: Event) -> None:
        if isinstance(event, StepEnded):
            ended.append((time.monotonic(), event))

    began = time.monotonic()
    with pytest.raises(DeployFailedError, match="vrooli-dev-migrate") as failed:
        await deploy(options(live, artifacts, HOOK), listen)
    told = next(at for at, event in ended if event.outcome.value == "failed")
    assert told - began < TOLD_S
    assert "no such column" in failed.value.message
    assert before is not None
    assert "is healthy again" in failed.value.message


@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.long)])
async def test_a_deploy_that_is_killed_is_ended_by_the_next_one_and_nothing_is_lost(
    live: Live, kube: Kube, artifacts: Path, first: Release, kills: int
) -> None:
    await write_data(kube, DEV.namespace)
    written = await read_data(kube, DEV.namespace)
    drawn = random.Random(kills)  # noqa: S311 - moments, no secrets
    try:
        for number in range(kills):
            version = (SECOND, FIRST)[number % 2]
            moment_s = drawn.uniform(1.0, KILLED_WITHIN_S)
            await _killed(live, artifacts, version, moment_s)
            # The same again, or back to the other one.
            version = drawn.choice((FIRST, SECOND))
            await deploy(options(live, artifacts, version), silent)
            assert await _orphans(kube, first) == set(), f"killed after {moment_s:.1f} s"
            assert await read_data(kube, DEV.namespace) == written
            last = await storage.fetch_revision(kube, first)
            assert last is not None
            assert last.status == "deployed"
    finally:
        await forget_data(kube, DEV.namespace)


async def _killed(live: Live, artifacts: Path, version: str, after_s: float) -> None:
    """Start a deploy as a process of its own, and end it without a word."""
    words = ["deploy", "-v", version, "--artifact", str(artifacts / version)]
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vrooli", *words, "--cluster", live.cluster),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(started.wait()), after_s)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(started.pid, signal.SIGKILL)
    await started.wait()


async def _orphans(kube: Kube, release: Release) -> set[str]:
    """The release's own objects that its newest revision doesn't know."""
    noted = {item.key for item in await storage.fetch_manifests(kube, release)}
    found = set()
    for api_version, kind in KINDS:
        for body in await kube.list(api_version, kind, release.namespace, INSTANCE):
            managed = body["metadata"]["labels"].get("app.kubernetes.io/managed-by")
            if managed == "Helm":
                found.add(f"{kind}/{body['metadata']['name']}")
    return found - noted
