"""A develop that is cut off at any step continues at the next run, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys

import httpx
import pytest

from support.live import Live
from vrooli.errors import EnvironmentLackError, InterruptError
from vrooli.kube import Kube

pytestmark = pytest.mark.root

# Where a run that finds work to do is cut off: CI's part, and all of them.
SOME = ("cluster", "healthy")
ALL = (
    *("packages", "programs", "images", "program-images", "cluster", "load", "secrets"),
    *("postgres-operator", "redis-operator", "vault-secrets-operator", "operators"),
    *("release", "healthy"),
)
RUN_S = 400.0


async def _develop(live: Live, *, until: str | None) -> int | None:
    """Run develop; interrupt it, as Ctrl-C does, when the named step begins."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vrooli", "develop", "--output", "json"),
        *("--cluster", live.cluster, *(f"--values={file}" for file in live.values)),
        stdout=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )
    assert process.stdout is not None
    async with asyncio.timeout(RUN_S):
        async for line in process.stdout:
            event = json.loads(line)
            if event.get("type") == "step-started" and event.get("step") == until:
                process.send_signal(signal.SIGINT)
        return await process.wait()


async def _posts(live: Live) -> set[str]:
    async with httpx.AsyncClient(base_url=live.urls["ui"], timeout=30) as client:
        answer = (await client.get("/api/posts")).raise_for_status()
    return {post["id"] for post in answer.json()["posts"]}


async def _damage(kube: Kube, live: Live) -> None:
    """Take something away that develop has to bring back."""
    name = f"{live.environment.release}-adminer"
    await kube.delete("apps/v1", "Deployment", name, live.environment.namespace)


@pytest.mark.parametrize(
    "step", [*SOME, *(pytest.param(s, marks=pytest.mark.long) for s in ALL if s not in SOME)]
)
async def test_what_was_cut_off_is_healthy_after_the_next_run(
    live: Live, kube: Kube, step: str
) -> None:
    before = await _posts(live)
    await _damage(kube, live)
    assert await _develop(live, until=step) == InterruptError.exit_code
    assert await _develop(live, until=None) == 0
    assert await _posts(live) >= before


async def test_of_two_runs_at_once_none_does_harm(live: Live, kube: Kube) -> None:
    before = await _posts(live)
    await _damage(kube, live)
    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(_develop(live, until=None)) for _ in range(2)]
    # The one that finds the other at work on the cluster says so and ends.
    ends = sorted(run.result() or 0 for run in runs)
    assert ends in ([0, 0], [0, EnvironmentLackError.exit_code])
    assert await _posts(live) >= before
