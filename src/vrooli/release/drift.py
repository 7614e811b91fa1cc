"""How a release's objects differ from what Helm noted: what people changed by hand, or deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from vrooli.chart.manifest import Manifest
from vrooli.kube import Kube, each
from vrooli.redaction import Redactor
from vrooli.release import changes
from vrooli.release.changes import Act, ObjectChange


async def drift(
    kube: Kube, noted: Iterable[Manifest], redactor: Redactor
) -> tuple[ObjectChange, ...]:
    """What applying the release once more would change; the test pods come and go.

    Fields that others own (operators, autoscalers) are none of the release's.
    """
    wanted = [item for item in noted if not item.is_hook]
    found = await each(partial(_of_one, kube, redactor), wanted)
    return tuple(change for change in found if change is not None)


async def _of_one(kube: Kube, redactor: Redactor, manifest: Manifest) -> ObjectChange | None:
    place = manifest.api_version, manifest.kind, manifest.name, manifest.namespace
    live = await kube.get(*place)
    if live is None:
        return ObjectChange(manifest.key, Act.REMOVE)
    wanted = await kube.applied(manifest.body, namespace=manifest.namespace)
    was, now = (_named(body, manifest.body) for body in (wanted, live))
    return changes.of_bodies(manifest.key, was, now, redactor)


def _named(value: Any, named: Any) -> Any:
    """Of a value, only what the release itself names: operators write the rest at any time."""
    if isinstance(value, Mapping) and isinstance(named, Mapping):
        return {name: _named(value[name], inner) for name, inner in named.items() if name in value}
    if isinstance(value, list) and isinstance(named, list) and len(value) == len(named):
        return [_named(*pair) for pair in zip(value, named, strict=True)]
    return value
