"""Makes the texts of events and results inert before they are printed. No I/O here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar, cast

from pydantic import BaseModel

from vrooli import inert

T = TypeVar("T")


class MultiLine:
    """Marks a field of a result whose text has lines, such as a drawing."""


def made_inert(value: T) -> T:
    """Return an event or a result in which every text is one line, except multi-line fields."""
    return cast("T", _inert(value))


def _inert(value: Any) -> Any:
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return inert.line(value)
    if isinstance(value, Mapping):
        return {_inert(key): _inert(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_inert, value))
    return _inert_fields(value)


def _inert_fields(value: Any) -> Any:
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        multi_line = {name for name, field in fields.items() if MultiLine in field.metadata}
        return value.model_copy(
            update={
                name: inert.lines(item) if name in multi_line else _inert(item)
                for name, item in value
            }
        )
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{name: _inert(item) for name, item in vars(value).items()})
    return value
