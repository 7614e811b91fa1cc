"""A HorizontalPodAutoscaler of the chart, at work on the cluster's metrics-server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import yaml

from support.cluster.live import Live
from support.release.helm_cli import PAGE_ONLY, SMALL, PlainHelm
from vrooli import project
from vrooli.environments import ENVIRONMENTS
from vrooli.events import Progress
from vrooli.kube import Kube, Manifest
from vrooli.release import Release, uninstall

pytestmark = [pytest.mark.root, pytest.mark.long, pytest.mark.timeout(900)]

NAME, NAMESPACE = "scaled", "autoscaling-test"
AUTOSCALER = ("autoscaling/v2", "HorizontalPodAutoscaler", f"{NAME}-ui", NAMESPACE)
DEPLOYMENT = ("apps/v1", "Deployment", f"{NAME}-ui", NAMESPACE)
# The Secret of the page.
CONFIG = "vrooli-config-shared-all"
FEWEST, MOST = 1, 3
# The page idles far below a half of this, and one busy loop is far above it.
RESOURCES = {"requests": {"cpu": "40m", "memory": "48Mi"}, "limits": {"cpu": "200m"}}
SCALED = {
    "enabled": True,
    "minReplicas": FEWEST,
    "maxReplicas": MOST,
    "targetCPUUtilizationPercentage": 60,
}
BY_CPU = {"autoscaling": SCALED, "resources": RESOURCES}
# The page idles below a half of this, and what fills the memory is above it.
BY_MEMORY = {
    "autoscaling": {
        **SCALED,
        "targetCPUUtilizationPercentage": 0,
        "targetMemoryUtilizationPercentage": 50,
    },
    "resources": {"requests": {"memory": "192Mi"}, "limits": {"memory": "512Mi"}},
}
# It ends by itself, whatever becomes of the test.
BUSY_S = 150
BUSY = ["timeout", str(BUSY_S), "sh", "-c", "while :; do :; done"]
# `tail` keeps its input in memory until it is read, and nothing reads it.
KEPT = 200_000_000
FILL = f"head -c {KEPT} /dev/zero | tail -c {KEPT} | sleep {BUSY_S}"
FULL = ["timeout", str(BUSY_S), "sh", "-c", FILL]
MEASURED_S, UP_S = 120.0, 140.0
# Kubernetes waits five minutes before it takes pods away that it may need again.
DOWN_S = 480.0


@pytest.fixture
async def scaled(
    kube: Kube, live: Live, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Release]:
    """A release of the page alone, which scales; gone afterwards."""
    release = Release(NAME, NAMESPACE, live.kubeconfig)
    own = tmp_path / "scaled.yaml"
    # The roles of Vault do not accept this namespace.
    settings = {"services": {"ui": request.param}, "vso": {"enabled": False}}
    own.write_text(yaml.safe_dump(settings))
    files = (ENVIRONMENTS["dev"].values_file, SMALL, PAGE_ONLY, own)
    await kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": CONFIG}}
    await kube.apply(secret, namespace=NAMESPACE)
    try:
        await PlainHelm("helm", release).install(project.chart_dir(), *files)
        yield release
    finally:
        await uninstall.remove_data(kube, release, Progress())


def measured(found: Manifest | None) -> str | None:
    """Whether the autoscaler knows how busy the pods are, and wants the fewest."""
    status = (found or {}).get("status", {})
    known = {c["type"]: c["status"] for c in status.get("conditions", ())}
    if known.get("ScalingActive") != "True":
        return "the autoscaler has no metrics yet"
    wanted = status.get("desiredReplicas")
    return None if wanted == FEWEST else f"the autoscaler wants {wanted} idle pods"


def ready(count: int, found: Manifest | None) -> str | None:
    """Whether that many pods of the page are ready, and no more are there."""
    status = (found or {}).get("status", {})
    seen = status.get("readyReplicas", 0), status.get("replicas", 0)
    return None if seen == (count, count) else f"{seen[0]} of {seen[1]} pods are ready"


async def the_pod(kube: Kube) -> str:
    """The name of the only pod of the page."""
    labels = f"app.kubernetes.io/instance={NAME},app.kubernetes.io/component=ui"
    (pod,) = await kube.list("v1", "Pod", NAMESPACE, labels)
    return str(pod["metadata"]["name"])


@pytest.mark.parametrize("scaled", [BY_CPU], indirect=True, ids=["cpu"])
async def test_a_busy_page_gets_its_most_pods_and_an_idle_one_its_fewest(
    kube: Kube, scaled: Release, record_property: Callable[[str, object], None]
) -> None:
    await kube.wait_for(*AUTOSCALER, measured, MEASURED_S)
    pod = await the_pod(kube)
    began = time.monotonic()
    busy = asyncio.create_task(kube.exec(NAMESPACE, pod, BUSY, "ui"))
    try:
        await kube.wait_for(*DEPLOYMENT, lambda found: ready(MOST, found), UP_S)
        record_property("up_s", round(time.monotonic() - began, 1))
    finally:
        await asyncio.gather(busy, return_exceptions=True)
    ended = time.monotonic()
    await kube.wait_for(*DEPLOYMENT, lambda found: ready(FEWEST, found), DOWN_S)
    record_property("down_s", round(time.monotonic() - ended, 1))


@pytest.mark.parametrize("scaled", [BY_MEMORY], indirect=True, ids=["memory"])
async def test_a_page_with_full_memory_gets_its_most_pods(kube: Kube, scaled: Release) -> None:
    await kube.wait_for(*AUTOSCALER, measured, MEASURED_S)
    pod = await the_pod(kube)
    full = asyncio.create_task(kube.exec(NAMESPACE, pod, FULL, "ui"))
    try:
        await kube.wait_for(*DEPLOYMENT, lambda found: ready(MOST, found), UP_S)
    finally:
        await asyncio.gather(full, return_exceptions=True)
