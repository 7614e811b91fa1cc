"""A release that really runs: its own tests pass, and pods that can't run are told early."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest

from support.cluster.live import Live
from vrooli.chart import manifest
from vrooli.chart.manifest import Manifest
from vrooli.errors import VrooliError
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.release import Release, helm_tests
from vrooli.release.records import storage
from vrooli.release.rollout import wait
from vrooli.release.rollout.tracker import ReleaseFailedError

NAMESPACE = "release-failures"
SERVER = "localhost/vrooli/server:dev"
PROGRESS = Progress()

pytestmark = pytest.mark.root


@pytest.fixture
async def nowhere(kube: Kube) -> AsyncIterator[str]:
    """A namespace for what fails."""
    await kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    yield NAMESPACE
    for item in await kube.list("apps/v1", "Deployment", NAMESPACE):
        await kube.delete("apps/v1", "Deployment", item["metadata"]["name"], NAMESPACE)


async def deploy(kube: Kube, name: str, image: str, command: Sequence[str]) -> Manifest:
    """A Deployment of one container."""
    labels = {"app": name}
    container = {
        "name": "main",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": list(command),
        # Without a probe, a container counts as ready for the moment until it ends.
        "readinessProbe": {"exec": {"command": ["false"]}},
    }
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
            },
        },
    }
    await kube.apply(body, namespace=NAMESPACE)
    return manifest.from_body(body, NAMESPACE)


async def test_the_five_tests_of_the_release_pass(live: Live, kube: Kube) -> None:
    release = Release.of(live.environment, live.kubeconfig)
    tried = [
        await helm_tests.run(kube, release, name) for name in await helm_tests.names(kube, release)
    ]
    assert {item.name.removeprefix(f"{release.name}-") for item in tried} == {
        "configmap-value-test",
        "jobs-test",
        "nsfw-detector-test",
        "server-test",
        "ui-test",
    }
    assert [item.log for item in tried if not item.passed] == []


async def test_every_pod_is_within_the_restricted_standard_that_its_namespace_enforces(
    live: Live, kube: Kube
) -> None:
    """PGO's are made to fit it; a pod that names no security of its own is refused."""
    home = live.environment.namespace
    namespace = await kube.get("v1", "Namespace", home)
    assert namespace is not None
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    pods = await kube.list("v1", "Pod", home)
    assert len(pods) >= 10
    for pod in pods:
        await kube.applied(as_new(pod["spec"]), namespace=home)
    bare = {"containers": [{"name": "main", "image": SERVER}]}
    with pytest.raises(VrooliError, match="violates PodSecurity"):
        await kube.applied(as_new(bare), namespace=home)


def as_new(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A pod that nobody has seen before."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "another"}, "spec": spec}


async def test_a_healthy_release_is_seen_to_be_ready_at_once(live: Live, kube: Kube) -> None:
    noted = await storage.fetch_manifests(kube, Release.of(live.environment, live.kubeconfig))
    done = await wait.until_ready(kube, noted, PROGRESS, timeout_s=60)
    assert not done.changed


async def test_a_missing_image_is_told_long_before_the_limit(kube: Kube, nowhere: str) -> None:
    wanted = await deploy(kube, "missing", "localhost/vrooli/there-is-none:1", ["true"])
    began = time.monotonic()
    with pytest.raises(ReleaseFailedError, match=r"ErrImagePull|ImagePullBackOff") as failed:
        await wait.until_ready(kube, [wanted], PROGRESS, timeout_s=300)
    assert "there-is-none" in failed.value.message
    assert time.monotonic() - began < 120


async def test_a_crash_is_told_with_the_end_of_its_log(kube: Kube, nowhere: str) -> None:
    crash = ["python3", "-c", "raise SystemExit('the disk is made of cheese')"]
    wanted = await deploy(kube, "crashing", SERVER, crash)
    with pytest.raises(ReleaseFailedError, match=r"CrashLoopBackOff|ended \d+ times") as failed:
        await wait.until_ready(kube, [wanted], PROGRESS, timeout_s=300)
    assert "the disk is made of cheese" in failed.value.message
