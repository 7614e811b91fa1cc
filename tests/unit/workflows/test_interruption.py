"""The end of an interrupted deploy: the person's answer may come late."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from vrooli.errors import InterruptError
from vrooli.events import Progress, silent
from vrooli.kube import Kube
from vrooli.release import Release, failure_handling, process_identity
from vrooli.release.model import Revision
from vrooli.release.records import storage
from vrooli.steps import Done
from vrooli.workflows.safeguards.consent import Consent
from vrooli.workflows.safeguards.interruption import InterruptedChange

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
TIME = "2026-01-01T00:00:00Z"


class Cluster:
    """Stands for an API server with the release's Lease, and for Helm's notes."""

    def __init__(self) -> None:
        self.holder, self.newest, self.went_back = process_identity.name(), 2, False

    async def get(self, *words: str) -> dict[str, Any]:
        spec = {"holderIdentity": self.holder, "acquireTime": TIME, "renewTime": TIME}
        return {"metadata": {}, "spec": spec}

    async def fetch_revision(self, kube: object, release: Release) -> Revision:
        return _revision(self.newest)

    async def go_back(self, progress: Progress) -> Done:
        self.went_back = True
        return Done(changed=True, detail="is healthy again")


def _revision(number: int) -> Revision:
    return Revision(number, "deployed", "vrooli-1", datetime.now(UTC))


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Revision 2 was made by this process, which holds the Lease."""
    result = Cluster()

    async def mark(*words: object) -> None:
        return

    monkeypatch.setattr(storage, "fetch_revision", result.fetch_revision)
    monkeypatch.setattr(failure_handling, "mark_failed", mark)
    return result


def _ended(cluster: Cluster, **meanwhile: Any) -> InterruptError:
    """What a deploy ends with whose person answers yes, and what happens before the answer."""

    def ask(question: str) -> bool:
        vars(cluster).update(meanwhile)
        return True

    cut = InterruptedChange(
        cast(Kube, cluster), RELEASE, (), {}, _revision(1), cluster.go_back, "vrooli back"
    )
    by_person = asyncio.CancelledError("SIGINT")
    return asyncio.run(cut.end(by_person, silent, Consent(ask=ask)))


def test_a_confirmation_rolls_back(cluster: Cluster) -> None:
    error = _ended(cluster)
    assert error.message == "vrooli-dev is healthy again."
    assert cluster.went_back


@pytest.mark.parametrize("meanwhile", [{"holder": "bob@elsewhere, process 7"}, {"newest": 3}])
def test_a_late_confirmation_does_not_go_back_from_what_another_deploy_made(
    cluster: Cluster, meanwhile: dict[str, Any]
) -> None:
    error = _ended(cluster, **meanwhile)
    assert "Another deploy of vrooli-dev in namespace dev has started since" in error.message
    assert not cluster.went_back
