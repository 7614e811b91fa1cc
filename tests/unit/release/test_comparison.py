"""The objects that Helm deletes after a killed deploy: it upgrades from the last deployed one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster
from support.release.records import helm_secret, record
from vrooli.chart import manifest
from vrooli.chart.manifest import Manifest
from vrooli.environments import ENVIRONMENTS
from vrooli.redaction import Redactor
from vrooli.release import Release
from vrooli.release.drift import comparison
from vrooli.release.drift.diff import Act, ObjectChange
from vrooli.release.records import storage
from vrooli.release.records.storage import ReleaseRecord
from vrooli.workflows.deploys import run as deploy_run
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


def _record(status: str, *names: str, number: int = 2) -> ReleaseRecord:
    return record(number, status, _objects(*names))


async def test_what_helm_deletes_of_the_last_deployed_revision_is_reported() -> None:
    deployed = _objects("cache", "gone", "data", kept="data")
    cluster = FakeCluster(*(item.body for item in deployed if item.name != "gone"))
    result, _ = await comparison.preview(
        cluster, (), _record("pending-upgrade"), Redactor(), deployed=deployed
    )
    assert result == (ObjectChange("ConfigMap/cache", Act.REMOVE),)


@pytest.mark.parametrize(
    ("status", "keys"),
    [("deployed", []), ("failed", ["ConfigMap/a"]), ("pending-upgrade", ["ConfigMap/a"])],
)
async def test_the_last_deployed_revision_counts_if_it_is_not_the_newest(
    status: str, keys: list[str]
) -> None:
    newest, older = _record(status, "b"), _record("deployed", "a", number=1)
    cluster = FakeCluster(helm_secret(RELEASE, newest), helm_secret(RELEASE, older))
    result = await storage.fetch_deployed_manifests(cluster, RELEASE, newest)
    assert [item.key for item in result] == keys


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
def test_a_deploy_that_changes_no_object_is_confirmed_too(status: str, change: str) -> None:
    run = object.__new__(deploy_run.DeployRun)
    run.options = DeployOptions(ENVIRONMENTS["staging"])
    run.reached = cast(Any, SimpleNamespace(cluster=SimpleNamespace(kubeconfig=Path("k"))))
    run.changes, run.record = (), _record(status)
    assert run.change == change
