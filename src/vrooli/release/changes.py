"""What a deploy will change, object by object and field by field; secrets are masked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from vrooli.chart.manifest import Manifest
from vrooli.redaction import MASK

# Lists whose items have names are compared by them, so that a new item moves no other.
NAMES = ("name", "key", "containerPort", "path", "host")
# Of a Secret, only these are shown.
SHOWN = frozenset({"metadata", "type", "apiVersion", "kind", "immutable"})
# The longest value that is shown, characters.
LONGEST = 120


class Act(StrEnum):
    """What becomes of an object or a field."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


@dataclass(frozen=True)
class FieldChange:
    """One field that changes.

    Attributes:
        path: Where it is, such as spec.template.spec.containers[server].image.
        before: What it is, or None.
        after: What it becomes, or None.
    """

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class ObjectChange:
    """One object that changes.

    Attributes:
        key: Its kind and name.
        act: What becomes of it.
        fields: What changes in it; none for one that comes or goes as a whole.
    """

    key: str
    act: Act
    fields: tuple[FieldChange, ...] = ()


def changes(wanted: Iterable[Manifest], noted: Iterable[Manifest]) -> tuple[ObjectChange, ...]:
    """Every object that differs between what is wanted and what there is, by kind and name."""
    new, old = ({item.key: item for item in some} for some in (wanted, noted))
    return tuple(_changes(new, old))


def of_bodies(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> ObjectChange | None:
    """How one object differs from another state of it; None when it doesn't."""
    found = tuple(_fields("", before, after, before.get("kind") == "Secret"))
    return ObjectChange(key, Act.CHANGE, found) if found else None


def _changes(new: Mapping[str, Manifest], old: Mapping[str, Manifest]) -> Iterator[ObjectChange]:
    for key in sorted(new.keys() | old.keys()):
        if key not in old:
            yield ObjectChange(key, Act.ADD)
        elif key not in new:
            yield ObjectChange(key, Act.REMOVE)
        elif new[key].body != old[key].body:
            secret = new[key].kind == "Secret"
            found = _fields("", old[key].body, new[key].body, secret)
            yield ObjectChange(key, Act.CHANGE, tuple(found))


def _fields(path: str, before: Any, after: Any, secret: bool) -> Iterator[FieldChange]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            inner = f"{path}.{key}" if path else str(key)
            hidden = secret and inner not in SHOWN
            yield from _fields(inner, before.get(key), after.get(key), hidden)
        return
    named = _named(before), _named(after)
    if named[0] is not None and named[1] is not None:
        for key in dict.fromkeys([*named[0], *named[1]]):
            yield from _fields(f"{path}[{key}]", named[0].get(key), named[1].get(key), secret)
        return
    yield FieldChange(path, _text(before, secret), _text(after, secret))


def _named(value: Any) -> dict[str, Any] | None:
    """A list's items by their names, or None where not all have one, each its own."""
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        return None
    for field in NAMES:
        if all(isinstance(item, Mapping) and field in item for item in value):
            found = {str(item[field]): item for item in value}
            if len(found) == len(value):
                return found
    return None


def _text(value: Any, secret: bool) -> str | None:
    if value is None:
        return None
    if secret:
        return MASK
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
