"""Take over the fields that others own: server-side apply refuses to give those other values.

The Helm engine signs as this process, the helm program as "helm", a person's hand as kubectl, or
as whatever it used. What a release says holds: their signatures are dropped before Helm writes its
own; the values stay until it does, so that hooks come first. What people added beside it is taken
over, too, so that Helm takes it away: it isn't in the release.
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

# As Go names the program that it is loaded into, which is how the Helm engine signs.
OURS = Path(sys.orig_argv[0]).name
# What every Helm writes, whatever it is called.
_OF_HELM = "f:meta.helm.sh/release-name"
# Controllers write what a rollout is at many times a second.
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
    """Drop what others own of these objects and would stand in the way; gives those objects.

    Another Helm's signature always goes; others' where a value of theirs is to be another one.

    Args:
        kube: The cluster.
        manifests: The objects as they are to be.
        live: As they are.
        progress: Told whose changes are taken back.
        preserve_added: Leave the fields that people added.
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
    """The objects in which others than a Helm have given fields another value, or added some."""

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
    """Whether somebody removed a field that applying the object would bring back."""
    lost = set(manual_edits.missing_paths(body, item.body))
    if not lost:
        return False
    applied = await kube.applied(item.body, namespace=item.namespace)
    return bool(lost - set(manual_edits.missing_paths(applied, item.body)))


@dataclass(frozen=True)
class _Others:
    """Who else has signed fields of an object.

    Attributes:
        helms: Other Helms, whatever they are called.
        hands: Whose fields have another value than is wanted.
        added: What people added.
    """

    helms: Set[str] = frozenset()
    hands: Set[str] = frozenset()
    added: Sequence[Hand] = ()

    @property
    def names(self) -> Set[str]:
        """Whose changes are taken back."""
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
    """Take one object over; whatever changes meanwhile is looked at anew."""
    current: Body | None = body
    for _ in range(ATTEMPTS):
        if current is None:
            return False
        try:
            others = await _others(kube, item, current, preserve_added=preserve_added)
            return await _of_one(kube, item, current, others, progress)
        except ApiError as error:
            if error.status != httpx.codes.CONFLICT:
                return False  # Helm says it better, or the next run mends it
        current = await kube.get(item.api_version, item.kind, item.name, item.namespace)
    return False


async def _of_one(
    kube: Kube, item: Manifest, body: Body, others: _Others, progress: Progress
) -> bool:
    if not others.helms | others.names:
        return False
    metadata = {
        # An empty list would leave them as they are.
        "managedFields": _without(body["metadata"]["managedFields"], others) or [{}],
        "resourceVersion": body["metadata"]["resourceVersion"],
    }
    await kube.patch(item.api_version, item.kind, item.name, item.namespace, {"metadata": metadata})
    if others.names:
        progress.report(
            f"{item.key}: takes back what {', '.join(sorted(others.names))} has changed"
        )
    return True


def _is_status(entry: Entry) -> bool:
    return entry.get("subresource") == "status"


def _is_helms(entry: Entry) -> bool:
    metadata = entry.get("fieldsV1", {}).get("f:metadata", {})
    return entry["operation"] == "Apply" and _OF_HELM in metadata.get("f:annotations", {})


def _without(entries: Sequence[Entry], others: _Others) -> list[Entry]:
    """The signatures that stay; what any Helm has signed is ours, and what people added.

    So a field goes that the next revision doesn't have, whoever wrote it.
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
    """A signature without what its hand added."""
    return {**entry, "fieldsV1": hand.remaining} if entry == hand.entry else entry


def _union(one: Fields, other: Fields) -> Fields:
    """The fields of both."""
    both = {key: _union(one[key], other[key]) for key in one.keys() & other.keys()}
    return {**one, **other, **both}
