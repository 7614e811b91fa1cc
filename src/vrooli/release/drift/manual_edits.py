"""Fields that people edited by hand: which, with which tool, and when. No I/O.

The API server records the manager of each field (``metadata.managedFields``). A field counts as
added by hand if only a person's tool owns it and the release does not name it. Fields of
controllers do not count, nor do requests: a restart, a backup, or replicas that an autoscaler sets.
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

# The field managers of people's tools, or their prefixes: kubectl, k9s, curl, dashboards, Lens.
TOOLS = ("kubectl", "k9s", "curl", "dashboard", "Mozilla", "node-fetch")
# Annotations that request an action once, or that kubectl keeps for itself.
REQUESTS = (
    "kubectl.kubernetes.io/restartedAt",
    "kubectl.kubernetes.io/last-applied-configuration",
    "postgres-operator.crunchydata.com/",
)
# An autoscaler sets it if the release does not.
REPLICAS = ("f:spec", "f:replicas")
# The only metadata that people edit; each entry counts by itself.
_METADATA_MAPS = ("f:labels", "f:annotations")
# In ``fieldsV1`` a field's name, an item by its keys, and an item by its value begin so; a dot
# stands for the field itself (Kubernetes' structured-merge-diff).
_FIELD, _ITEM, _SELF = "f:", "k:", "."

Fields = Mapping[str, Any]
Entry = Mapping[str, Any]
Path = tuple[str, ...]


@dataclass(frozen=True)
class Hand:
    """The fields that one tool added to an object.

    Attributes:
        entry: Its managed-fields entry.
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
        """The other fields of the entry."""
        return _subtract(self.entry["fieldsV1"], self.taken_over)


def is_tool(manager: str) -> bool:
    """Whether a field manager is a person's tool."""
    return manager.startswith(TOOLS)


def hands(item: Manifest, body: Mapping[str, Any]) -> list[Hand]:
    """Find the fields that people's tools added to an object of a release.

    Args:
        item: The object of the release.
        body: The live object.
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
    """The fields that people added, as removals by the next deploy."""
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
    """Add to each field its manager; ``but`` is the release's own manager."""
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
    """Find desired fields and list items that an object lacks.

    Managed fields do not show removals. Empty and false values are not stored anyway.
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
    """The paths of fields that nobody else owns and that are not desired."""
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
    """Subtract field sets; a field that is taken as a whole goes with its children."""
    remaining: dict[str, Any] = {}
    for key, inner in fields.items():
        if key not in taken_over:
            remaining[key] = inner
        elif inner != taken_over[key] and (rest := _subtract(inner, taken_over[key])):
            remaining[key] = rest
    return remaining


def _at(value: Any, key: str) -> Any:
    """The value at a key of ``fieldsV1``; None if there is none."""
    if key.startswith(_FIELD):
        return value.get(key.removeprefix(_FIELD)) if isinstance(value, Mapping) else None
    place = _place(value, key)
    return None if place is None else value[place]


def _place(matches: Any, key: str) -> int | None:
    """The index of the list item that a key of ``fieldsV1`` names."""
    if not isinstance(matches, list):
        return None
    selector = json.loads(key[len(_ITEM) :])
    if not key.startswith(_ITEM):
        return matches.index(selector) if selector in matches else None
    for place, item in enumerate(matches):
        # The release may omit defaults, such as a port's protocol.
        has_one = isinstance(item, Mapping) and any(name in item for name in selector)
        if has_one and all(item.get(name, value) == value for name, value in selector.items()):
            return place
    return None


def _shown(side: Side, path: Path) -> tuple[str, str | None]:
    """A field's path as changes show it, and its value."""
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
