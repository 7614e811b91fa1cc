"""What Helm deletes after a deploy that was killed: it upgrades from the last deployed revision."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.release.records import record
from vrooli.chart import manifest
from vrooli.chart.manifest import Manifest
from vrooli.environments import ENVIRONMENTS
from vrooli.kube import Kube
from vrooli.redaction import Redactor
from vrooli.release import Release
from vrooli.release.drift import comparison
from vrooli.release.drift.diff import Act, ObjectChange
from vrooli.release.records import storage
from vrooli.release.records.storage import ReleaseRecord
from vrooli.workflows import deploy_run
from vrooli.workflows.options import DeployOptions

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))


def _objects(*names: str, kept: str = "") -> tuple[Manifest, ...]:
    """ConfigMaps; the chart keeps one of them."""
    keep = "annotations: {helm.sh/resource-policy: keep}"
    text = "---\n".join(
        "apiVersion: v1\nkind: ConfigMap\n"
        f"metadata: {{name: {name}, {keep if name == kept else ''}}}\n"
        for name in names
    )
    return tuple(manifest.parse(text, RELEASE.namespace))


def _note(status: str, *names: str, number: int = 2) -> ReleaseRecord:
    return record(number, status, _objects(*names))


class Cluster:
    """Stands for an API server that has all objects but those named gone."""

    async def get(self, api: str, kind: str, name: str, namespace: str) -> dict[str, Any] | None:
        return None if name.startswith("gone") else {"metadata": {"name": name}}


def test_what_helm_deletes_of_the_last_deployed_revision_is_reported() -> None:
    had = _objects("cache", "gone", "data", kept="data")
    doing = comparison.preview(
        cast(Kube, Cluster()), (), _note("pending-upgrade"), Redactor(), deployed=had
    )
    result, _ = asyncio.run(doing)
    assert result == (ObjectChange("ConfigMap/cache", Act.REMOVE),)


@pytest.mark.parametrize(
    ("status", "keys"),
    [("deployed", []), ("failed", ["ConfigMap/a"]), ("pending-upgrade", ["ConfigMap/a"])],
)
def test_the_last_deployed_revision_counts_where_it_is_not_the_newest(
    monkeypatch: pytest.MonkeyPatch, status: str, keys: list[str]
) -> None:
    record_ = _note(status)

    async def fetch_records(kube: Kube, release: Release) -> list[ReleaseRecord]:
        return [_note("deployed", "a", number=1), record_]

    monkeypatch.setattr(storage, "fetch_records", fetch_records)
    kube = cast(Kube, None)
    assert [
        item.key for item in asyncio.run(storage.fetch_deployed_manifests(kube, RELEASE, record_))
    ] == keys


@pytest.mark.parametrize(
    ("status", "change"),
    [
        ("deployed", ""),
        (
            "pending-upgrade",
            "deploy vrooli-staging in namespace staging once more, whose revision 2 is "
            "pending-upgrade",
        ),
    ],
)
def test_helm_does_not_act_without_a_confirmation_where_no_object_differs(
    status: str, change: str
) -> None:
    run = object.__new__(deploy_run.DeployRun)
    run.options = DeployOptions(ENVIRONMENTS["staging"])
    run.reached = cast(Any, SimpleNamespace(cluster=SimpleNamespace(kubeconfig=Path("k"))))
    run.changes, run.record = (), _note(status)
    assert run.change == change
