"""Whose metrics count as those of an operator."""

from __future__ import annotations

from typing import Any

import pytest

from support.fakes.cluster import FakeCluster
from support.fakes.cluster_kinds import BY_NAME
from vrooli.kube.objects import Ref
from vrooli.kube.pod_http import PodAnswer
from vrooli.operators import REDIS
from vrooli.operators.installation import reconciled

pytestmark = pytest.mark.anyio


def operators_pod(namespace: str, created: str) -> dict[str, Any]:
    name, _, value = REDIS.selector.partition("=")
    return {
        "metadata": {
            "name": f"pod-{namespace}",
            "namespace": namespace,
            "labels": {name: value},
            "creationTimestamp": created,
        },
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


async def test_a_pod_of_others_with_the_labels_of_an_operator_proves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster, read = FakeCluster(), list[Ref]()
    for namespace, created in (
        (REDIS.namespace, "2026-01-02T03:04:05Z"),
        ("others", "2026-01-02T03:04:06Z"),
    ):
        cluster.server.store(BY_NAME["Pod"], namespace, operators_pod(namespace, created))

    async def get(kube: object, pod: Ref, *words: object, **options: object) -> PodAnswer:
        read.append(pod)
        return PodAnswer(200, "")

    monkeypatch.setattr(reconciled.pod_http, "get", get)
    await reconciled._fetch_evidence(REDIS, cluster, [])
    assert [pod.namespace for pod in read] == [REDIS.namespace]
