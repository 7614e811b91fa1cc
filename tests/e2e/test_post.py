"""The product's path: a post with a picture goes in, its verdict comes out."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable

import httpx
import pytest

from support.browser.pictures import drawn_face, landscape
from support.cluster.live import Live
from vrooli.kube import Kube

pytestmark = [pytest.mark.root, pytest.mark.anyio]

# How long the detector may take for one small picture on a busy machine, seconds.
VERDICT_S = 180.0


async def _post(client: httpx.AsyncClient, text: str, picture: bytes) -> str:
    answer = await client.post(
        "/api/posts",
        data={"text": text},
        files={"picture": ("drawn.png", picture, "image/png")},
    )
    answer.raise_for_status()
    return str(answer.json()["id"])


async def _verdict(client: httpx.AsyncClient, post: str) -> dict[str, object]:
    deadline = time.monotonic() + VERDICT_S
    while True:
        found: dict[str, object] = (await client.get(f"/api/posts/{post}")).json()
        if found["state"] not in ("pending", "checking"):
            return found
        assert time.monotonic() < deadline, f"no verdict after {VERDICT_S} s: {found}"
        await asyncio.sleep(0.5)


@pytest.mark.parametrize(("picture", "state"), [(landscape, "approved"), (drawn_face, "refused")])
async def test_a_post_gets_its_verdict_and_stands_in_postgres(
    live: Live, kube: Kube, picture: Callable[[], bytes], state: str
) -> None:
    text = f"drawn at {time.time_ns()}"
    async with httpx.AsyncClient(base_url=live.urls["ui"], timeout=30) as client:
        post = await _post(client, text, picture())
        verdict = await _verdict(client, post)
    assert verdict["state"] == state
    assert await _states_in_postgres(kube, live, text) == [state]


async def _states_in_postgres(kube: Kube, live: Live, text: str) -> list[str]:
    """The states of the posts with that text, as PostgreSQL's primary has them."""
    labels = "postgres-operator.crunchydata.com/cluster=vrooli-pg"
    pods = await kube.list(
        "v1",
        "Pod",
        live.environment.namespace,
        f"{labels},postgres-operator.crunchydata.com/role=master",
    )
    query = f"SELECT state FROM vrooli.posts WHERE text = '{text}'"
    (primary,) = [pod["metadata"]["name"] for pod in pods]
    rows = await kube.exec(
        live.environment.namespace,
        primary,
        ["psql", "--dbname", "vrooli", "--tuples-only", "--no-align", "--command", query],
        "database",
    )
    return rows.split()


async def test_the_ui_and_the_api_share_one_address(live: Live) -> None:
    async with httpx.AsyncClient(base_url=live.urls["ui"], timeout=30) as client:
        page = await client.get("/")
        deep = await client.get("/some/page/of/the/app")
        health = await client.get("/api/health")
    assert page.status_code == deep.status_code == 200
    assert "<title>" in page.text
    assert deep.text == page.text
    assert health.json()["status"] == "up"


async def _environment(kube: Kube, live: Live, component: str) -> set[str]:
    pods = await kube.list(
        "v1", "Pod", live.environment.namespace, f"app.kubernetes.io/component={component}"
    )
    running = [pod for pod in pods if pod["status"]["phase"] == "Running"]
    printed = await kube.exec(
        live.environment.namespace, running[0]["metadata"]["name"], ["env"], None
    )
    return {line.partition("=")[0] for line in printed.splitlines()}


async def _keys(kube: Kube, live: Live, secret: str) -> set[str]:
    found = await kube.get("v1", "Secret", secret, live.environment.namespace)
    assert found is not None
    return set(found["data"])


SECRETS = (
    "vrooli-secrets-shared-server-jobs",
    "vrooli-postgres-creds",
    "vrooli-redis-creds",
)


@pytest.mark.parametrize("component", ["server", "jobs"])
async def test_server_and_jobs_see_the_four_secrets(live: Live, kube: Kube, component: str) -> None:
    seen = await _environment(kube, live, component)
    for secret in ("vrooli-config-shared-all", *SECRETS):
        # A key that is no variable's name (Redis wants `password`) is still one that they see.
        assert await _keys(kube, live, secret) <= seen, secret


async def test_the_ui_sees_only_the_shared_configuration(live: Live, kube: Kube) -> None:
    seen = await _environment(kube, live, "ui")
    assert await _keys(kube, live, "vrooli-config-shared-all") <= seen
    for secret in SECRETS:
        assert not await _keys(kube, live, secret) & seen, secret


async def test_no_secret_holds_vault_s_raw_answer(live: Live, kube: Kube) -> None:
    for secret in ("vrooli-config-shared-all", *SECRETS):
        assert "_raw" not in await _keys(kube, live, secret)


async def test_the_pull_secret_is_one_that_the_kubelet_understands(live: Live, kube: Kube) -> None:
    namespace = live.environment.namespace
    secret = await kube.get("v1", "Secret", "vrooli-dockerhub-pull-secret", namespace)
    assert secret is not None
    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    config = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))
    assert set(config["auths"]["https://index.docker.io/v1/"]) == {"username", "password", "auth"}
