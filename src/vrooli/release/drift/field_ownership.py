"""Take over fields that other managers own: server-side apply refuses to change those.

The Helm engine's field manager is this process, the helm program's is "helm", and a person's is
kubectl or another tool. The release has precedence: other managers are dropped before Helm applies;
the values stay until then, so that hooks run first. Fields that people added are taken over, too,
so that Helm removes them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from vrooli.chart.manifest import Manifest
from vrooli.events import Progress
from vrooli.kube import ApiError, Kube, gather_limited
from vrooli.release.drift import manual_edits
from vrooli.release.drift.live_objects import Bodies
from vrooli.release.drift.manual_edits import Hand

# The Helm engine's field manager: the name of the program that Go is loaded into.
OURS = Path(sys.orig_argv[0]).name
# The annotation that every Helm writes, whatever its manager is called.
_OF_HELM = "f:meta.helm.sh/release-name"
# Controllers update objects many times a second during a rollout.
ATTEMPTS = 10
Body = Mapping[str, Any]
Entry = Mapping[str, Any]
Fields = Mapping[str, Any]


async def take_over(
    kube: Kube,
    manifests: Iterable[Manifest],
    live: Bodies,
    progress: Progress,
    *,
    preserve_added: bool = False,
) -> list[str]:
    """Drop other managers that would cause conflicts; returns the changed objects.

    Other Helm managers are always dropped, others only if a value of theirs is to change.

    Args:
        kube: The cluster.
        manifests: The desired objects.
        live: The live objects.
        progress: Receives whose changes are reverted.
        preserve_added: Keep the fields that people added.
    """

    async def take(item: Manifest) -> bool:
        body = live.get(item.key)
        if body is None:
            return False
        return await _take(kube, item, body, progress, preserve_added=preserve_added)

    desired = list(manifests)
    results = await gather_limited(take, desired)
    return [item.key for item, was in zip(desired, results, strict=True) if was]


async def changed(
    kube: Kube, manifests: Iterable[Manifest], live: Bodies, *, preserve_added: bool = False
) -> list[str]:
    """Find objects with fields that others than Helm have changed or added."""

    async def is_changed(item: Manifest) -> bool:
        body = live.get(item.key)
        if body is None:
            return False
        others = await _others(kube, item, body, preserve_added=preserve_added)
        return bool(others.hands or others.added) or await _has_lost(kube, item, body)

    desired = [item for item in manifests if not item.is_hook]
    results = await gather_limited(is_changed, desired)
    return [item.key for item, was in zip(desired, results, strict=True) if was]


async def _has_lost(kube: Kube, item: Manifest, body: Body) -> bool:
    """Whether a field was removed that applying the object would restore."""
    lost = set(manual_edits.missing_paths(body, item.body))
    if not lost:
        return False
    applied = await kube.applied(item.body, namespace=item.namespace)
    return bool(lost - set(manual_edits.missing_paths(applied, item.body)))


@dataclass(frozen=True)
class _Others:
    """The other managers of an object's fields.

    Attributes:
        helms: Other Helm managers.
        hands: Managers whose fields differ from the desired values.
        added: Fields that people added.
    """

    helms: Set[str] = frozenset()
    hands: Set[str] = frozenset()
    added: Sequence[Hand] = ()

    @property
    def names(self) -> Set[str]:
        """The managers whose changes are reverted."""
        return self.hands | {hand.entry["manager"] for hand in self.added}


async def _others(kube: Kube, item: Manifest, body: Body, *, preserve_added: bool) -> _Others:
    entries = body["metadata"].get("managedFields", [])
    names = {entry["manager"] for entry in entries if not _is_status(entry)}
    if names <= {OURS}:
        return _Others()
    owners = await kube.conflicts(item.body, OURS, namespace=item.namespace)
    helms = {entry["manager"] for entry in entries if _is_helms(entry)} - {OURS}
    added = () if preserve_added else manual_edits.hands(item, body)
    return _Others(helms, owners & names - helms - {OURS}, added)


async def _take(
    kube: Kube, item: Manifest, body: Body, progress: Progress, *, preserve_added: bool
) -> bool:
    """Take over one object, with retries if it changes meanwhile."""
    current: Body | None = body
    for _ in range(ATTEMPTS):
        if current is None:
            return False
        try:
            others = await _others(kube, item, current, preserve_added=preserve_added)
            return await _of_one(kube, item, current, others, progress)
        except ApiError as error:
            if error.status != httpx.codes.CONFLICT:
                return False  # Helm reports it, or the next run succeeds
        current = await kube.get(item.api_version, item.kind, item.name, item.namespace)
    return False


async def _of_one(
    kube: Kube, item: Manifest, body: Body, others: _Others, progress: Progress
) -> bool:
    if not others.helms | others.names:
        return False
    metadata = {
        # An empty list would not change them.
        "managedFields": _without(body["metadata"]["managedFields"], others) or [{}],
        "resourceVersion": body["metadata"]["resourceVersion"],
    }
    await kube.patch(item.api_version, item.kind, item.name, item.namespace, {"metadata": metadata})
    if others.names:
        progress.report(f"{item.key}: reverts the changes of {', '.join(sorted(others.names))}")
    return True


def _is_status(entry: Entry) -> bool:
    return entry.get("subresource") == "status"


def _is_helms(entry: Entry) -> bool:
    metadata = entry.get("fieldsV1", {}).get("f:metadata", {})
    return entry["operation"] == "Apply" and _OF_HELM in metadata.get("f:annotations", {})


def _without(entries: Sequence[Entry], others: _Others) -> list[Entry]:
    """The managers that remain; fields of any Helm and fields that people added become ours.

    So Helm removes fields that the next revision lacks, whoever wrote them.
    """
    signed = [entry for entry in entries if _is_helms(entry)]
    foreign = [entry for entry in entries if not _is_helms(entry)]
    retained = [
        entry for entry in foreign if _is_status(entry) or entry["manager"] not in others.hands
    ]
    if not signed:
        return retained
    fields: Fields = {}
    for entry in signed:
        fields = _union(fields, entry["fieldsV1"])
    for hand in others.added:
        fields = _union(fields, hand.taken_over)
        retained = [_without_fields(entry, hand) for entry in retained]
    retained = [entry for entry in retained if entry["fieldsV1"]]
    return [*retained, {**signed[-1], "manager": OURS, "fieldsV1": fields}]


def _without_fields(entry: Entry, hand: Hand) -> Entry:
    """A managed-fields entry without the fields that its manager added."""
    return {**entry, "fieldsV1": hand.remaining} if entry == hand.entry else entry


def _union(one: Fields, other: Fields) -> Fields:
    """The union of two field sets."""
    both = {key: _union(one[key], other[key]) for key in one.keys() & other.keys()}
    return {**one, **other, **both}
