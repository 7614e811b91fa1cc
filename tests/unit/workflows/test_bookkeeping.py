"""A release that is healthy stays so when its bookkeeping fails."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from vrooli.chart.engine import Rendering
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import VrooliError
from vrooli.events import Progress
from vrooli.kube import ApiError, Kube
from vrooli.release import Release
from vrooli.release.apply import Applied
from vrooli.release.records import bookkeeping
from vrooli.release.rollout import context
from vrooli.steps import Done
from vrooli.workflows import deploy_run
from vrooli.workflows.options import DeployOptions

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
HEALTHY = Done(changed=True, detail="all of it is ready")


@dataclass
class Server:
    """Stands for an API server that refuses its first requests."""

    refusals: list[VrooliError] = field(default_factory=list)
    labels: dict[str, str] = field(
        default_factory=lambda: {"version": "1", "vrooli.com/revision": "1"}
    )

    async def list(self, *words: str, names_only: bool = False) -> list[dict[str, Any]]:
        return [{"metadata": {"labels": self.labels}}]

    async def patch(self, *words: Any) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.labels = {**self.labels, **words[4]["metadata"]["labels"]}


def _noted(server: Server) -> Done:
    return asyncio.run(bookkeeping.record_healthy(cast(Kube, server), RELEASE, HEALTHY, 1))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bookkeeping, "PAUSES_S", (0.0, 0.0))


def _busy() -> ApiError:
    return ApiError("patch it", 429, "the server\nis busy")


def test_an_error_that_passes_is_not_mentioned() -> None:
    server = Server([_busy(), _busy()])
    assert _noted(server) == HEALTHY
    assert server.labels["vrooli.com/ready"] == "1"


def test_an_error_that_stays_is_mentioned_and_ends_nothing() -> None:
    done = _noted(Server([_busy(), _busy(), _busy()]))
    assert done.changed
    assert done.detail == (
        "all of it is ready; could not be marked as ready: "
        "The API server refused to patch it: the server is busy"
    )


def test_a_missing_right_is_not_requested_for_again() -> None:
    server = Server([ApiError("patch it", 403, "no"), _busy()])
    assert _noted(server).detail.endswith("refused to patch it: no")
    assert len(server.refusals) == 1


def test_a_server_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bookkeeping, "LIMIT_S", 0.05)

    async def prune(kube: Kube, release: Release) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(bookkeeping.retention, "prune", prune)
    assert "old revisions could not be deleted: no answer within" in _noted(Server()).detail


def test_a_deploy_that_is_healthy_does_not_fail_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def until_ready(*words: object, **more: object) -> Done:
        return HEALTHY

    monkeypatch.setattr(deploy_run.wait, "until_ready", until_ready)
    run = object.__new__(deploy_run.DeployRun)
    run.options = DeployOptions(ENVIRONMENTS["dev"])
    cluster = SimpleNamespace(kubeconfig=RELEASE.kubeconfig)
    server = Server([_busy(), _busy(), _busy()])
    run.reached = cast(Any, SimpleNamespace(kube=server, cluster=cluster))
    run.rendering = Rendering({}, "dev")
    run.applied, run.began = Applied(changed=True, revision=1), context.EPOCH
    assert "could not be marked as ready" in asyncio.run(run.follow(Progress())).detail
