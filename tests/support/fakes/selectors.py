"""Label and field selectors, as an API server applies them to a list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

_TERMS = re.compile(r",(?![^(]*\))")
_AMONG = re.compile(r"(\S+) in \(([^)]*)\)")
# The fields that an API server selects by, as far as Vrooli uses them.
FIELDS = (
    *("metadata.name", "type", "reason", "source"),
    *("involvedObject.kind", "involvedObject.name", "spec.nodeName", "status.phase"),
)


def has_labels(body: Mapping[str, Any], selector: str) -> bool:
    """Whether an object has the labels of a selector; an empty selector takes all."""
    labels = body["metadata"].get("labels") or {}
    return all(_is_labelled(labels, term) for term in _TERMS.split(selector) if term)


def _is_labelled(labels: Mapping[str, str], term: str) -> bool:
    if among := _AMONG.fullmatch(term):
        return labels.get(among[1]) in among[2].replace(" ", "").split(",")
    key, equals, value = term.partition("=")
    if re.search(r"[\s!()]", term):
        pytest.fail(f"the fake cluster does not know the label selector {term}")
    return labels.get(key) == value if equals else key in labels


def has_fields(body: Mapping[str, Any], selector: str) -> bool:
    """Whether an object has the fields of a selector; an empty selector takes all."""
    return all(_has_field(body, term) for term in selector.split(",") if term)


def _has_field(body: Mapping[str, Any], term: str) -> bool:
    path, operator, expected = re.split("(!?=)", term, maxsplit=1)
    if path not in FIELDS:
        pytest.fail(f"the fake cluster does not know the field selector {term}")
    value: Any = body
    for key in ("source", "component") if path == "source" else path.split("."):
        value = (value or {}).get(key)
    return bool((value == expected) is (operator == "="))
