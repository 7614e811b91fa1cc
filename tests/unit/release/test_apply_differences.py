"""What counts as a change of a release."""

from __future__ import annotations

from vrooli.chart import manifest
from vrooli.chart.manifest import Manifest
from vrooli.release.apply import differences


def settings(name: str, **data: str) -> Manifest:
    """A ConfigMap."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
    return manifest.from_body(body, "here")


def test_added_changed_and_removed_objects_are_named_and_other_users_are_not() -> None:
    desired = [settings("same", a="1"), settings("changed", a="2"), settings("added")]
    recorded = [settings("removed"), settings("changed", a="1"), settings("same", a="1")]
    assert differences(desired, recorded) == [
        "ConfigMap/added",
        "ConfigMap/changed",
        "ConfigMap/removed",
    ]
    assert differences(desired, desired) == []
