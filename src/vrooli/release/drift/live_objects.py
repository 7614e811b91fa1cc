"""A release's objects as they are in the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vrooli.chart.manifest import Manifest
from vrooli.kube import Kube, each

Bodies = Mapping[str, dict[str, Any] | None]


async def bodies(kube: Kube, manifests: Iterable[Manifest]) -> Bodies:
    """Each object by kind and name, None where there is none; hooks come and go, without them."""

    async def get(item: Manifest) -> dict[str, Any] | None:
        return await kube.get(item.api_version, item.kind, item.name, item.namespace)

    kept = [item for item in manifests if not item.is_hook]
    found = await each(get, kept)
    return {item.key: body for item, body in zip(kept, found, strict=True)}


def missing(there: Bodies) -> set[str]:
    """Those that aren't there, by kind and name."""
    return {key for key, body in there.items() if body is None}
