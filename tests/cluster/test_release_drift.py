"""How a release that people changed by hand differs from what Helm noted."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from vrooli.chart import values
from vrooli.environments import ENVIRONMENTS
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.redaction import Redactor
from vrooli.release import Release, apply, drift, history
from vrooli.release.changes import Act

NUMBERS = count()


@pytest.fixture
def release(bare_kubeconfig: Path) -> Release:
    """A release in a namespace of its own."""
    return Release("demo", f"drift-{next(NUMBERS)}", bare_kubeconfig)


async def test_what_was_changed_or_deleted_by_hand_is_told_and_nothing_else(
    bare_kube: Kube, release: Release
) -> None:
    await apply.ensure(bare_kube, release, values.load(ENVIRONMENTS["dev"]), Progress())
    noted = await history.manifests(release)
    assert await drift.drift(bare_kube, noted, Redactor()) == ()

    scaled = {"spec": {"replicas": 7}}
    await bare_kube.patch("apps/v1", "Deployment", "demo-server", release.namespace, scaled)
    await bare_kube.delete("v1", "Service", "demo-ui", release.namespace)
    label = {"metadata": {"labels": {"owner": "somebody"}}}
    await bare_kube.patch("v1", "Service", "demo-jobs", release.namespace, label)

    found = {change.key: change for change in await drift.drift(bare_kube, noted, Redactor())}
    assert set(found) == {"Deployment/demo-server", "Service/demo-ui"}
    assert found["Service/demo-ui"].act is Act.REMOVE
    (field,) = found["Deployment/demo-server"].fields
    assert (field.path, field.before, field.after) == ("spec.replicas", "1", "7")
