"""What a deploy says that it will change."""

from __future__ import annotations

from typing import Any

from vrooli.chart.manifest import Manifest, of
from vrooli.redaction import MASK
from vrooli.release.changes import Act, FieldChange, changes


def _object(kind: str = "Deployment", name: str = "server", **more: Any) -> Manifest:
    return of({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **more}, "somewhere")


def _containers(*items: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"containers": list(items)}}


def test_what_comes_and_goes_is_named_and_what_stays_is_not() -> None:
    stays = _object(name="stays")
    found = changes([_object(name="new"), stays], [_object(name="old"), stays])
    assert [(change.key, change.act) for change in found] == [
        ("Deployment/new", Act.ADD),
        ("Deployment/old", Act.REMOVE),
    ]


def test_a_changed_field_is_told_with_its_place_and_both_values() -> None:
    before = _object(**_containers({"name": "server", "image": "server:1"}))
    after = _object(**_containers({"name": "server", "image": "server:2"}))
    (change,) = changes([after], [before])
    assert change.fields == (FieldChange("spec.containers[server].image", "server:1", "server:2"),)


def test_a_container_before_the_others_moves_none_of_them() -> None:
    server = {"name": "server", "image": "server:1"}
    before, after = _containers(server), _containers({"name": "proxy", "image": "p"}, server)
    (change,) = changes([_object(**after)], [_object(**before)])
    assert [field.path for field in change.fields] == ["spec.containers[proxy]"]


def test_no_value_of_a_secret_is_shown_but_its_labels_are() -> None:
    before = _object("Secret", data={"password": "b2xk"}, stringData={"a": "old"})
    after = of(
        {
            **before.body,
            "metadata": {"name": "server", "labels": {"tier": "data"}},
            "data": {"password": "bmV3"},
            "stringData": {"a": "new", "b": "more"},
        },
        "somewhere",
    )
    (change,) = changes([after], [before])
    assert {field.path: (field.before, field.after) for field in change.fields} == {
        "data.password": (MASK, MASK),
        "stringData.a": (MASK, MASK),
        "stringData.b": (None, MASK),
        "metadata.labels": (None, "{'tier': 'data'}"),
    }


def test_a_long_text_is_cut() -> None:
    (change,) = changes([_object(text="a\nb" + "c" * 500)], [_object(text="short")])
    (field,) = change.fields
    assert field.after is not None
    assert field.after.startswith("a bccc")
    assert field.after.endswith("…")
    assert len(field.after) <= 120
