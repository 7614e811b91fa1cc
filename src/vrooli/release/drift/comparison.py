"""Differences of a release's objects: from Helm's record, and from the desired objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from vrooli.chart.manifest import RESOURCE_POLICY, Manifest
from vrooli.kube import Kube, gather_limited
from vrooli.redaction import Redactor
from vrooli.release.drift import diff, field_ownership, live_objects, manual_edits
from vrooli.release.drift.diff import Act, ObjectChange
from vrooli.release.drift.field_ownership import OURS
from vrooli.release.drift.live_objects import Bodies
from vrooli.release.model import DEPLOYED
from vrooli.release.records.storage import ReleaseRecord


async def find_drift(
    kube: Kube, recorded: Iterable[Manifest], redactor: Redactor
) -> tuple[ObjectChange, ...]:
    """Find what applying the release again would change, test pods excluded.

    Fields that others own (operators, autoscalers) are not the release's.
    """
    desired = [item for item in recorded if not item.is_hook]
    changes = await gather_limited(partial(_compare, kube, redactor), desired)
    return tuple(change for change in changes if change is not None)


async def preview(
    kube: Kube,
    desired: Sequence[Manifest],
    record: ReleaseRecord | None,
    redactor: Redactor,
    *,
    preserve_added: bool = False,
    deployed: Sequence[Manifest] = (),
) -> tuple[tuple[ObjectChange, ...], Bodies]:
    """Find what deploying these objects will change; also returns the live objects.

    Helm's record is compared, and what was changed by hand or deleted since. If Helm's newest
    revision is not deployed, its record does not tell what exists: all objects are compared.
    With ``preserve_added``, fields that people added stay and are not reported. ``deployed`` are
    the objects of the last deployed revision if that is not the newest: Helm deletes those that
    are no longer desired.

    Raises:
        VrooliError: The API server refuses a request.
    """
    recorded = record.manifests if record is not None else ()
    if record is None:
        return diff.changes(desired, recorded, redactor), {}
    live = await live_objects.bodies(kube, desired)
    differing = diff.changes(desired, recorded, redactor)
    if record.revision.status == DEPLOYED:
        changed = await field_ownership.changed(kube, desired, live, preserve_added=preserve_added)
        by_hand = live_objects.missing(live).union(changed)
        open_ = [item for item in desired if item.key in by_hand]
    else:
        differing = tuple(change for change in differing if change.act is Act.REMOVE)
        open_ = list(desired)
    changes = [*differing, *await _towards(kube, open_, live, redactor)]
    changes += await _deleted(kube, desired, deployed)
    if not preserve_added:
        changes += _added(desired, live, redactor)
    return diff.merge(changes), live


async def _deleted(
    kube: Kube, desired: Iterable[Manifest], deployed: Iterable[Manifest]
) -> list[ObjectChange]:
    """The objects of the last deployed revision that exist and are no longer desired."""
    desired_keys = {item.key for item in desired}
    removed = [
        item
        for item in deployed
        if item.key not in desired_keys and item.annotations.get(RESOURCE_POLICY) != "keep"
    ]
    live = await live_objects.bodies(kube, removed)
    return [ObjectChange(key, Act.REMOVE) for key, body in live.items() if body is not None]


def _added(desired: Iterable[Manifest], live: Bodies, redactor: Redactor) -> list[ObjectChange]:
    """Fields that people added to these objects by hand."""
    changes = []
    for item in desired:
        body = live.get(item.key)
        if body is not None and (fields := manual_edits.added(item, body, redactor)):
            changes.append(ObjectChange(item.key, Act.CHANGE, fields))
    return changes


async def find_changed_since(kube: Kube, desired: Sequence[Manifest], before: Bodies) -> list[str]:
    """Find objects whose fields of the release have changed since."""
    now = await live_objects.bodies(kube, desired)
    bodies = {item.key: item.body for item in desired if item.key in now}
    return [
        key
        for key, body in bodies.items()
        if _restrict_to(before.get(key), body) != _restrict_to(now[key], body)
    ]


async def _towards(
    kube: Kube, desired: Iterable[Manifest], live: Bodies, redactor: Redactor
) -> list[ObjectChange]:
    """Find what applying these objects would change in the live ones."""

    async def of_one(item: Manifest) -> ObjectChange | None:
        body = live.get(item.key)
        if body is None:
            return ObjectChange(item.key, Act.ADD)
        applied = await kube.applied(item.body, namespace=item.namespace)
        was, now = (_restrict_to(one, item.body) for one in (body, applied))
        change = diff.of_bodies(item.key, was, now, redactor)
        return change and replace(change, fields=manual_edits.signed(change.fields, body, OURS))

    changes = await gather_limited(of_one, [item for item in desired if not item.is_hook])
    return [change for change in changes if change is not None]


async def _compare(kube: Kube, redactor: Redactor, manifest: Manifest) -> ObjectChange | None:
    place = manifest.api_version, manifest.kind, manifest.name, manifest.namespace
    live_objects = await kube.get(*place)
    if live_objects is None:
        return ObjectChange(manifest.key, Act.REMOVE)
    desired = await kube.applied(manifest.body, namespace=manifest.namespace)
    was, now = (_restrict_to(body, manifest.body) for body in (desired, live_objects))
    change = diff.of_bodies(manifest.key, was, now, redactor)
    fields = manual_edits.signed(change.fields, live_objects, OURS) if change else ()
    # Here a manual change is the new value.
    by_hand = (
        replace(field, before=None, after=field.before)
        for field in manual_edits.added(manifest, live_objects, redactor)
    )
    both = (*fields, *by_hand)
    return ObjectChange(manifest.key, Act.CHANGE, both) if both else None


def _restrict_to(value: Any, named: Any) -> Any:
    """Restrict a value to the fields that the release names; operators write the others."""
    if isinstance(value, Mapping) and isinstance(named, Mapping):
        return {
            name: _restrict_to(value[name], inner) for name, inner in named.items() if name in value
        }
    if isinstance(value, list) and isinstance(named, list) and len(value) == len(named):
        return [_restrict_to(*pair) for pair in zip(value, named, strict=True)]
    return value
