"""A rollback that lacks an image says what brings that one, not how to build another."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vrooli.checks import preflight
from vrooli.checks.images import local as images_local
from vrooli.checks.images import registry
from vrooli.events import Progress
from vrooli.findings import Finding
from vrooli.release import lease
from vrooli.release.model import Release, Revision
from vrooli.release.records.storage import ReleaseRecord
from vrooli.workflows.deploys import rollback
from vrooli.workflows.safeguards import deployable

TO = Revision(3, "superseded", "vrooli-1.2.0", datetime(2026, 1, 1, tzinfo=UTC))
RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
CLASS = Finding("storage", "StorageClass/fast", "it isn't there.", "Make it.")


@pytest.fixture
def unsuitable_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster that lacks a local image, one of a registry, and a storage class."""
    local = images_local.judge(["localhost/vrooli/ui:dev-1"], []).findings
    pulled = registry.refusal("docker.io/someone/ui:1", registry.CLOSED)

    async def run_status(*_: object, **__: object) -> list[Finding | None]:
        return [*local, pulled, CLASS]

    async def free(*_: object) -> None:
        """Nobody is at work."""

    monkeypatch.setattr(preflight, "run", run_status)
    monkeypatch.setattr(lease, "demand_free", free)


async def _no_images() -> set[str]:
    return set()


@pytest.mark.usefixtures("unsuitable_cluster")
async def test_a_rollback_names_the_artifact_of_its_revision() -> None:
    cluster = SimpleNamespace(kind="embedded", images=_no_images)
    stub: Any = SimpleNamespace(kube=None, cluster=cluster)
    nothing: Any = None
    run = rollback._Run(nothing, stub, RELEASE, ReleaseRecord(TO), nothing)
    with pytest.raises(preflight.NotDeployableError) as refused:
        await run.check(Progress())
    message = str(refused.value)
    assert message.count("Deploy the artifact of revision 3 (vrooli-1.2.0)") == 2
    assert images_local.BUILD not in message
    assert str(CLASS) in message


@pytest.mark.usefixtures("unsuitable_cluster")
async def test_a_deploy_names_the_command_that_builds_images() -> None:
    nothing: Any = None
    with pytest.raises(preflight.NotDeployableError) as refused:
        await deployable.demand(nothing, RELEASE, (), (), "embedded")
    assert str(refused.value).count(images_local.BUILD) == 2
