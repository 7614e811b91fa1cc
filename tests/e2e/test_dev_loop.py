"""A service on this host behind the addresses of the release; data that is filled and emptied."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from support.cluster.live import Live
from vrooli import process, project
from vrooli.development import overlay
from vrooli.kube import Kube

pytestmark = [pytest.mark.root, pytest.mark.anyio, pytest.mark.long]

VROOLI = [sys.executable, "-m", "vrooli"]
# The source of the server that is edited, and the text that the edit replaces.
SOURCE = project.root() / "services/server/vrooli_server/health.py"
BEFORE, AFTER = '"service": "server"', '"service": "edited-server"'
# How long the command may take to start and to end, and an edit to be served, seconds.
START_S, END_S, EDIT_S = 240.0, 120.0, 20.0


async def service_name(live: Live) -> str:
    """The name that the server behind the release's address gives itself; empty if it is down."""
    async with httpx.AsyncClient(base_url=live.urls["ui"], timeout=10) as client:
        try:
            answer = await client.get("/api/health", headers={"X-Probe": "liveness"})
        except httpx.HTTPError:
            return ""
        return str(answer.json()["service"]) if answer.is_success else ""


async def until_served(live: Live, name: str, limit_s: float) -> None:
    """Wait until the server behind the release's address has a name."""
    async with asyncio.timeout(limit_s):
        while await service_name(live) != name:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.1)


@asynccontextmanager
async def dev_server(live: Live) -> AsyncIterator[asyncio.subprocess.Process]:
    """`vrooli dev server`, once the server runs on this host."""
    argv = [*VROOLI, "dev", "server", "--yes", "--cluster", live.cluster]
    argv += [f"--values={file}" for file in live.values]
    running = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    assert running.stdout is not None
    try:
        async with asyncio.timeout(START_S):
            async for line in running.stdout:
                if b"server runs on this host" in line:
                    break
        yield running
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()


async def marks(kube: Kube, live: Live) -> set[str]:
    """The annotations of the server's pods that name a process outside the cluster."""
    name, namespace = f"{live.environment.release}-server", live.environment.namespace
    body = await kube.get("apps/v1", "Deployment", name, namespace)
    assert body is not None
    return set(overlay.annotations_of(body["spec"]["template"]))


async def test_an_edit_on_this_host_is_served_until_the_command_ends(
    live: Live, kube: Kube
) -> None:
    original = SOURCE.read_text()
    assert original.count(BEFORE) == 1
    async with dev_server(live) as running:
        assert await marks(kube, live) >= {overlay.ON_HOST, overlay.PROCESS}
        try:
            SOURCE.write_text(original.replace(BEFORE, AFTER))
            await until_served(live, "edited-server", EDIT_S)
            running.send_signal(signal.SIGINT)
            async with asyncio.timeout(END_S):
                await running.communicate()
            assert running.returncode == 0
            assert await marks(kube, live) == set()
            await until_served(live, "server", EDIT_S)
        finally:
            SOURCE.write_text(original)


async def db(live: Live, command: str) -> dict[str, Any]:
    """The result of a command that changes the data."""
    options = ("--yes", "--cluster", live.cluster, "--output", "json")
    done = await process.run([*VROOLI, "db", command, *options], timeout_s=END_S)
    result: dict[str, Any] = json.loads(done.output.splitlines()[-1])["result"]
    return result


async def texts(live: Live) -> list[str]:
    """The texts of all posts."""
    async with httpx.AsyncClient(base_url=live.urls["ui"], timeout=30) as client:
        answer = (await client.get("/api/posts", params={"limit": 200})).raise_for_status()
    return [post["text"] for post in answer.json()["posts"]]


async def test_sample_posts_are_written_once_and_a_reset_deletes_them(live: Live) -> None:
    await db(live, "seed")
    again = await db(live, "seed")
    assert not again["changed"]
    present = await texts(live)
    for post in again["posts"]:
        assert post["state"] in ("approved", "refused")
        assert present.count(post["text"]) == 1
    assert (await db(live, "reset"))["changed"]
    assert await texts(live) == []
    assert (await db(live, "seed"))["changed"]
