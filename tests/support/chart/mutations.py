"""Breaking the schema's rules one by one, in values that were right before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft7Validator

from support.chart.schema import Node, resolve, whole
from support.chart.value_rules import DEFAULTS, Values
from vrooli.chart import values

Place = tuple[str | int, ...]
UNKNOWN = "no such key"
# Texts that one pattern or another doesn't match.
TEXTS = ("", " ", "%%", "a b", "UPPER_", "a\n", "-", "é", "0" * 300, "/", "//", "..")


@dataclass(frozen=True)
class Rule:
    """One rule of the schema, at one place in a set of values.

    Attributes:
        place: Keys and indexes that lead there.
        keyword: The rule, such as maximum.
        node: What the schema says of that place.
        value: What is there, and right.
    """

    place: Place
    keyword: str
    node: Node
    value: Any

    @property
    def text(self) -> str:
        """The identity of the rule, independent of its place."""
        return f"{self.keyword}: {json.dumps(self.node, sort_keys=True)}"

    @property
    def pointer(self) -> str:
        """Its place as Helm writes it."""
        return "/" + "/".join(str(key).replace("~", "~0").replace("/", "~1") for key in self.place)


@dataclass(frozen=True)
class Broken:
    """Values in which one rule is broken, and what the refusal must name."""

    rule: Rule
    values: Values
    names: str


def rules(supplied: Values) -> Iterator[Rule]:
    """Every rule that holds somewhere in a set of values over the chart's own."""
    yield from _rules(whole(), values.merge(DEFAULTS, supplied), ())


def _rules(node: Node, value: Any, place: Place) -> Iterator[Rule]:
    node = resolve(node)
    for keyword in _BREAKERS.keys() & node.keys():
        yield Rule(place, keyword, node, value)
    if isinstance(value, dict):
        for key, below in value.items():
            if (inner := _node_of(node, key)) is not None:
                yield from _rules(inner, below, (*place, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _rules(node["items"], item, (*place, index))


def _node_of(node: Node, key: str) -> Node | None:
    if key in node.get("properties", {}):
        result: Node = node["properties"][key]
        return result
    patterns = list(node.get("patternProperties", {}).values())
    return patterns[0] if patterns else None


def breaks(supplied: Values, rule: Rule) -> Iterator[Broken]:
    """The ways to break a rule in a set of values."""
    for wrong, name in _BREAKERS[rule.keyword](rule.node, rule.value):
        changed = _replaced(supplied, values.merge(DEFAULTS, supplied), rule.place, wrong)
        below = name.startswith("/")
        yield Broken(rule, changed, name if name and not below else f"at '{rule.pointer}{name}'")


def _replaced(supplied: Any, shown: Any, place: Place, wrong: Any) -> Any:
    """The overriding values with something else at a place; lists are given whole."""
    if not place:
        return wrong
    key, *rest = place
    if isinstance(shown, list):
        return [
            _replaced(item, item, tuple(rest), wrong) if index == key else item
            for index, item in enumerate(shown)
        ]
    below = supplied.get(key, {} if isinstance(shown[key], dict) else shown[key])
    return {**supplied, key: _replaced(below, shown[key], tuple(rest), wrong)}


# Each gives wrong values and, where it isn't the place itself, what the refusal names: a word, or
# a key below the place (/key).
Breaker = Callable[[Node, Any], Iterator[tuple[Any, str]]]


def _type(node: Node, value: Any) -> Iterator[tuple[Any, str]]:
    if isinstance(value, dict):
        return  # Helm itself passes over anything that isn't a map where the chart has one
    right = Draft7Validator({"type": node["type"]})
    for wrong in (True, 7, 1.5, "text", ["item"], {"key": 1}):
        if not right.is_valid(wrong):
            yield wrong, ""


def _enum(_node: Node, _value: Any) -> Iterator[tuple[Any, str]]:
    yield "no-such-choice", ""


def _const(node: Node, _value: Any) -> Iterator[tuple[Any, str]]:
    yield not node["const"], ""


def _pattern(node: Node, value: Any) -> Iterator[tuple[Any, str]]:
    if isinstance(value, str):
        right = Draft7Validator({"pattern": node["pattern"].removesuffix("$") + r"\Z"})
        for wrong in (*TEXTS, f"{value} ", f" {value}", f"{value}\n"):
            if not right.is_valid(wrong):
                yield wrong, ""


def _minimum(node: Node, value: Any) -> Iterator[tuple[Any, str]]:
    if not isinstance(value, str):
        yield node["minimum"] - 1, ""


def _maximum(node: Node, value: Any) -> Iterator[tuple[Any, str]]:
    if not isinstance(value, str):
        yield node["maximum"] + 1, ""


def _max_length(node: Node, _value: Any) -> Iterator[tuple[Any, str]]:
    yield "a" * (node["maxLength"] + 1), ""


def _min_length(_node: Node, _value: Any) -> Iterator[tuple[Any, str]]:
    yield "", ""


def _min_items(node: Node, value: Any) -> Iterator[tuple[Any, str]]:
    if node["minItems"]:
        yield value[: node["minItems"] - 1], ""


def _max_items(node: Node, value: Any) -> Iterator[tuple[Any, str]]:
    if value:
        yield (value * (node["maxItems"] + 1))[: node["maxItems"] + 1], ""


def _unique(_node: Node, value: Any) -> Iterator[tuple[Any, str]]:
    if value:
        yield [*value, value[0]], ""


def _unknown_key(_node: Node, value: Any) -> Iterator[tuple[Any, str]]:
    yield {**value, UNKNOWN: "x"}, UNKNOWN


def _too_many_keys(_node: Node, value: Any) -> Iterator[tuple[Any, str]]:
    yield {**value, "key": "x"}, ""


def _required(node: Node, value: Any) -> Iterator[tuple[Any, str]]:
    for key in node["required"]:
        if key in value:
            # Helm deletes a key whose value is null, and so does this in lists.
            yield {**value, key: None}, key


def _reserved(node: Node, value: Any) -> Iterator[tuple[Any, str]]:
    for key in node["reserved"]:
        yield {**value, key: "x"}, f"/{key}"


_BREAKERS: Mapping[str, Breaker] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "minimum": _minimum,
    "maximum": _maximum,
    "minLength": _min_length,
    "maxLength": _max_length,
    "minItems": _min_items,
    "maxItems": _max_items,
    "uniqueItems": _unique,
    "additionalProperties": _unknown_key,
    "maxProperties": _too_many_keys,
    "required": _required,
    "reserved": _reserved,
}
