"""What is said of a release's revisions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.secrets.canaries import canaries, leaked
from vrooli.environments import ENVIRONMENTS
from vrooli.events import silent
from vrooli.redaction import Redactor
from vrooli.release.model import Revision
from vrooli.release.records.storage import ReleaseRecord
from vrooli.workflows.deploys import history


@pytest.mark.anyio
async def test_what_helm_reports_of_a_revision_is_reported_without_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    planted = list(canaries(1))
    message = "Upgrade failed: " + "\n".join(item.text for item in planted)
    defined = [item.secret + "/+" * ("url" in item.shape) for item in planted if item.known]

    @asynccontextmanager
    async def connect(cluster: str | None) -> AsyncIterator[Any]:
        yield SimpleNamespace(kube=None, cluster=SimpleNamespace(kubeconfig=Path("kubeconfig")))

    async def fetch_records(kube: object, release: object) -> list[ReleaseRecord]:
        revision = Revision(1, "failed", "vrooli-1.0.0", datetime.now(UTC), message)
        return [ReleaseRecord(revision)]

    async def redactor(kube: object, namespace: str) -> Redactor:
        return Redactor(defined)

    monkeypatch.setattr(history.access, "connect", connect)
    monkeypatch.setattr(history.storage, "fetch_records", fetch_records)
    monkeypatch.setattr(history.secret_redaction, "redactor", redactor)
    (reported,) = (await history.history(ENVIRONMENTS["dev"], None, silent)).revisions
    assert reported.description.startswith("Upgrade failed: ")
    assert leaked(planted, reported.description) == []
