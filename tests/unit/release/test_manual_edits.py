"""Which fields of an object people added by hand, as the API server's notes tell."""

from __future__ import annotations

from typing import Any

import pytest

from vrooli.chart import manifest
from vrooli.redaction import MASK, Redactor
from vrooli.release.drift import manual_edits
from vrooli.release.drift.diff import FieldChange

WHEN = "2026-11-28T12:00:00Z"
ITEM = 'k:{"name":"server"}'
PORT = 'k:{"containerPort":80,"protocol":"TCP"}'
DESIRED: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "a"},
    "spec": {
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "server",
                        "image": "x:1",
                        "env": [{"name": "A", "value": "1"}],
                        "ports": [{"containerPort": 80}],
                    }
                ]
            }
        }
    },
}
OURS: dict[str, Any] = {
    "f:spec": {
        "f:template": {
            "f:spec": {
                "f:containers": {
                    ITEM: {
                        ".": {},
                        "f:name": {},
                        "f:image": {},
                        "f:env": {'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}}},
                        "f:ports": {PORT: {".": {}, "f:containerPort": {}}},
                    }
                }
            }
        }
    }
}


def _container(fields: Any) -> Any:
    return {"f:spec": {"f:template": {"f:spec": {"f:containers": {ITEM: fields}}}}}


def _entry(fields: Any, manager: str = "kubectl-edit", **more: str) -> dict[str, Any]:
    message = {"manager": manager, "operation": "Update", "apiVersion": "apps/v1", "time": WHEN}
    return {**message, "fieldsV1": fields, **more}


def _live(*entries: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """The object with one more variable, one label and a port's name, signed so."""
    container = {
        **DESIRED["spec"]["template"]["spec"]["containers"][0],
        "env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
        "ports": [{"containerPort": 80, "protocol": "TCP", "name": "web"}],
    }
    return {
        **DESIRED,
        "metadata": {
            "name": "a",
            "labels": {"team": "x"},
            "annotations": {"kubectl.kubernetes.io/restartedAt": WHEN},
            "managedFields": [_entry(OURS, "vrooli", operation="Apply"), *entries],
        },
        "spec": {"template": {"spec": {"containers": [container]}}, **spec},
    }


def _added(*entries: dict[str, Any], **spec: Any) -> dict[str, FieldChange]:
    result = manual_edits.added(
        manifest.from_body(DESIRED, "dev"), _live(*entries, **spec), Redactor()
    )
    return {field.path: field for field in result}


VARIABLE: dict[str, Any] = {"f:env": {'k:{"name":"B"}': {".": {}, "f:name": {}, "f:value": {}}}}
ENV = "spec.template.spec.containers[server].env[B]"


def test_a_variable_is_reported_completely_with_its_tool_and_time() -> None:
    (field,) = _added(_entry(_container(VARIABLE))).values()
    assert (field.path, field.after, field.manager) == (ENV, None, "kubectl-edit")
    assert field.since is not None
    assert field.since.isoformat() == "2026-11-28T12:00:00+00:00"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"f:metadata": {"f:labels": {".": {}, "f:team": {}}}}, "metadata.labels.team"),
        (
            _container({"f:ports": {PORT: {"f:name": {}}}}),
            "spec.template.spec.containers[server].ports[web].name",
        ),
        ({"f:spec": {"f:paused": {}}}, "spec.paused"),
    ],
)
def test_labels_parts_of_items_and_plain_fields_are_reported(fields: Any, path: str) -> None:
    assert list(_added(_entry(fields), paused=True)) == [path]


@pytest.mark.parametrize(
    "entry",
    [
        _entry(_container(VARIABLE), "kube-controller-manager"),
        _entry(_container(VARIABLE), "postgrescluster-controller"),
        _entry(_container(VARIABLE), subresource="status"),
        _entry(_container(VARIABLE), subresource="scale"),
        _entry(_container({"f:image": {}})),
        _entry({"f:spec": {"f:replicas": {}}}),
        _entry({"f:metadata": {"f:annotations": {"f:kubectl.kubernetes.io/restartedAt": {}}}}),
        _entry({"f:metadata": {"f:finalizers": {".": {}}}}),
        _entry({"f:spec": {"f:gone": {}}}),
    ],
    ids=lambda entry: f"{entry['manager']} {list(entry['fieldsV1'])} {entry.get('subresource')}",
)
def test_what_is_no_persons_addition(entry: dict[str, Any]) -> None:
    assert _added(entry, replicas=3) == {}


def test_a_field_that_a_controller_owns_too_stays() -> None:
    both = _entry(_container(VARIABLE)), _entry(_container(VARIABLE), "injector")
    assert _added(*both) == {}


def test_a_secret_value_is_masked() -> None:
    expected = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "data": {"a": "eA=="},
    }
    entry = _entry({"f:data": {"f:b": {}}}, apiVersion="v1")
    live = {
        **expected,
        "data": {"a": "eA==", "b": "c2VjcmV0"},
        "metadata": {"name": "s", "managedFields": [entry]},
    }
    (field,) = manual_edits.added(manifest.from_body(expected, "dev"), live, Redactor())
    assert (field.path, field.before) == ("data.b", MASK)


def test_what_is_used_and_what_is_left_are_all_that_was_signed() -> None:
    fields = _container({"f:image": {}, **VARIABLE})
    (hand,) = manual_edits.hands(manifest.from_body(DESIRED, "dev"), _live(_entry(fields)))
    assert hand.taken_over == _container(VARIABLE)
    assert hand.remaining == _container({"f:image": {}})


@pytest.mark.parametrize(
    ("body", "wanted", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({}, {"a": 1}, [("a",)]),
        ({}, {"a": False, "b": {}, "c": [], "d": None}, []),
        ({"a": 2}, {"a": 1}, []),
        ({"e": [{"name": "x"}]}, {"e": [{"name": "x"}, {"name": "y"}]}, [("e", "y")]),
        ({"e": [{"name": "y"}, {"name": "x"}]}, {"e": [{"name": "x"}, {"name": "y"}]}, []),
        ({"e": [{"name": "x"}]}, {"e": [{"name": "x", "value": "1"}]}, [("e", "x", "value")]),
        ({"e": ["a"]}, {"e": ["a", "b"]}, [("e",)]),
        ({"e": []}, {"e": [{"name": "x"}]}, [("e", "x")]),
    ],
)
def test_what_is_missing(body: Any, wanted: Any, expected: list[tuple[str, ...]]) -> None:
    assert list(manual_edits.missing_paths(body, wanted)) == expected
