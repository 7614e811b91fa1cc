"""A develop that is cut off at any step continues at the next run, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import Any

import httpx
import pytest

from support.cluster.live import Live
from vrooli import process
from vrooli.errors import InterruptError
from vrooli.kube import Kube

pytestmark = pytest.mark.root

# Where a run that finds work to do is cut off: CI's part, and all of them.
SOME = ("cluster", "healthy")
ALL = (
    *("packages", "programs", "images", "service-images", "program-images", "cluster", "load"),
    *("secrets", "postgres-operator", "redis-operator", "vault-secrets-operator", "operators"),
    *("release", "healthy"),
)
RUN_S = 400.0
# A run that finds everything as it should be waits for nothing, seconds: how long it takes on a
# quiet machine (limit: 5) is measured by bench/cold_start.py.
SECOND_RUN_S = 40.0


async def _develop(live: Live, *, until: str | None) -> int | None:
    """Run develop; interrupt it, as Ctrl-C does, when the named step begins."""
    started = await asyncio.create_subprocess_exec(*_argv(live), stdout=asyncio.subprocess.PIPE)
    assert started.stdout is not None
    async with asyncio.timeout(RUN_S):
        async for line in started.stdout:
            event = json.loads(line)
            if event.get("type") == "step-started" and event.get("step") == until:
                started.send_signal(signal.SIGINT)
        return await started.wait()


def _argv(live: Live) -> list[str]:
    values = [f"--values={file}" for file in live.values]
    develop = [sys.executable, "-m", "vrooli", "develop", "--output", "json"]
    return [*develop, "--cluster", live.cluster, *values]


async def _result(live: Live) -> dict[str, Any]:
    """What a run of develop ends with."""
    answer = await process.run(_argv(live), timeout_s=RUN_S)
    last: dict[str, Any] = json.loads(answer.output.splitlines()[-1])["result"]
    return last


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


async def test_a_second_run_changes_nothing_and_waits_for_nothing(live: Live) -> None:
    # The first of them may still find what another test has changed; the fastest counts.
    runs = [await _result(live) for _ in range(3)]
    assert [run["changed"] for run in runs[1:]] == [False, False]
    assert min(run["elapsed_s"] for run in runs) < SECOND_RUN_S


async def test_of_two_runs_at_once_the_second_waits_for_the_first(live: Live, kube: Kube) -> None:
    before = await _posts(live)
    await _damage(kube, live)
    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(_develop(live, until=None)) for _ in range(2)]
    # The second waits for the first's end, and finds nothing to do.
    assert [run.result() for run in runs] == [0, 0]
    assert await _posts(live) >= before
