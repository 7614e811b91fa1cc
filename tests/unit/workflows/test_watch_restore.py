"""The end of `develop --watch`: the built images run again, unless another deploy has ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster
from support.fakes.healthy_cluster import add_release
from vrooli.development import overlay
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import WaitTimeoutError
from vrooli.events import Event
from vrooli.release import Release, process_identity
from vrooli.release.records.metadata import End
from vrooli.workflows.development import overlay as overlay_run
from vrooli.workflows.development.watch import WatchRun
from vrooli.workflows.options import DevelopOptions

DEV = ENVIRONMENTS["dev"]


@pytest.fixture
def deploys(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The deploys under the lock, which nobody else holds."""

    @asynccontextmanager
    async def hold(*words: object) -> AsyncIterator[None]:
        yield

    async def nothing(*words: object) -> None:
        return None

    made: list[str] = []

    async def deploy(*words: object) -> list[object]:
        made.append("deploy")
        return []

    monkeypatch.setattr(overlay_run.lease, "hold", hold)
    monkeypatch.setattr(overlay_run.lease, "demand_free", nothing)
    monkeypatch.setattr(overlay_run.replacement, "check_again", nothing)
    monkeypatch.setattr(WatchRun, "hold", deploy)
    return made


def _run(process: str, events: list[Event]) -> WatchRun:
    """A run that ends while the pods of the newest revision belong to a process."""
    annotations = {overlay.WATCHED_BY: "ada@host, process 7", overlay.PROCESS: process}
    body: dict[str, Any] = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "vrooli-dev-server", "namespace": "dev"},
        "spec": {"template": {"metadata": {"annotations": annotations if process else {}}}},
    }

    @asynccontextmanager
    async def turn(listener: object) -> AsyncIterator[None]:
        yield

    run = object.__new__(WatchRun)
    run.kube = FakeCluster(body)
    add_release(run.kube, Release.of(DEV, Path("kubeconfig")), [body], "deployed", End.READY)
    run.options, run._listener = DevelopOptions(DEV), events.append
    run.choice = cast(Any, SimpleNamespace(turn=turn))
    run.cluster = cast(Any, SimpleNamespace(kubeconfig=Path("kubeconfig")))
    run.applied = cast(Any, SimpleNamespace(revision=1))
    return run


async def test_edited_pods_run_the_built_images_again(deploys: list[str]) -> None:
    events: list[Event] = []
    await _run(process_identity.process(), events).restore()
    assert deploys == ["deploy"]
    assert "These images lack the edits" in str(events[-1])


async def test_a_release_that_others_have_deployed_since_is_left_as_it_is(
    deploys: list[str],
) -> None:
    events: list[Event] = []
    await _run("", events).restore()
    assert deploys == []
    assert "is left as it is" in str(events[-1])


@pytest.mark.usefixtures("deploys")
async def test_a_restore_that_takes_too_long_names_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(*words: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(WatchRun, "hold", never)
    monkeypatch.setattr(overlay_run, "RESTORE_S", 0.05)
    with pytest.raises(WaitTimeoutError, match="did not run the built images") as error:
        await _run(process_identity.process(), []).restore()
    assert "`vrooli develop`" in error.value.advice
