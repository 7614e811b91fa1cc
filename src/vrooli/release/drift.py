"""How a release's objects differ from what Helm noted: what people changed by hand, or deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from vrooli.chart.manifest import Manifest
from vrooli.kube import Kube
from vrooli.release import changes
from vrooli.release.changes import Act, ObjectChange

# What the API server writes into every object by itself.
OF_SERVER = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp")


async def drift(kube: Kube, noted: Iterable[Manifest]) -> tuple[ObjectChange, ...]:
    """What applying the release once more would change; the test pods come and go.

    Fields that others own (operators, autoscalers) are none of the release's.
    """
    wanted = [item for item in noted if not item.is_hook]
    found = await asyncio.gather(*(_of_one(kube, item) for item in wanted))
    return tuple(change for change in found if change is not None)


async def _of_one(kube: Kube, manifest: Manifest) -> ObjectChange | None:
    place = manifest.api_version, manifest.kind, manifest.name, manifest.namespace
    live = await kube.get(*place)
    if live is None:
        return ObjectChange(manifest.key, Act.REMOVE)
    wanted = await kube.applied(manifest.body, namespace=manifest.namespace)
    return changes.of_bodies(manifest.key, _plain(wanted), _plain(live))


def _plain(body: Mapping[str, Any]) -> dict[str, Any]:
    """An object without its status, and without what the API server writes."""
    metadata = {name: value for name, value in body["metadata"].items() if name not in OF_SERVER}
    return {**{k: v for k, v in body.items() if k != "status"}, "metadata": metadata}
