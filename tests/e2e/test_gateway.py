"""The live release behind Traefik's Gateway, without an Ingress; afterwards it is as it was."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import yaml

from support.browser.pictures import landscape
from support.cluster.live import Live
from vrooli.events import silent
from vrooli.kube import Kube
from vrooli.kube.status import GATEWAY_API
from vrooli.workflows.checks.check import CheckOptions, check
from vrooli.workflows.development.develop import develop
from vrooli.workflows.graphs.graph import GraphOptions, graph
from vrooli.workflows.health.diagnose import DiagnoseOptions, diagnose
from vrooli.workflows.health.status import status
from vrooli.workflows.options import DevelopOptions
from vrooli.workflows.results.releases import DevelopResult

pytestmark = [pytest.mark.root, pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(1800)]

OK = 200
ADMINER = "adminer.localhost"
PATHS = [
    {"path": "/api", "service": "server"},
    {"path": "/healthcheck", "pathType": "Exact", "service": "server"},
    {"path": "/", "service": "ui"},
]
VALUES = {
    "ingress": {"enabled": False},
    "gateway": {
        "enabled": True,
        "parentRefs": [{"name": "traefik", "namespace": "kube-system", "sectionName": "web"}],
        "hosts": [
            {"host": "", "paths": PATHS},
            {"host": ADMINER, "paths": [{"path": "/", "service": "adminer"}]},
        ],
    },
    # Without an Ingress, only this lets the pods of Traefik connect.
    "networkPolicies": {"ingressNamespace": "nowhere", "gatewayNamespace": "kube-system"},
}


@pytest.fixture(scope="module")
async def routed(live: Live, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    """The live release with HTTPRoutes, and the URLs that develop prints for it."""
    file = tmp_path_factory.mktemp("gateway") / "gateway.yaml"
    file.write_text(yaml.safe_dump(VALUES))
    try:
        result = await _develop(live, (*live.values, file))
        yield replace(live, urls=dict(result.urls), values=(*live.values, file))
    finally:
        await _develop(live, live.values)


async def _develop(live: Live, values: tuple[Path, ...]) -> DevelopResult:
    options = DevelopOptions(live.environment, cluster=live.cluster, values=values)
    return await develop(options, silent)


async def test_only_routes_of_the_gateway_lead_to_the_release_and_its_urls_are_theirs(
    routed: Live, live: Live, kube: Kube
) -> None:
    namespace = live.environment.namespace
    assert await kube.list("networking.k8s.io/v1", "Ingress", namespace) == []
    assert len(await kube.list(GATEWAY_API, "HTTPRoute", namespace)) == len(("", ADMINER))
    # The ports and hosts are those of the Ingress.
    assert routed.urls == live.urls
    result = await status(live.environment, live.cluster, silent)
    assert (result.ok, result.urls) == (True, routed.urls), result.problems


async def test_each_path_of_the_values_is_answered_and_a_post_is_taken(routed: Live) -> None:
    async with httpx.AsyncClient(base_url=routed.urls["ui"], timeout=30) as client:
        page = await client.get("/")
        health = await client.get("/api/health")
        exact = await client.get("/healthcheck")
        below = await client.get("/healthcheck/below")
        adminer = await client.get("/", headers={"Host": ADMINER})
        files = {"picture": ("drawn.png", landscape(), "image/png")}
        text = f"drawn at {time.time_ns()}"
        post = await client.post("/api/posts", data={"text": text}, files=files)
        post.raise_for_status()
        stored = await client.get(f"/api/posts/{post.json()['id']}")
    assert (page.status_code, health.json()["status"], exact.status_code) == (OK, "up", OK)
    assert "<title>" in page.text
    # Exact: what is below the path is the page's, as each path that nothing else serves.
    assert below.text == page.text
    assert "adminer" in adminer.text.lower()
    assert stored.status_code == OK


async def test_the_checks_and_the_live_graph_find_the_gateway_at_work(routed: Live) -> None:
    options = CheckOptions(
        routed.environment, cluster=routed.cluster, values=routed.values, check_only=True
    )
    checked = await check(options, silent)
    states = {item.name: item.state for item in checked.checks}
    assert checked.ok, checked
    assert (states["gateway"], states["controller-ingress"]) == ("ok", "ok"), checked
    diagnosis = await diagnose(DiagnoseOptions(routed.environment, cluster=routed.cluster), silent)
    assert diagnosis.ok, diagnosis
    async with httpx.AsyncClient(base_url=routed.urls["ui"], timeout=30) as client:
        await client.get("/")
        drawn = await graph(GraphOptions(routed.environment, routed.cluster, live=True), silent)
    arrows = [arrow for diagram in drawn.diagrams for arrow in diagram.arrows]
    assert [arrow for arrow in arrows if arrow.state == "broken"] == []
    assert drawn.ok, drawn.problems
    assert any(
        "from the Gateway to" in arrow.message for arrow in arrows if arrow.state == "active"
    )
