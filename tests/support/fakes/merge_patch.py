"""JSON merge patches (RFC 7386)."""

from __future__ import annotations

from typing import Any


def merge(present: Any, change: Any) -> Any:
    """An object after a patch."""
    if not isinstance(change, dict):
        return change
    merged = dict(present) if isinstance(present, dict) else {}
    for key, value in change.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged
