"""No request is lost while one of the two pods of Traefik ends, is killed or is replaced."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.cluster import workload
from support.cluster.clusters import Maker
from support.cluster.footprint import processes_of
from vrooli.cluster.embedded.api import Api
from vrooli.cluster.embedded.cluster import EmbeddedCluster
from vrooli.cluster.embedded.components import addons
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.polling import poll_until
from vrooli.cluster.embedded.settings import Record
from vrooli.kube import Kube

pytestmark = [pytest.mark.anyio, pytest.mark.root]
NAMESPACE = "kube-system"
READY_S = 240
CLIENTS = 3
OK = 200
# So many successes in a row come from one of two pods alone once in 500,000 times.
IN_A_ROW = 20


@pytest.fixture(scope="module")
async def page(shared: EmbeddedCluster) -> AsyncIterator[str]:
    """The address of a page behind the ingress, which answers."""
    async with await Kube.connect(shared.kubeconfig) as kube:
        for manifest in (workload.service("behind"), workload.ingress("behind")):
            await kube.apply(manifest, namespace="default")
        await workload.run_pod(kube, workload.pod("behind"))
        url = f"{shared.urls()['http']}/behind"
        async with asyncio.timeout(READY_S):
            await _wait_for_route(url)
        yield url
        await kube.delete("v1", "Pod", "behind", "default")


async def _wait_for_route(url: str) -> None:
    """Wait until both pods of Traefik have the route; each new connection reaches either."""
    successes = 0
    while successes < IN_A_ROW:
        async with httpx.AsyncClient(timeout=30) as client:
            is_ok = (await client.get(url)).status_code == OK
        successes = successes + 1 if is_ok else 0
        await asyncio.sleep(0 if is_ok else 0.2)


@contextlib.asynccontextmanager
async def _load(url: str) -> AsyncIterator[Counter[str]]:
    """Ask for the page all the time, over new connections; counts the answers by kind."""
    answers: Counter[str] = Counter()
    stop = asyncio.Event()

    async def ask() -> None:
        while not stop.is_set():
            try:
                async with httpx.AsyncClient(timeout=15) as client:
                    answers[str((await client.get(url)).status_code)] += 1
            except httpx.HTTPError as error:
                answers[type(error).__name__] += 1
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(ask())
        try:
            yield answers
        finally:
            stop.set()


async def _whole(layout: Layout, kube: Kube, gone: str = "") -> None:
    """Wait until two pods are ready, and none of them is the one that goes."""
    record = Record.read(layout.record)
    assert record is not None
    api = Api(layout, record)

    async def whole() -> bool:
        names = [pod["metadata"]["name"] for pod in await _pods(kube)]
        return gone not in names and len(names) == 2 and not await addons.missing_addons(api)

    assert await poll_until(whole, READY_S)


async def _pods(kube: Kube) -> list[dict[str, Any]]:
    pods = await kube.list("v1", "Pod", NAMESPACE)
    return [pod for pod in pods if pod["metadata"]["name"].startswith("traefik-")]


async def test_a_pod_that_is_deleted_loses_no_request(
    shared: EmbeddedCluster, maker: Maker, page: str
) -> None:
    layout = maker.layout("shared")
    async with await Kube.connect(shared.kubeconfig) as kube:
        await _whole(layout, kube)
        first = (await _pods(kube))[0]["metadata"]["name"]
        async with _load(page) as answers:
            await asyncio.sleep(1)
            await kube.delete("v1", "Pod", first, NAMESPACE)
            await _whole(layout, kube, first)
            await asyncio.sleep(1)
    assert set(answers) == {str(OK)}, answers


async def test_a_program_that_is_killed_loses_no_more_than_what_is_in_it(
    shared: EmbeddedCluster, maker: Maker, page: str
) -> None:
    layout = maker.layout("shared")
    async with await Kube.connect(shared.kubeconfig) as kube:
        await _whole(layout, kube)
        victim = _traefiks(layout)[0]
        async with _load(page) as answers:
            await asyncio.sleep(1)
            began = time.monotonic()
            os.kill(victim, signal.SIGKILL)
            async with asyncio.timeout(READY_S):
                while victim in (now := _traefiks(layout)) or len(now) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
            await _whole(layout, kube)
            # Nobody may have been sent to it before it had its routes.
            await asyncio.sleep(max(3.0, time.monotonic() - began))
    lost = answers.total() - answers[str(OK)]
    assert lost <= CLIENTS, answers
    assert "404" not in answers


async def test_new_settings_replace_the_pods_without_a_lost_request(
    shared: EmbeddedCluster, maker: Maker, page: str
) -> None:
    layout = maker.layout("shared")
    async with await Kube.connect(shared.kubeconfig) as kube:
        await _whole(layout, kube)
        before = {pod["metadata"]["name"] for pod in await _pods(kube)}
        note = {"metadata": {"annotations": {"example.com/replaced": str(time.time())}}}
        async with _load(page) as answers:
            await asyncio.sleep(1)
            patch = {"spec": {"template": note}}
            await kube.patch("apps/v1", "Deployment", "traefik", NAMESPACE, patch)
            for name in before:
                await _whole(layout, kube, name)
            await asyncio.sleep(1)
    assert set(answers) == {str(OK)}, answers


def _traefiks(layout: Layout) -> list[int]:
    """The processes of Traefik in the cluster."""
    pids = [int(line.split()[0]) for line in processes_of(layout)]
    return [pid for pid in pids if _is_traefik(pid)]


def _is_traefik(pid: int) -> bool:
    try:
        return Path("/proc", str(pid), "exe").readlink().name == "traefik"
    except FileNotFoundError:  # it just ended
        return False
