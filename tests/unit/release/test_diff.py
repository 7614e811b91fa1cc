"""What a deploy says that it will change."""

from __future__ import annotations

from typing import Any

import pytest

from support.secrets.canaries import Canary, canaries, leaked
from vrooli.chart.manifest import Manifest, from_body
from vrooli.redaction import MASK, Redactor
from vrooli.release.drift.diff import Act, FieldChange, changes


def _object(kind: str = "Deployment", name: str = "server", **more: Any) -> Manifest:
    return from_body(
        {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **more}, "somewhere"
    )


def _containers(*items: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"containers": list(items)}}


def test_what_is_added_or_removed_is_named_and_what_stays_is_not() -> None:
    stays = _object(name="stays")
    result = changes([_object(name="new"), stays], [_object(name="old"), stays])
    assert [(change.key, change.act) for change in result] == [
        ("Deployment/new", Act.ADD),
        ("Deployment/old", Act.REMOVE),
    ]


def test_a_changed_field_is_reported_with_its_place_and_both_values() -> None:
    before = _object(**_containers({"name": "server", "image": "server:1"}))
    after = _object(**_containers({"name": "server", "image": "server:2"}))
    (change,) = changes([after], [before])
    assert change.fields == (FieldChange("spec.containers[server].image", "server:1", "server:2"),)


def test_a_container_before_the_other_users_moves_none_of_them() -> None:
    server = {"name": "server", "image": "server:1"}
    before, after = _containers(server), _containers({"name": "proxy", "image": "p"}, server)
    (change,) = changes([_object(**after)], [_object(**before)])
    assert [field.path for field in change.fields] == ["spec.containers[proxy]"]


def test_no_value_of_a_secret_is_shown_but_its_labels_are() -> None:
    before = _object("Secret", data={"password": "b2xk"}, stringData={"a": "old"})
    after = from_body(
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


def test_a_long_text_is_truncated() -> None:
    (change,) = changes([_object(text="a\nb" + "c" * 500)], [_object(text="short")])
    (field,) = change.fields
    assert field.after is not None
    assert field.after.startswith("a bccc")
    assert field.after.endswith("…")
    assert len(field.after) <= 120


PLANTED = list(canaries(1))
REDACTOR = Redactor([item.secret + "/+" * ("url" in item.shape) for item in PLANTED if item.known])


@pytest.mark.parametrize("item", PLANTED, ids=lambda item: str(item.shape))
def test_no_planted_secret_is_shown_wherever_it_is(item: Canary) -> None:
    container = {
        "name": "server",
        "args": ["--say", item.text],
        "env": [{"name": "A", "value": item.text}, {"name": "DB_PASSWORD", "value": item.secret}],
    }
    before = _object(data={"a": "x"}, **_containers({"name": "server"}))
    # Behind so much text that the place where long ones are cut is inside the secret.
    data = {"a": item.text, "b": "x" * 60 + item.text, "clientSecret": item.secret}
    after = _object(data=data, **_containers(container))
    for pair in ((before, after), (after, before)):
        (change,) = changes([pair[0]], [pair[1]], REDACTOR)
        assert leaked([item], repr(change)) == []


def test_another_secret_than_before_is_a_change_whose_values_are_masked() -> None:
    env = [{"name": "DB_PASSWORD", "value": "hunter1"}, {"name": "DB_HOST", "value": "db"}]
    other = [{**env[0], "value": "hunter2"}, env[1]]
    before, after = (_object(**_containers({"name": "a", "env": some})) for some in (env, other))
    (change,) = changes([after], [before])
    place = "spec.containers[a].env[DB_PASSWORD].value"
    assert change.fields == (FieldChange(place, MASK, MASK),)
