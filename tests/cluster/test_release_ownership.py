"""Fields that the plain helm program owns are taken over, on a real API server."""

from __future__ import annotations

from typing import Any

import pytest

from vrooli.chart import manifest
from vrooli.kube import Kube, client
from vrooli.release import ownership


def _settings(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default"},
        "data": {"a": "1"},
    }


async def _managers(kube: Kube, name: str) -> set[str]:
    found = await kube.get("v1", "ConfigMap", name, "default")
    assert found is not None
    assert found["data"] == {"a": "1"}
    return {field["manager"] for field in found["metadata"].get("managedFields", [])}


@pytest.mark.parametrize("others", [(), ("python",)])
async def test_what_plain_helm_owns_is_taken_over_and_the_values_stay(
    bare_kube: Kube, monkeypatch: pytest.MonkeyPatch, others: tuple[str, ...]
) -> None:
    body = _settings(f"owned-{len(others)}")
    for name in ("helm", *others):
        monkeypatch.setattr(client, "FIELD_MANAGER", name)
        await bare_kube.apply(body)
    wanted = [manifest.of(body, "default"), manifest.of(_settings("absent"), "default")]
    assert await ownership.take_over(bare_kube, wanted) == [wanted[0].key]
    assert await _managers(bare_kube, body["metadata"]["name"]) == set(others)
    assert await ownership.take_over(bare_kube, wanted) == []
