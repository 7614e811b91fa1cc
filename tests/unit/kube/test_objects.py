"""Getters for fields of objects of any shape."""

from __future__ import annotations

from typing import Any

import pytest

from vrooli.kube import objects

BODY = {"spec": {"name": "a", "count": 2, "is_on": True, "list": [{"a": 1}, "b", 3]}}


@pytest.mark.parametrize(
    ("path", "text", "number"),
    [("name", "a", 0), ("count", "2", 2), ("is_on", "", 0), ("list", "", 0), ("none", "", 0)],
)
def test_boolean_is_neither_text_nor_a_number(path: str, text: str, number: int) -> None:
    assert objects.text(BODY, "spec", path) == text
    assert objects.number(BODY, "spec", path) == number


def test_lists_are_read_by_the_type_of_their_items() -> None:
    assert objects.items(BODY, "spec", "list") == [{"a": 1}]
    assert objects.texts(BODY, "spec", "list") == ["b"]


@pytest.mark.parametrize("body", [None, 7, [], {"metadata": None}, {"metadata": {"labels": [1]}}])
def test_what_is_missing_or_malformed_is_empty(body: Any) -> None:
    assert objects.labels(body) == {}
    assert objects.annotations_of(body) == {}
    assert list(objects.owners(body)) == []
    assert objects.name(body) == ""
    assert not objects.is_deleted(body)


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ({}, True),
        (None, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "db"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
        ({"matchExpressions": [{"key": "app", "operator": "Near"}]}, False),
    ],
)
def test_label_selector_matches_labels(selector: Any, matches: bool) -> None:
    assert objects.matches_selector(selector, {"app": "web"}) is matches


def test_empty_selector_of_a_service_selects_nothing() -> None:
    assert not objects.selects({}, {"app": "web"})
    assert objects.selects({"app": "web"}, {"app": "web", "tier": "front"})
