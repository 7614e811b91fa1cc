"""The chart's schema, read as a machine does: what is at each key, and values that it accepts."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from jsonschema import Draft7Validator

from vrooli import project

Node = Mapping[str, Any]
Path = tuple[str, ...]
# What a type is when the schema says nothing more of it.
TEXT = st.text(max_size=20)
NUMBER = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
FEW = 3


@functools.cache
def whole() -> Node:
    """The schema."""
    text = (project.chart_dir() / "values.schema.json").read_text(encoding="utf-8")
    result: Node = json.loads(text)
    return result


def resolve(node: Node) -> Node:
    """The node itself: references followed, and what must hold together in one."""
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return resolve(
            {**whole()["definitions"][name], **{k: node[k] for k in node if k != "$ref"}}
        )
    if "type" not in node and "allOf" in node:
        parts = [resolve(part) for part in node["allOf"]]
        own = {key: value for key, value in node.items() if key != "allOf"}
        return _joined(*parts, own)
    return _map(node)


def _joined(*parts: Node) -> Node:
    """What several nodes want; texts are made from the first pattern, and match the others."""
    joined = functools.reduce(lambda one, two: {**one, **two}, parts)
    patterns = [part["pattern"] for part in parts if "pattern" in part]
    if len(patterns) > 1:
        others = [{"pattern": pattern} for pattern in patterns[1:]]
        joined = {**joined, "pattern": patterns[0], "allOf": [*joined.get("allOf", ()), *others]}
    return joined


def _map(node: Node) -> Node:
    """A map of free keys in which some are forbidden: those under a name of their own."""
    defined = node.get("properties", {})
    if not defined or any(below is not False for below in defined.values()):
        return node
    return {**{k: node[k] for k in node if k != "properties"}, "reserved": tuple(defined)}


@functools.cache
def leaves() -> tuple[tuple[Path, Node], ...]:
    """Every key that holds a value, a list or a map, with what the schema says of it."""
    return tuple(_leaves(whole(), ()))


def _leaves(node: Node, path: Path) -> Iterator[tuple[Path, Node]]:
    node = resolve(node)
    if "properties" not in node:
        yield path, node
        return
    for key, below in node["properties"].items():
        yield from _leaves(below, (*path, key))


def accepted(node: Node) -> SearchStrategy[Any]:
    """Values that a single node of the schema accepts."""
    return _accepted(json.dumps(node))


@functools.cache  # Hypothesis takes far longer to make a strategy than to draw from one
def _accepted(text: str) -> SearchStrategy[Any]:
    node = resolve(json.loads(text))
    if "const" in node:
        return st.just(node["const"])
    if "enum" in node:
        return st.sampled_from(node["enum"])
    for choice in ("oneOf", "anyOf"):
        if choice in node:
            return st.one_of([accepted(part) for part in node[choice]])
    kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
    return st.one_of([_OF_KIND[kind](node) for kind in kinds])


def _integer(node: Node) -> SearchStrategy[int]:
    return st.integers(node.get("minimum"), node.get("maximum"))


def _string(node: Node) -> SearchStrategy[str]:
    least, most = node.get("minLength", 0), node.get("maxLength", 10_000)
    if "pattern" not in node:
        return st.text(min_size=least, max_size=min(most, 20 + least))
    others = [
        re.compile(part["pattern"], re.ASCII) for part in node.get("allOf", ()) if "pattern" in part
    ]
    return matching(node["pattern"]).filter(
        lambda text: least <= len(text) <= most and all(other.search(text) for other in others)
    )


@functools.cache
def matching(pattern: str) -> SearchStrategy[str]:
    """Texts that a pattern matches as Helm reads it: `$` is the end of the text, classes ASCII."""
    if pattern.endswith("$") and not pattern.endswith(r"\$"):
        pattern = pattern[:-1] + r"\Z"
    whole_text = pattern.startswith("^") and pattern.endswith(r"\Z")
    return st.from_regex(re.compile(pattern, re.ASCII), fullmatch=whole_text)


def _array(node: Node) -> SearchStrategy[list[Any]]:
    least = node.get("minItems", 0)
    most = min(node.get("maxItems", least + FEW), least + FEW)
    unique = (lambda item: json.dumps(item, sort_keys=True)) if node.get("uniqueItems") else None
    return st.lists(accepted(node["items"]), min_size=least, max_size=most, unique_by=unique)


def _object(node: Node) -> SearchStrategy[dict[str, Any]]:
    if "properties" in node:
        return _closed(node)
    most = min(node.get("maxProperties", FEW), FEW)
    if "patternProperties" in node:
        ((pattern, below),) = node["patternProperties"].items()
        keys, values = matching(pattern), accepted(below)
    else:
        more = node.get("additionalProperties", {"type": ["string", "integer", "boolean"]})
        keys, values = TEXT, accepted(more or {"type": "string"})
    if most == 0:
        return st.just({})
    keys = keys.filter(lambda key: key not in node.get("reserved", ()))
    return st.dictionaries(keys, values, max_size=most)


@st.composite
def _closed(draw: st.DrawFn, node: Node) -> dict[str, Any]:
    each = {key: accepted(below) for key, below in node["properties"].items()}
    needed = set(node.get("required", ()))
    least = node.get("minProperties", 0)
    result = draw(
        st.fixed_dictionaries(
            {key: each[key] for key in each if key in needed},
            optional={key: each[key] for key in each if key not in needed},
        ).filter(lambda result: len(result) >= least)
    )
    conditions = list(_conditions(node, result))
    for then in conditions:
        result = _fitting(draw, node, then, result)
    # What one condition has drawn again may not meet another.
    assume(not conditions or Draft7Validator(_plain(node)).is_valid(result))
    return result


def _conditions(node: Node, candidate: Mapping[str, Any]) -> Iterator[Node]:
    """What else the schema wants of an object that has these values."""
    for part in (node, *node.get("allOf", ())):
        if "if" in part:
            holds = Draft7Validator(part["if"]).is_valid(candidate)
            yield part.get("then" if holds else "else", {})


def _fitting(draw: st.DrawFn, node: Node, then: Node, candidate: dict[str, Any]) -> dict[str, Any]:
    """The same object, with those values drawn again that don't do."""
    keys = {*then.get("required", ()), *(then.get("properties", {}).keys() & candidate.keys())}
    for key in sorted(keys):
        narrower = {**resolve(node["properties"][key]), **then.get("properties", {}).get(key, {})}
        if "items" in then.get("properties", {}).get(key, {}):
            items = resolve(node["properties"][key]["items"])
            narrower["items"] = _joined(items, narrower["items"])
        if key not in candidate or not Draft7Validator(_plain(narrower)).is_valid(candidate[key]):
            candidate = {**candidate, key: draw(accepted(narrower))}
    excluded = then.get("not", {}).get("required", ())
    retained = [key for key in candidate if key not in excluded]
    return {key: candidate[key] for key in retained[: then.get("maxProperties", len(retained))]}


def _plain(node: Node) -> Node:
    """A single node with the definitions that it references."""
    return {**node, "definitions": whole()["definitions"]}


_OF_KIND = {
    "boolean": lambda _: st.booleans(),
    "integer": _integer,
    "number": lambda _: NUMBER,
    "string": _string,
    "array": _array,
    "object": _object,
}
