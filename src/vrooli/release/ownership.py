"""Take over what the plain helm program owns: server-side apply refuses two owners of a field.

The Helm engine signs as this process, the helm program as "helm". Where somebody has upgraded the
release with that program, its signature is dropped before ours is written; the values stay.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from vrooli.chart.manifest import Manifest
from vrooli.kube import ApiError, Kube

PLAIN = "helm"


async def take_over(kube: Kube, manifests: Iterable[Manifest]) -> list[str]:
    """Drop the helm program's ownership of these objects' fields; gives those that had it."""
    kept = [item for item in manifests if not item.is_hook]
    taken = await asyncio.gather(*(_of_one(kube, item) for item in kept))
    return [item.key for item, was in zip(kept, taken, strict=True) if was]


async def _of_one(kube: Kube, item: Manifest) -> bool:
    body = await kube.get(item.api_version, item.kind, item.name, item.namespace)
    fields = [] if body is None else body["metadata"].get("managedFields", [])
    others = [field for field in fields if field["manager"] != PLAIN]
    if body is None or len(others) == len(fields):
        return False
    metadata = {
        "managedFields": others or [{}],  # an empty list would leave them as they are
        "resourceVersion": body["metadata"]["resourceVersion"],
    }
    with contextlib.suppress(ApiError):  # changed meanwhile: Helm says it, and the next run mends
        await kube.patch(
            item.api_version, item.kind, item.name, item.namespace, {"metadata": metadata}
        )
        return True
    return False
