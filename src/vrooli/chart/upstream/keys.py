"""Keys of values as paths: parsing, formatting, and patterns with wildcards."""

from __future__ import annotations

import re

# The keys from the root to a value; list items have their index.
Path = tuple[str | int, ...]
# Matches one key, or one index of a list.
ANY = "*"
# Matches the remaining keys, at least one; only at the end of a pattern.
REST = "**"
_KEY = re.compile(r"\[([^\]]+)\]|([^.\[]+)")
_PLAIN = re.compile(r"[A-Za-z0-9_*-]+")


def parse(text: str) -> Path:
    """Parse a pattern such as ``ingress.annotations[example.com/name].0``."""
    parts = (match[1] or match[2] for match in _KEY.finditer(text))
    return tuple(int(part) if part.isdecimal() else part for part in parts)


def format_(path: Path) -> str:
    """Format a path as `parse` reads it."""
    text = ""
    for part in path:
        plain = isinstance(part, int) or _PLAIN.fullmatch(part)
        text += (f".{part}" if text else str(part)) if plain else f"[{part}]"
    return text


def match(pattern: Path, path: Path) -> Path | None:
    """Match a path with a pattern.

    Returns:
        What each `ANY` stands for, in their order; None if the path does not match.
    """
    if pattern and pattern[-1] == REST:
        head = pattern[:-1]
        return match(head, path[: len(head)]) if len(path) > len(head) else None
    if len(pattern) != len(path):
        return None
    if any(part not in (ANY, key) for part, key in zip(pattern, path, strict=True)):
        return None
    return tuple(key for part, key in zip(pattern, path, strict=True) if part == ANY)


def fill(pattern: Path, parts: Path) -> Path:
    """Replace each `ANY` of a pattern in order; those without a part stay."""
    rest = list(parts)
    return tuple(rest.pop(0) if key == ANY and rest else key for key in pattern)
