"""An operator whose pods cannot become ready: the wait ends with the reason, not at its limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from vrooli.errors import WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.operators import VSO
from vrooli.operators.installation import install
from vrooli.operators.vso import names
from vrooli.release.rollout import tracker, wait
from vrooli.release.rollout.tracker import ReleaseFailedError

Body = dict[str, Any]
PROGRESS = Progress()
NAME, VERSION = "vso-of-somebody", "5c9d8f"
POD = f"{NAME}-{VERSION}-abcde"
LABELS = {**names.LABELS, "pod-template-hash": VERSION}
IMAGE = "registry.example.com/vault-secrets-operator:9.9"
NOT_FOUND = f'failed to resolve reference "{IMAGE}": not found'
UNREACHABLE = "dial tcp: lookup registry.example.com: no such host"
# The most that a certain failure takes, seconds; far less than the limit of the wait.
CERTAIN_S = 60.0


def _deployment() -> Body:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": NAME,
            "namespace": VSO.namespace,
            "labels": names.LABELS,
            "annotations": {"deployment.kubernetes.io/revision": "1"},
        },
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": names.LABELS},
            "template": {"metadata": {"labels": names.LABELS}, "spec": _spec()},
        },
    }


def _spec() -> Body:
    return {"containers": [{"name": "manager", "image": IMAGE}]}


def _owned(kind: str, name: str, owner: Body, **body: Any) -> Body:
    reference = {key: owner[key] for key in ("apiVersion", "kind")}
    reference |= {key: owner["metadata"][key] for key in ("name", "uid")} | {"controller": True}
    return {
        "apiVersion": "v1" if kind == "Pod" else "apps/v1",
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": VSO.namespace,
            "labels": LABELS,
            "annotations": {"deployment.kubernetes.io/revision": "1"},
            "ownerReferences": [reference],
        },
        **body,
    }


@pytest.fixture
async def operator(bare_kube: Kube) -> AsyncIterator[Kube]:
    """A Deployment of the operator with one pod, as its controllers would make them."""
    for kind, name in (("Namespace", VSO.namespace), ("ServiceAccount", "default")):
        body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}
        await bare_kube.apply(body, namespace=VSO.namespace if kind != "Namespace" else None)
    deployment = await bare_kube.create(_deployment(), VSO.namespace)
    observed = {"status": {"observedGeneration": 1, "replicas": 1, "unavailableReplicas": 1}}
    await bare_kube.patch("apps/v1", "Deployment", f"{NAME}/status", VSO.namespace, observed)
    template = {"metadata": {"labels": LABELS}, "spec": _spec()}
    spec = {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": template}
    replicas = await bare_kube.create(
        _owned("ReplicaSet", f"{NAME}-{VERSION}", deployment, spec=spec), VSO.namespace
    )
    spec = {**_spec(), "automountServiceAccountToken": False}
    pod = _owned("Pod", POD, replicas, spec=spec)
    await bare_kube.create(pod, VSO.namespace)
    yield bare_kube
    for kind, name in (
        ("Pod", POD),
        ("ReplicaSet", f"{NAME}-{VERSION}"),
        ("Deployment", NAME),
    ):
        await bare_kube.delete("v1" if kind == "Pod" else "apps/v1", kind, name, VSO.namespace)


async def _wait_for_image(kube: Kube, message: str) -> None:
    waiting = {"waiting": {"reason": "ErrImagePull", "message": message}}
    container = {"name": "manager", "image": IMAGE, "imageID": "", "ready": False}
    status = {**container, "restartCount": 0, "state": waiting}
    change = {"status": {"phase": "Pending", "containerStatuses": [status]}}
    await kube.patch("v1", "Pod", f"{POD}/status", VSO.namespace, change)


async def test_an_image_that_does_not_exist_ends_the_wait_with_its_name(operator: Kube) -> None:
    await _wait_for_image(operator, NOT_FOUND)
    began = time.monotonic()
    with pytest.raises(ReleaseFailedError) as failed:
        await wait.until_operator_ready(VSO, operator, PROGRESS)
    assert time.monotonic() - began < CERTAIN_S
    first, second = failed.value.message.splitlines()
    assert first == f"{VSO.title} can't become ready:"
    assert f"{POD}/manager: ErrImagePull" in second
    assert IMAGE in second
    assert "run the same command again" in failed.value.advice


async def test_a_registry_that_returns_ends_no_wait(
    operator: Kube, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker, "STABLE_S", 0.1)
    await _wait_for_image(operator, UNREACHABLE)
    waiting = asyncio.create_task(wait.until_operator_ready(VSO, operator, PROGRESS))
    await asyncio.sleep(3)
    assert not waiting.done()
    ready = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}
    change = {"status": {"observedGeneration": 1, "unavailableReplicas": None, **ready}}
    await operator.patch("apps/v1", "Deployment", f"{NAME}/status", VSO.namespace, change)
    try:
        await asyncio.wait_for(waiting, CERTAIN_S)
    finally:
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting


async def test_the_timeout_names_the_operator_and_no_option_of_deploy(
    operator: Kube, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "READY_S", 1.0)
    with pytest.raises(WaitTimeoutError) as late:
        await wait.until_operator_ready(VSO, operator, PROGRESS)
    assert late.value.message.startswith(f"{VSO.title} isn't ready after 1 s:\n  Deployment/{NAME}")
    assert late.value.advice == (
        f"See `kubectl describe pods -n {VSO.namespace}`, then run the same command again."
    )
