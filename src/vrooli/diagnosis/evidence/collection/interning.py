"""Share equal parts of objects, so that thousands of similar pods use little memory.

No I/O here.
"""

from __future__ import annotations

import json
from typing import Any

# The depth to which parts are shared: pod, container, setting.
_DEPTH = 4


class Shared:
    """A cache of parts, which replaces equal parts by one object. Parts must not be changed."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def of(self, body: dict[str, Any]) -> dict[str, Any]:
        """The object built from shared parts."""
        return {name: self._parts(part, _DEPTH) for name, part in body.items()}

    def _parts(self, value: Any, depth: int) -> Any:
        if not isinstance(value, (dict, list)) or not depth:
            return value
        key = json.dumps(value)
        if key not in self._known:
            self._known[key] = self._interned(value, depth - 1)
        return self._known[key]

    def _interned(self, value: dict[str, Any] | list[Any], depth: int) -> Any:
        if isinstance(value, list):
            return [self._parts(inner, depth) for inner in value]
        return {name: self._parts(inner, depth) for name, inner in value.items()}
