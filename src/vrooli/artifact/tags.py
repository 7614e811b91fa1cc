"""Sets tags in the text of a values file without changing any other character."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import helm_python
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node

from vrooli.errors import UsageError

# The values with the tags of the images that are built from this repository.
TAGS = {
    "ui": ("services", "ui", "tag"),
    "server": ("services", "server", "tag"),
    "jobs": ("services", "jobs", "tag"),
    "rotator": ("rotation", "tag"),
}
SERVICES = tuple(TAGS)
# The content of a text that is not YAML; not equal to any other value.
_INVALID = object()


def set_tags(text: str, version: str, name: str) -> str:
    """The text of a values file with the version as the tag of each service of this repository.

    Comments, order, quotes and line ends stay the same. Only the characters of the tags are
    replaced; a missing tag is inserted as the first key of its service.

    Args:
        text: The file's text, valid YAML.
        version: The tag.
        name: The file's name, for errors.

    Raises:
        UsageError: Writing a tag would also change another value.
    """
    changed = text
    for path in TAGS.values():
        changed = _set(changed, path, f'"{version}"')
    if _load(changed) != _expected_values(text, version):
        raise UsageError(
            f"The tags can't be written into {name}: its services share parts by YAML anchors "
            "or are not mappings.",
            "Give each of ui, server, jobs and rotation its own mapping with a tag.",
        )
    return changed


def _load(text: str) -> Any:
    try:
        return helm_python.values_from_yaml(text)
    except helm_python.HelmError:
        return _INVALID


def _expected_values(text: str, version: str) -> dict[str, Any] | None:
    """The content that the changed text must have."""
    values = _load(text) or {}
    for path in TAGS.values():
        values = _with(values, path, version)
    return values if isinstance(values, dict) else None


def _with(values: Any, path: Sequence[str], value: str) -> Any:
    """The values with one key added; if its parent is not a mapping, they equal no other value."""
    if not path:
        return value
    if not isinstance(values or {}, dict):
        return _INVALID
    present = values or {}
    return {**present, path[0]: _with(present.get(path[0]), path[1:], value)}


def _set(text: str, path: Sequence[str], value: str) -> str:
    node = YAML(typ="safe", pure=True).compose(text)
    if not isinstance(node, MappingNode):  # an empty file, or comments only
        return text.rstrip("\n") + f"\n{_nested(path, value)}\n"
    for depth, name in enumerate(path):
        key, value_node = _entry(node, name)
        if key is None or value_node is None:
            return _insert(text, node, _nested(path[depth:], value))
        if not isinstance(value_node, MappingNode):
            rest = path[depth + 1 :]
            return _replace(
                text, key, value_node, "{" + _nested(rest, value) + "}" if rest else value
            )
        node = value_node
    return text


def _nested(path: Sequence[str], value: str) -> str:
    """One line that sets a nested key: ``services: {ui: {tag: "1"}}``."""
    *outer, last = path
    return "".join(f"{key}: {{" for key in outer) + f"{last}: {value}" + "}" * len(outer)


def _entry(node: MappingNode, name: str) -> tuple[Node | None, Node | None]:
    return next(((key, value) for key, value in node.value if key.value == name), (None, None))


def _insert(text: str, node: MappingNode, entry: str) -> str:
    """Insert an entry before the first one of a mapping."""
    if not node.value:  # only {} is without entries
        return text[: node.start_mark.index] + "{" + entry + "}" + text[node.end_mark.index :]
    mark = node.value[0][0].start_mark
    between = ", " if node.flow_style else "\n" + " " * mark.column
    return text[: mark.index] + entry + between + text[mark.index :]


def _replace(text: str, key: Node, node: Node, value: str) -> str:
    start, end = node.start_mark.index, node.end_mark.index
    if start == end:  # no value at all: its marks are at the next token
        start = end = text.index(":", key.end_mark.index) + 1
        value = f" {value}"
    return text[:start] + value + text[end:]
