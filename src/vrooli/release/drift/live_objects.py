"""A release's objects in the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vrooli.chart.manifest import Manifest
from vrooli.kube import Kube, gather_limited

Bodies = Mapping[str, dict[str, Any] | None]


async def bodies(kube: Kube, manifests: Iterable[Manifest]) -> Bodies:
    """Fetch each object by kind and name, None if it does not exist; without hooks."""

    async def get(item: Manifest) -> dict[str, Any] | None:
        return await kube.get(item.api_version, item.kind, item.name, item.namespace)

    objects = [item for item in manifests if not item.is_hook]
    bodies_ = await gather_limited(get, objects)
    return {item.key: body for item, body in zip(objects, bodies_, strict=True)}


def missing(live: Bodies) -> set[str]:
    """The objects that do not exist, by kind and name."""
    return {key for key, body in live.items() if body is None}
