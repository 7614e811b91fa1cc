"""A real process in a real cgroup that somebody froze."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vrooli.cluster.embedded.host import cgroups
from vrooli.cluster.embedded.host.inspection import Host, probe

pytestmark = [pytest.mark.anyio, pytest.mark.root]
FREEZERS = {"v1": ("freezer.state", "FROZEN"), "v2": ("cgroup.freeze", "1")}
FREEZE_S = 60


@pytest.fixture
async def name(tmp_path: Path) -> AsyncIterator[str]:
    """The name of cgroups of the test's own, which are gone afterwards."""
    if os.geteuid() != 0:
        pytest.skip("making cgroups needs root")
    name = f"vrooli-test-{uuid.uuid4().hex[:6]}"
    host = probe(tmp_path)
    cgroups.create(host, name)
    yield name
    cgroups.thaw(host, name)
    await cgroups.kill(host, name)
    await cgroups.remove(host, name)


@pytest.mark.parametrize("kind", FREEZERS)
async def test_a_frozen_process_is_killed(
    name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = probe(tmp_path)
    pod = _freezer(host, kind) / name / cgroups.PODS / "one"
    pod.mkdir()
    process = await asyncio.create_subprocess_exec("sleep", "600")
    (pod / "cgroup.procs").write_text(str(process.pid))
    file, word = FREEZERS[kind]
    (pod.parent / file).write_text(word)  # the pod's own is frozen with it
    await _until_frozen(pod, kind)
    monkeypatch.setattr(cgroups, "KILL_S", 60.0)
    began = time.monotonic()
    assert await cgroups.kill(host, name) == {process.pid}
    assert time.monotonic() - began < cgroups.KILL_S
    assert await process.wait() == -9


def _freezer(host: Host, kind: str) -> Path:
    point = host.v1.get("freezer") if kind == "v1" else host.v2
    if point is None:
        pytest.skip(f"this host has no freezer of cgroup {kind}")
    return point


async def _until_frozen(pod: Path, kind: str) -> None:
    async with asyncio.timeout(FREEZE_S):
        while not _is_frozen(pod, kind):  # noqa: ASYNC110 - the kernel's file
            await asyncio.sleep(0.02)


def _is_frozen(pod: Path, kind: str) -> bool:
    if kind == "v1":
        return (pod / "freezer.state").read_text().strip() == "FROZEN"
    return "frozen 1" in (pod / "cgroup.events").read_text()
