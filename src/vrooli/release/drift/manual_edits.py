"""What people wrote into a release's objects by hand: which fields, by what tool, and when. No I/O.

The API server notes for each field who wrote it (``metadata.managedFields``). A field is added by
hand where a person's tool owns it, nobody else does, and the release doesn't name it. What
controllers write is never by hand, nor are requests: a restart, a backup, a number of replicas that
an autoscaler may set.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vrooli.chart.manifest import Manifest
from vrooli.redaction import Redactor
from vrooli.release.drift import diff
from vrooli.release.drift.diff import FieldChange, Side

# How the tools of people sign, or begin to: kubectl, k9s, curl, the web dashboards and Lens.
TOOLS = ("kubectl", "k9s", "curl", "dashboard", "Mozilla", "node-fetch")
# Annotations that ask for something to be done once, or that kubectl keeps for itself.
REQUESTS = (
    "kubectl.kubernetes.io/restartedAt",
    "kubectl.kubernetes.io/last-applied-configuration",
    "postgres-operator.crunchydata.com/",
)
# Without a number of the release's own an autoscaler sets it.
REPLICAS = ("f:spec", "f:replicas")
# Of the metadata only these are a person's to write; each of their entries counts by itself.
_METADATA_MAPS = ("f:labels", "f:annotations")
# In ``fieldsV1`` a field's name, an item by its keys, and an item by its value begin so; a dot
# stands for the field itself (Kubernetes' structured-merge-diff).
_FIELD, _ITEM, _SELF = "f:", "k:", "."

Fields = Mapping[str, Any]
Entry = Mapping[str, Any]
Path = tuple[str, ...]


@dataclass(frozen=True)
class Hand:
    """What one tool added to an object.

    Attributes:
        entry: Its signature.
        paths: The fields that it added, each as the keys of ``fieldsV1`` on the way to it.
    """

    entry: Entry
    paths: tuple[Path, ...]

    @property
    def taken_over(self) -> Fields:
        """The added fields, as ``fieldsV1`` has them."""
        matches: dict[str, Any] = {}
        for path in self.paths:
            inner, fields = matches, self.entry["fieldsV1"]
            for key in path[:-1]:
                inner, fields = inner.setdefault(key, {}), fields[key]
            inner[path[-1]] = fields[path[-1]]
        return matches

    @property
    def remaining(self) -> Fields:
        """The other fields that it wrote."""
        return _subtract(self.entry["fieldsV1"], self.taken_over)


def is_tool(manager: str) -> bool:
    """Whether a person's tool signs so."""
    return manager.startswith(TOOLS)


def hands(item: Manifest, body: Mapping[str, Any]) -> list[Hand]:
    """What people's tools added to an object of a release.

    Args:
        item: The object as the release has it.
        body: The object as it is.
    """
    entries = [
        entry
        for entry in body["metadata"].get("managedFields", [])
        if entry.get("subresource", "") == "" and entry.get("apiVersion") == item.api_version
    ]
    others = [entry["fieldsV1"] for entry in entries if not is_tool(entry["manager"])]
    matches = [
        Hand(entry, tuple(_added(entry["fieldsV1"], body, item.body, others, ())))
        for entry in entries
        if is_tool(entry["manager"])
    ]
    return [hand for hand in matches if hand.paths]


def added(item: Manifest, body: Mapping[str, Any], redactor: Redactor) -> tuple[FieldChange, ...]:
    """The fields that people added, as what goes when the release is put back."""
    matches = hands(item, body)
    if not matches:
        return ()
    side = diff.side_of(body, redactor)
    return tuple(
        FieldChange(text, shown, None, hand.entry["manager"], _time(hand.entry))
        for hand in matches
        for text, shown in (_shown(side, path) for path in hand.paths)
    )


def signed(
    fields: Iterable[FieldChange], body: Mapping[str, Any], but: str
) -> tuple[FieldChange, ...]:
    """Fields with whoever wrote what they are; ``but`` is who writes the release."""
    owners: dict[str, Entry] = {}
    side = diff.side_of(body, Redactor())
    for entry in body["metadata"].get("managedFields", []):
        if entry["manager"] != but and entry.get("subresource") != "status":
            leaves = _leaves(entry.get("fieldsV1", {}), ())
            owners |= {_shown(side, path)[0]: entry for path in leaves}
    return tuple(
        FieldChange(one.path, one.before, one.after, owner["manager"], _time(owner))
        if (owner := owners.get(one.path)) is not None and not one.manager
        else one
        for one in fields
    )


def missing_paths(body: Any, desired: Any, path: Path = ()) -> Iterator[Path]:
    """The fields, and the items of lists, that are wanted and that an object lacks.

    Nothing is noted of a field that somebody removed. Empty and false ones aren't kept anyway.
    """
    if isinstance(desired, Mapping) and isinstance(body, Mapping):
        for name, inner in desired.items():
            if name in body:
                yield from missing_paths(body[name], inner, (*path, name))
            elif inner:
                yield (*path, name)
    elif isinstance(desired, list) and isinstance(body, list):
        names, by_key = diff.places(desired), diff.places(body) or {}
        if names is None:
            yield from (() if len(body) >= len(desired) else (path,))
            return
        for name, place in names.items():
            if name in by_key:
                yield from missing_paths(body[by_key[name]], desired[place], (*path, name))
            else:
                yield (*path, name)


def _added(
    fields: Fields, live: Any, desired: Any, others: Sequence[Fields], path: Path
) -> Iterator[Path]:
    """The ways to the fields that nobody else owns, and that aren't wanted."""
    for key, inner in fields.items():
        its = (*path, key)
        here = _at(live, key)
        if key == _SELF or here is None or _is_excluded(its):
            continue
        theirs = [other[key] for other in others if key in other]
        is_container = bool(inner) and (key in _METADATA_MAPS or path == ())
        if theirs or _at(desired, key) is not None or is_container:
            yield from _added(inner, here, _at(desired, key), theirs, its)
        else:
            yield its


def _is_excluded(path: Path) -> bool:
    if path == REPLICAS or (
        path[0] == "f:metadata" and path[1:2] and path[1] not in _METADATA_MAPS
    ):
        return True
    name = path[-1].removeprefix(_FIELD)
    return path[-2:-1] == ("f:annotations",) and name.startswith(REQUESTS)


def _leaves(fields: Fields, path: Path) -> Iterator[Path]:
    for key, inner in fields.items():
        if key != _SELF:
            yield from _leaves(inner, (*path, key)) if inner else [(*path, key)]


def _subtract(fields: Fields, taken_over: Fields) -> Fields:
    """Fields without others: what is taken as a whole goes, with what stands in it."""
    remaining: dict[str, Any] = {}
    for key, inner in fields.items():
        if key not in taken_over:
            remaining[key] = inner
        elif inner != taken_over[key] and (rest := _subtract(inner, taken_over[key])):
            remaining[key] = rest
    return remaining


def _at(value: Any, key: str) -> Any:
    """What stands in a value behind a key of ``fieldsV1``; None where nothing does."""
    if key.startswith(_FIELD):
        return value.get(key.removeprefix(_FIELD)) if isinstance(value, Mapping) else None
    place = _place(value, key)
    return None if place is None else value[place]


def _place(matches: Any, key: str) -> int | None:
    """Where in a list the item stands that a key of ``fieldsV1`` names."""
    if not isinstance(matches, list):
        return None
    selector = json.loads(key[len(_ITEM) :])
    if not key.startswith(_ITEM):
        return matches.index(selector) if selector in matches else None
    for place, item in enumerate(matches):
        # A release needn't say what has a default, such as a port's protocol.
        has_one = isinstance(item, Mapping) and any(name in item for name in selector)
        if has_one and all(item.get(name, value) == value for name, value in selector.items()):
            return place
    return None


def _shown(side: Side, path: Path) -> tuple[str, str | None]:
    """Where a field is, as changes are told, and what it is."""
    text = ""
    for key in path:
        if key.startswith(_FIELD):
            name = key.removeprefix(_FIELD)
            text, side = f"{text}.{name}" if text else name, side.at(name)
            continue
        place = _place(side.value, key)
        if place is None:
            break
        names = {number: name for name, number in (diff.places(side.value) or {}).items()}
        text, side = f"{text}[{names.get(place, place)}]", side.at(place)
    return text, side.text


def _time(entry: Entry) -> datetime | None:
    return datetime.fromisoformat(entry["time"]) if "time" in entry else None
