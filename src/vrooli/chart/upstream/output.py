"""The converted values, with the upstream key that each comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vrooli.chart.upstream import keys
from vrooli.chart.upstream.keys import ANY, Path


class Output:
    """Values that are set key by key.

    Lists are mappings by index until `values` is called, so that items can be absent.
    """

    def __init__(self) -> None:
        self._tree: dict[str | int, Any] = {}
        self._sources: dict[str, set[str]] = {}

    def put(self, path: Path, value: Any, source: str) -> None:
        """Set a value; it replaces an earlier one.

        Args:
            path: The key.
            value: The value.
            source: Upstream's key.
        """
        *parents, last = path
        node = self._tree
        for key in parents:
            node = node.setdefault(key, {})
        sources = self._sources.setdefault(keys.format_(path), set())
        if last in node and node[last] != value:
            sources.clear()
        node[last] = value
        sources.add(source)

    def sources(self, target: str) -> set[str]:
        """The upstream keys that have set the current value."""
        return self._sources.get(target, set())

    def expand(self, pattern: Path) -> list[Path]:
        """The existing paths of a pattern; the path itself if it has no wildcard."""
        if ANY not in pattern:
            return [pattern]
        return list(_expand(self._tree, pattern, ()))

    def locate(self, pointer: Path) -> Path:
        """Convert a path of `values` to one of `remove`, which no removal changes."""
        return _stored(self._tree, pointer)

    def remove(self, path: Path) -> list[tuple[str, str]]:
        """Remove the value at a path, the values below it, or the one that contains it.

        Returns:
            Each removed key and upstream's key that it came from.
        """
        removed = [target for target in self._sources if _is_below(target, keys.format_(path))]
        while not removed and path:
            path = path[:-1]
            removed = [target for target in self._sources if target == keys.format_(path)]
        if removed:
            _remove(self._tree, path)
        return [(target, source) for target in removed for source in self._sources.pop(target)]

    def values(self) -> dict[str, Any]:
        """The values as Helm reads them."""
        plain = _plain(self._tree)
        return plain if isinstance(plain, dict) else {}


def _expand(node: Any, pattern: Path, done: Path) -> Iterator[Path]:
    if not pattern:
        yield done
        return
    key, *rest = pattern
    if isinstance(node, dict):
        for name in list(node) if key == ANY else [key] if key in node else []:
            yield from _expand(node[name], tuple(rest), (*done, name))


def _is_below(target: str, text: str) -> bool:
    return target == text or target.startswith((f"{text}.", f"{text}["))


def _stored(node: Any, pointer: Path) -> Path:
    """Convert a path of `values` to one of the tree, where lists have gaps and duplicates."""
    if not pointer or not isinstance(node, dict):
        return pointer
    key, *rest = pointer
    if _is_list(node) and str(key).isdecimal():
        positions = _distinct(node)
        key = positions[int(key)] if int(key) < len(positions) else key
    return (key, *_stored(node.get(key), tuple(rest)))


def _remove(node: Any, path: Path) -> None:
    key, *rest = path
    if not isinstance(node, dict) or key not in node:
        return
    if rest:
        _remove(node[key], tuple(rest))
    if not rest or node[key] == {}:
        del node[key]


def _is_list(node: dict[Any, Any]) -> bool:
    return bool(node) and all(isinstance(key, int) for key in node)


def _distinct(node: dict[Any, Any]) -> list[int]:
    """The indexes of a list's items, without repeated ones."""
    indexes = sorted(node)
    return [
        index
        for position, index in enumerate(indexes)
        if all(node[index] != node[other] for other in indexes[:position])
    ]


def _plain(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if _is_list(node):
        return [_plain(node[index]) for index in _distinct(node)]
    return {key: _plain(item) for key, item in node.items()}
