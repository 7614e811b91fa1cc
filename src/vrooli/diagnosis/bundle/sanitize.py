"""Remove copies of an object and values of environment variables before it is saved.

No I/O here. Names of variables and references to their sources remain; values are masked even if
they do not look like secrets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from vrooli.redaction.names import MASK

# Annotations in which kubectl and other tools store a copy of the object.
_COPY = re.compile(r"last-applied|last-handled|objectset\.rio\.cattle\.io/|kapp\.k14s\.io/original")
_SETTINGS = "env"


def pruned(value: Any) -> Any:
    """A structure without copies, with every literal environment value masked.

    At any depth: in pods, in nested templates, in all kinds of containers, and in the resources
    of operators.
    """
    if isinstance(value, Mapping):
        return {
            key: _settings(inner) if key == _SETTINGS else _pruned(key, inner)
            for key, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [pruned(inner) for inner in value]
    return value


def _pruned(key: Any, value: Any) -> Any:
    return (
        _annotations(value)
        if key == "annotations" and isinstance(value, Mapping)
        else pruned(value)
    )


def _settings(value: Any) -> Any:
    """An environment: a list of variables, or a mapping in an operator's resource."""
    if isinstance(value, Mapping):
        return {
            name: inner if isinstance(inner, (Mapping, list)) else MASK
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_setting(item) for item in value]
    return value


def _setting(item: Any) -> Any:
    if not isinstance(item, Mapping):
        return MASK
    return {key: MASK if key == "value" else pruned(inner) for key, inner in item.items()}


def _annotations(annotations: Mapping[Any, Any]) -> dict[Any, Any]:
    """Annotations: one that is JSON may be an object, too."""
    return {
        name: _annotation(inner)
        for name, inner in annotations.items()
        if not (isinstance(name, str) and _COPY.search(name))
    }


def _annotation(value: Any) -> Any:
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    try:
        inner = json.loads(value)
    except (ValueError, RecursionError):
        return value
    sanitized = pruned(inner)
    return value if sanitized == inner else json.dumps(sanitized)
