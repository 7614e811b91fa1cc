"""Changes of a deploy by object and field, with secrets masked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from vrooli.chart.manifest import Manifest
from vrooli.redaction import MASK, Redactor

# Lists whose items have names are compared by name, so that a new item does not shift others.
NAMES = ("name", "key", "containerPort", "path", "host")
# The only fields of a Secret that are shown.
SHOWN = frozenset({"metadata", "type", "apiVersion", "kind", "immutable"})
# The longest value that is shown, characters.
LONGEST = 120


class Act(StrEnum):
    """The kind of a change."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


@dataclass(frozen=True)
class FieldChange:
    """A changed field.

    Attributes:
        path: Where it is, such as spec.template.spec.containers[server].image.
        before: The current value, or None.
        after: The new value, or None.
        manager: Who wrote the current value by hand, by its managed fields; may be empty.
        since: When it was written.
    """

    path: str
    before: str | None
    after: str | None
    manager: str = ""
    since: datetime | None = None


@dataclass(frozen=True)
class ObjectChange:
    """A changed object.

    Attributes:
        key: Its kind and name.
        act: The kind of the change.
        fields: The changed fields; empty if the object is added or removed.
    """

    key: str
    act: Act
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True)
class Side:
    """A value to compare, and its masked form to show."""

    value: Any
    shown: Any

    def at(self, key: str | int) -> Side:
        """The value at a key, or at an index of a list."""
        return Side(_at(self.value, key), _at(self.shown, key))

    @property
    def text(self) -> str | None:
        """The text to show, on one line; None if there is no value."""
        if self.value is None:
            return None
        text = " ".join(str(MASK if self.shown is None else self.shown).split())
        return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def changes(
    desired: Iterable[Manifest], recorded: Iterable[Manifest], redactor: Redactor | None = None
) -> tuple[ObjectChange, ...]:
    """Find every object that differs, by kind and name.

    Args:
        desired: The desired objects.
        recorded: The current objects.
        redactor: Masks known secrets; without one, only values that look like secrets are masked.
    """
    new, old = ({item.key: item for item in some} for some in (desired, recorded))
    return tuple(_changes(new, old, redactor or Redactor()))


def of_bodies(
    key: str, before: Mapping[str, Any], after: Mapping[str, Any], redactor: Redactor
) -> ObjectChange | None:
    """The difference of two states of an object; None if there is none."""
    entries = _changed(before, after, redactor)
    return ObjectChange(key, Act.CHANGE, entries) if entries else None


def merge(entries: Iterable[ObjectChange]) -> tuple[ObjectChange, ...]:
    """Merge changes of the same objects; of duplicate fields, the last one is used."""
    objects: dict[str, ObjectChange] = {}
    for change in entries:
        before = objects.get(change.key)
        if before is None or before.act is not change.act:
            objects[change.key] = change
            continue
        fields = {field.path: field for field in (*before.fields, *change.fields)}
        objects[change.key] = ObjectChange(change.key, change.act, tuple(fields.values()))
    return tuple(objects[key] for key in sorted(objects))


def _changes(
    new: Mapping[str, Manifest], old: Mapping[str, Manifest], redactor: Redactor
) -> Iterator[ObjectChange]:
    for key in sorted(new.keys() | old.keys()):
        if key not in old:
            yield ObjectChange(key, Act.ADD)
        elif key not in new:
            yield ObjectChange(key, Act.REMOVE)
        elif new[key].body != old[key].body:
            entries = _changed(old[key].body, new[key].body, redactor)
            yield ObjectChange(key, Act.CHANGE, entries)


def _changed(
    before: Mapping[str, Any], after: Mapping[str, Any], redactor: Redactor
) -> tuple[FieldChange, ...]:
    return tuple(_fields("", side_of(before, redactor), side_of(after, redactor)))


def side_of(body: Mapping[str, Any], redactor: Redactor) -> Side:
    """An object; it is masked as a whole, since names tell which values are secret."""
    shown = redactor.tree(body)
    if body.get("kind") == "Secret":
        shown = {key: value if key in SHOWN else _hidden(value) for key, value in shown.items()}
    return Side(body, shown)


def _hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _hidden(inner) for key, inner in value.items()}
    return MASK


def _fields(path: str, before: Side, after: Side) -> Iterator[FieldChange]:
    if before.value == after.value:
        return
    if isinstance(before.value, Mapping) and isinstance(after.value, Mapping):
        for key in sorted(before.value.keys() | after.value.keys()):
            inner = f"{path}.{key}" if path else str(key)
            yield from _fields(inner, before.at(key), after.at(key))
        return
    was, now = places(before.value), places(after.value)
    if was is not None and now is not None:
        for key in dict.fromkeys([*was, *now]):
            pair = before.at(was.get(key, -1)), after.at(now.get(key, -1))
            yield from _fields(f"{path}[{key}]", *pair)
        return
    yield FieldChange(path, before.text, after.text)


def places(value: Any) -> dict[str, int] | None:
    """Where a list's items are by their names, or None where not all have one, each its own."""
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        return None
    for field in NAMES:
        if all(isinstance(item, Mapping) and field in item for item in value):
            entries = {str(item[field]): place for place, item in enumerate(value)}
            if len(entries) == len(value):
                return entries
    return None


def _at(value: Any, key: str | int) -> Any:
    """What stands in a value there, or None; what is masked as a whole is masked everywhere."""
    if isinstance(value, Mapping):
        return value.get(key)
    if isinstance(value, (list, tuple)) and isinstance(key, int):
        return value[key] if 0 <= key < len(value) else None
    return MASK if value == MASK else None
