"""What others own of a release's fields is taken over, on a real API server."""

from __future__ import annotations

from typing import Any

import pytest

from vrooli.chart import manifest
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.release.drift import field_ownership, live_objects
from vrooli.release.drift.field_ownership import OURS

HELMS = {"meta.helm.sh/release-name": "vrooli-dev"}


def _settings(name: str, value: str = "1", **more: str) -> dict[str, Any]:
    # As in a chart's objects, their namespace is the release's.
    metadata = {"name": name, "annotations": HELMS}
    data = {"a": value, **more}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


async def _put(kube: Kube, body: dict[str, Any], manager: str) -> None:
    """Apply as that program does."""
    await kube._apply(body, "default", dry_run=False, manager=manager)


async def _edit(kube: Kube, name: str, value: str) -> None:
    """Change a value as a person does, by kubectl edit."""
    await kube.patch("v1", "ConfigMap", name, "default", {"data": {"a": value}})


async def _managers(kube: Kube, name: str) -> set[str]:
    found = await kube.get("v1", "ConfigMap", name, "default")
    assert found is not None
    return {field["manager"] for field in found["metadata"].get("managedFields", [])}


async def _owners(kube: Kube, name: str) -> frozenset[str]:
    """Who stands in the way of the settings."""
    return await kube.conflicts(_settings(name), OURS, namespace="default")


async def _taken(kube: Kube, *bodies: dict[str, Any]) -> list[str]:
    wanted = [manifest.from_body(body, "default") for body in bodies]
    return await field_ownership.take_over(
        kube, wanted, await live_objects.bodies(kube, wanted), Progress()
    )


@pytest.mark.parametrize("others", [(), (OURS,)])
async def test_what_another_helm_owns_is_taken_over_and_the_values_stay(
    bare_kube: Kube, others: tuple[str, ...]
) -> None:
    name = f"owned-{len(others)}"
    for manager in ("helm", *others):
        await _put(bare_kube, _settings(name), manager)
    key = f"ConfigMap/{name}"
    assert await _taken(bare_kube, _settings(name, "2"), _settings("absent")) == [key]
    assert await _managers(bare_kube, name) == {OURS}
    found = await bare_kube.get("v1", "ConfigMap", name, "default")
    assert (found or {})["data"] == {"a": "1"}
    assert await _taken(bare_kube, _settings(name, "2")) == []


async def test_what_changes_between_the_look_and_the_taking_is_taken_over_too(
    bare_kube: Kube,
) -> None:
    await _put(bare_kube, _settings("moving"), "helm")
    wanted = [manifest.from_body(_settings("moving", "2"), "default")]
    seen = await live_objects.bodies(bare_kube, wanted)
    await _put(bare_kube, _settings("moving", b="1"), "helm")
    assert await field_ownership.take_over(bare_kube, wanted, seen, Progress()) == [
        "ConfigMap/moving"
    ]
    assert await _managers(bare_kube, "moving") == {OURS}


@pytest.mark.parametrize("before", ["nobody", OURS])
async def test_what_the_next_revision_lacks_goes_whoever_wrote_it(
    bare_kube: Kube, before: str
) -> None:
    name = f"fewer-after-{before}"
    if before == OURS:
        await _put(bare_kube, _settings(name), OURS)
    await _put(bare_kube, _settings(name, b="2"), "helm")
    await _taken(bare_kube, _settings(name))
    assert await _managers(bare_kube, name) == {OURS}
    await _put(bare_kube, _settings(name), OURS)
    found = await bare_kube.get("v1", "ConfigMap", name, "default")
    assert (found or {})["data"] == {"a": "1"}


async def test_what_somebody_changed_by_hand_is_taken_back_unless_it_is_as_wanted(
    bare_kube: Kube,
) -> None:
    await _put(bare_kube, _settings("edited"), OURS)
    await _edit(bare_kube, "edited", "3")
    assert await _taken(bare_kube, _settings("edited", "3")) == []
    hand = (await _managers(bare_kube, "edited")) - {OURS}
    assert await _owners(bare_kube, "edited") == hand
    assert await _taken(bare_kube, _settings("edited")) == ["ConfigMap/edited"]
    assert await _owners(bare_kube, "edited") == frozenset()
    assert await _managers(bare_kube, "edited") == {OURS}
