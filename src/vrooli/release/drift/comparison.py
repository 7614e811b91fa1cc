"""How a release's objects differ: from what Helm noted, and from what they are to be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from vrooli.chart.manifest import KEEP, Manifest
from vrooli.kube import Kube, each
from vrooli.redaction import Redactor
from vrooli.release.drift import diff, field_ownership, live_objects, manual_edits
from vrooli.release.drift.diff import Act, ObjectChange
from vrooli.release.drift.field_ownership import OURS
from vrooli.release.drift.live_objects import Bodies
from vrooli.release.model import DEPLOYED
from vrooli.release.records.storage import ReleaseRecord


async def drift(
    kube: Kube, noted: Iterable[Manifest], redactor: Redactor
) -> tuple[ObjectChange, ...]:
    """What applying the release once more would change; the test pods come and go.

    Fields that others own (operators, autoscalers) are none of the release's.
    """
    wanted = [item for item in noted if not item.is_hook]
    found = await each(partial(_of_one, kube, redactor), wanted)
    return tuple(change for change in found if change is not None)


async def ahead(
    kube: Kube,
    wanted: Sequence[Manifest],
    note: ReleaseRecord | None,
    redactor: Redactor,
    *,
    keep_added: bool = False,
    deployed: Sequence[Manifest] = (),
) -> tuple[tuple[ObjectChange, ...], Bodies]:
    """What putting these objects there will change, and the objects as they are.

    What Helm noted tells it, beside what somebody changed by hand or deleted since. Where Helm's
    newest revision isn't deployed, its note doesn't say what is there: all objects are compared.
    With ``keep_added`` what people added stays, and so isn't told. ``deployed`` are the objects of
    the last deployed revision, where that isn't the newest: Helm deletes those that are wanted no
    more.

    Raises:
        VrooliError: The API server refuses to tell.
    """
    noted = note.manifests if note is not None else ()
    if note is None:
        return diff.changes(wanted, noted, redactor), {}
    there = await live_objects.bodies(kube, wanted)
    differing = diff.changes(wanted, noted, redactor)
    if note.revision.status == DEPLOYED:
        changed = await field_ownership.changed(kube, wanted, there, keep_added=keep_added)
        by_hand = live_objects.missing(there).union(changed)
        open_ = [item for item in wanted if item.key in by_hand]
    else:
        differing = tuple(change for change in differing if change.act is Act.REMOVE)
        open_ = list(wanted)
    found = [*differing, *await _towards(kube, open_, there, redactor)]
    found += await _deleted(kube, wanted, deployed)
    if not keep_added:
        found += _added(wanted, there, redactor)
    return diff.merged(found), there


async def _deleted(
    kube: Kube, wanted: Iterable[Manifest], deployed: Iterable[Manifest]
) -> list[ObjectChange]:
    """The objects of the last deployed revision that are still there and wanted no more."""
    known = {item.key for item in wanted}
    gone = [
        item for item in deployed if item.key not in known and item.annotations.get(KEEP) != "keep"
    ]
    there = await live_objects.bodies(kube, gone)
    return [ObjectChange(key, Act.REMOVE) for key, body in there.items() if body is not None]


def _added(wanted: Iterable[Manifest], there: Bodies, redactor: Redactor) -> list[ObjectChange]:
    """What people added to these objects by hand."""
    found = []
    for item in wanted:
        body = there.get(item.key)
        if body is not None and (fields := manual_edits.added(item, body, redactor)):
            found.append(ObjectChange(item.key, Act.CHANGE, fields))
    return found


async def since(kube: Kube, wanted: Sequence[Manifest], before: Bodies) -> list[str]:
    """The objects that are others than they were before, in what the release names."""
    now = await live_objects.bodies(kube, wanted)
    bodies = {item.key: item.body for item in wanted if item.key in now}
    return [
        key
        for key, body in bodies.items()
        if _named(before.get(key), body) != _named(now[key], body)
    ]


async def _towards(
    kube: Kube, wanted: Iterable[Manifest], there: Bodies, redactor: Redactor
) -> list[ObjectChange]:
    """What applying these objects would change in those that are there."""

    async def of_one(item: Manifest) -> ObjectChange | None:
        body = there.get(item.key)
        if body is None:
            return ObjectChange(item.key, Act.ADD)
        applied = await kube.applied(item.body, namespace=item.namespace)
        was, now = (_named(one, item.body) for one in (body, applied))
        change = diff.of_bodies(item.key, was, now, redactor)
        return change and replace(change, fields=manual_edits.signed(change.fields, body, OURS))

    found = await each(of_one, [item for item in wanted if not item.is_hook])
    return [change for change in found if change is not None]


async def _of_one(kube: Kube, redactor: Redactor, manifest: Manifest) -> ObjectChange | None:
    place = manifest.api_version, manifest.kind, manifest.name, manifest.namespace
    live_objects = await kube.get(*place)
    if live_objects is None:
        return ObjectChange(manifest.key, Act.REMOVE)
    wanted = await kube.applied(manifest.body, namespace=manifest.namespace)
    was, now = (_named(body, manifest.body) for body in (wanted, live_objects))
    change = diff.of_bodies(manifest.key, was, now, redactor)
    fields = manual_edits.signed(change.fields, live_objects, OURS) if change else ()
    # Here the hand's work is what it has become.
    by_hand = (
        replace(field, before=None, after=field.before)
        for field in manual_edits.added(manifest, live_objects, redactor)
    )
    both = (*fields, *by_hand)
    return ObjectChange(manifest.key, Act.CHANGE, both) if both else None


def _named(value: Any, named: Any) -> Any:
    """Of a value, only what the release itself names: operators write the rest at any time."""
    if isinstance(value, Mapping) and isinstance(named, Mapping):
        return {name: _named(value[name], inner) for name, inner in named.items() if name in value}
    if isinstance(value, list) and isinstance(named, list) and len(value) == len(named):
        return [_named(*pair) for pair in zip(value, named, strict=True)]
    return value
