"""The text of a values file: where its keys are, and what Helm would change silently.

ruamel.yaml provides only the positions. What a key or a scalar means is asked from Helm's reader,
since YAML 1.1 and 1.2 differ: ``on`` is true and 0755 is 493 in Helm.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import helm_python
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

# Helm's templates get every number as a float64, which holds integers exactly below this.
EXACT_BELOW = 2**53
MERGE_KEY = "<<"
_TAG = re.compile(r"(?:&\S+\s+)?(![^\s,\]}]*)")
_CORE_TAGS = frozenset(
    f"!!{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")
)
_OTHER_VERSION = re.compile(r"^%YAML\s+(?!1\.1\s*$)", re.MULTILINE)
_HELM_LINE = re.compile(r"yaml: line (\d+): ")
# The meaning of a scalar that Helm refuses: infinite, or not a number.
REFUSED = object()


class ValuesSyntaxError(Exception):
    """The text is not YAML; the message has the position and none of the text."""


@dataclass(frozen=True)
class Problem:
    """A value that Helm would refuse or change silently.

    Attributes:
        text: Line, key and problem, without the value.
        advice: What to do.
        duplicate: The path of a key that occurs twice; Helm uses the last one.
    """

    text: str
    advice: str
    duplicate: tuple[str, ...] = ()


def parse(text: str) -> ValuesSource:
    """The source of a values file.

    Raises:
        ValuesSyntaxError: It is not one YAML document.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an anchor that is defined again is valid
            return ValuesSource(text, YAML(typ="safe", pure=True).compose(text))
    except RecursionError as error:
        raise ValuesSyntaxError("it is nested too deeply") from error
    except MarkedYAMLError as error:
        raise ValuesSyntaxError(_format_position(error)) from error
    except YAMLError as error:
        raise ValuesSyntaxError(str(error).splitlines()[0]) from error


@dataclass(frozen=True)
class ValuesSource:
    """The text and its nodes.

    Attributes:
        text: The text.
        root: Its only document; None if it is empty.
    """

    text: str
    root: Node | None

    @property
    def kind(self) -> str:
        """The type of the document: mapping, list, scalar, or null."""
        if isinstance(self.root, MappingNode):
            return "mapping"
        if isinstance(self.root, SequenceNode):
            return "list"
        if self.root is None or self.meaning(self.root) is None:
            return "null"
        return "scalar"

    def problems(self) -> Iterator[Problem]:
        """What Helm would refuse or change silently, in the order of the text."""
        if directive := _OTHER_VERSION.search(self.text):
            line = self.text.count("\n", 0, directive.start()) + 1
            yield Problem(f"line {line}: Helm reads YAML 1.1 only", "Remove the %YAML directive.")
        yield from self._problems(self.root, (), set())

    def meaning(self, node: Node) -> Any:
        """The value of a scalar in Helm, or `REFUSED`."""
        is_block = isinstance(node, ScalarNode) and node.style in ("|", ">")
        return node.value if is_block else _meaning(self._slice(node))

    def refused_line(self, detail: str) -> str:
        """Helm's position of an error, such as ", line 3"; empty if it has none."""
        match = _HELM_LINE.search(detail)
        return f", line {match[1]}" if match else ""

    def _problems(
        self, node: Node | None, path: tuple[str, ...], done: set[int]
    ) -> Iterator[Problem]:
        if node is None or id(node) in done:  # an alias
            return
        done.add(id(node))
        tag = _TAG.match(self.text, node.start_mark.index)
        if tag and tag[1] not in _CORE_TAGS:
            text = f"the tag {tag[1]} is not supported"
            yield _problem(node, path, text, "Write the value without a tag.")
        elif isinstance(node, MappingNode):
            yield from self._mapping_problems(node, path, done)
        elif isinstance(node, SequenceNode):
            for index, item in enumerate(node.value):
                yield from self._problems(item, (*path, str(index)), done)
        else:
            yield from self._scalar_problems(node, path)

    def _mapping_problems(
        self, node: MappingNode, path: tuple[str, ...], done: set[int]
    ) -> Iterator[Problem]:
        names: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, ScalarNode) or (named := self._name(key)) is None:
                yield _problem(key, path, "a key is not a string", "Put the key in quotes.")
                continue
            if named == MERGE_KEY:
                if not _is_mergeable(value):
                    text = "only a mapping can be merged"
                    yield _problem(key, path, text, "Correct the value of the key <<.")
            elif named in names:
                text = f'duplicate key "{named}"'
                problem = _problem(key, path, text, "Keep one of the two.")
                yield replace(problem, duplicate=(*path, named))
            names.add(named)
            yield from self._problems(value, (*path, named), done)

    def _scalar_problems(self, node: Node, path: tuple[str, ...]) -> Iterator[Problem]:
        value = self.meaning(node)
        if value is REFUSED:
            yield _problem(node, path, "Helm cannot read this value", "Put it in quotes.")
        elif isinstance(value, int | float) and abs(value) >= EXACT_BELOW:
            text = "Helm rounds a number of this size"
            yield _problem(node, path, text, "Put it in quotes.")

    def _name(self, key: Node) -> str | None:
        """A key as Helm names it: ``on`` is "true"."""
        name = self.meaning(key)
        if name is REFUSED or name is None:
            return None
        return name if isinstance(name, str) else _key_name(self._slice(key))

    def _slice(self, node: Node) -> str:
        return self.text[node.start_mark.index : node.end_mark.index]


def _is_mergeable(node: Node) -> bool:
    if isinstance(node, SequenceNode):
        return all(isinstance(item, MappingNode) for item in node.value)
    return isinstance(node, MappingNode)


@lru_cache(maxsize=4096)
def _meaning(scalar: str) -> Any:
    indented = scalar.replace("\n", "\n ")  # a scalar of several lines continues the value
    try:
        return helm_python.values_from_yaml(f"value: {indented}\n")["value"]
    except helm_python.HelmError:
        return REFUSED


def _key_name(scalar: str) -> str | None:
    try:
        return next(iter(helm_python.values_from_yaml(f"{scalar}: 0\n")))
    except helm_python.HelmError:
        return None


def _problem(node: Node, path: tuple[str, ...], text: str, advice: str) -> Problem:
    mark = node.start_mark
    key = f"{'.'.join(path)}: " if path else ""
    return Problem(f"line {mark.line + 1}, column {mark.column + 1}: {key}{text}", advice)


def _format_position(error: MarkedYAMLError) -> str:
    problem = str(error.problem).splitlines()[0]
    if problem.startswith("but found another"):
        problem = "a second document begins here; Helm reads only the first"
    mark = error.problem_mark
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else problem
