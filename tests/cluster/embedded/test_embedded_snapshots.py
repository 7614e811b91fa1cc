"""Snapshots of a running cluster, and what is made of them."""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from support.cluster import workload
from support.cluster.clusters import ANY_PORTS, QUIET, Maker
from vrooli.cluster.embedded.cluster import EmbeddedCluster
from vrooli.cluster.embedded.components import account_tokens
from vrooli.kube import Kube

pytestmark = [pytest.mark.anyio, pytest.mark.root, pytest.mark.long]
NAMESPACE = "default"
POD = "keeper"
TOKEN: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {
        "name": "token",
        "annotations": {"kubernetes.io/service-account.name": "default"},
    },
    "type": account_tokens.TYPE,
}


@pytest.fixture
async def cluster(maker: Maker) -> AsyncIterator[EmbeddedCluster]:
    """A cluster of the test's own, with a pod and its volume."""
    cluster = maker.cluster("saved")
    await cluster.ensure_running(QUIET)
    async with await Kube.connect(cluster.kubeconfig) as kube:
        await kube.apply(workload.claim("data"), namespace=NAMESPACE)
        await workload.run_pod(kube, workload.pod(POD, volume="data"))
    yield cluster
    await cluster.delete(QUIET)


async def test_a_restored_cluster_and_its_fork_have_the_objects_and_volumes_of_the_moment(
    cluster: EmbeddedCluster, maker: Maker
) -> None:
    async with await Kube.connect(cluster.kubeconfig) as kube:
        await kube.apply(TOKEN, namespace=NAMESPACE)
    await write(cluster, "before")
    began = time.monotonic()
    made = await cluster.snapshots.create("before", QUIET)
    assert made.frozen_s > 0
    assert time.monotonic() - began < 60
    await write(cluster, "after")
    await cluster.snapshots.restore("before", QUIET)
    await cluster.ensure_running(QUIET)
    await cluster.snapshots.finish_restore(succeeded=True)
    assert await state(cluster) == ("before", "before")
    await write(cluster, "after")
    token = await stored_token(cluster)
    await cluster.stop(QUIET)
    await cluster.snapshots.fork("forked", "before", ANY_PORTS, QUIET)
    forked = maker.cluster("forked")
    try:
        await forked.ensure_running(QUIET)
        assert await state(forked) == ("before", "before")
        assert not await accepts(forked, token)
        assert await accepts(forked, await stored_token(forked))
        await cluster.delete(QUIET)  # the fork does not depend on its origin
        await write(forked, "later")
        assert await state(forked) == ("later", "later")
    finally:
        await forked.delete(QUIET)


async def write(cluster: EmbeddedCluster, text: str) -> None:
    """Write a text into an object and into the volume."""
    async with await Kube.connect(cluster.kubeconfig) as kube:
        metadata = {"name": "text"}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
        await kube.apply(body | {"data": {"text": text}}, namespace=NAMESPACE)
        await workload.wait_for_pod(kube, POD)
        await kube.exec(NAMESPACE, POD, ["sh", "-c", f"printf {text} > /data/kept"], "server")


async def state(cluster: EmbeddedCluster) -> tuple[str, str]:
    """The text in the object and in the volume."""
    async with await Kube.connect(cluster.kubeconfig) as kube:
        body = await kube.get("v1", "ConfigMap", "text", NAMESPACE)
        assert body is not None
        await workload.wait_for_pod(kube, POD)
        content = await kube.exec(NAMESPACE, POD, ["cat", "/data/kept"], "server")
    return body["data"]["text"], content


async def stored_token(cluster: EmbeddedCluster) -> str:
    """The token in a Secret, once the controller manager has written one of the current key."""
    public = cluster.kubeconfig.parent / "pki" / account_tokens.PUBLIC_KEY
    current = account_tokens.key_id(public.read_bytes())
    async with await Kube.connect(cluster.kubeconfig) as kube:
        body = await kube.wait_for(
            *("v1", "Secret", TOKEN["metadata"]["name"], NAMESPACE),
            lambda body: None if account_tokens.signed_by(body or {}) == current else "no token",
            30,
        )
    return base64.b64decode(body["data"]["token"]).decode()


async def accepts(cluster: EmbeddedCluster, token: str) -> bool:
    """Whether the API server knows the account of a token."""
    review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "metadata": {},
        "spec": {"token": token},
    }
    async with await Kube.connect(cluster.kubeconfig) as kube:
        answer = await kube.create(review)
    return bool(answer["status"].get("authenticated"))
