"""A deploy that fails is rolled back, whatever breaks on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn, cast

import pytest

from support.fakes.cluster import FakeCluster
from vrooli.chart.engine import Rendering
from vrooli.diagnosis import failure_report
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import VrooliError
from vrooli.events import Progress, silent
from vrooli.redaction import redactor as redaction
from vrooli.release import failure_handling
from vrooli.release.failure_handling import DeployFailedError
from vrooli.release.records import marks
from vrooli.release.rollout import confirmation
from vrooli.release.rollout.confirmation import FailureConfirmer
from vrooli.release.rollout.failures import PodFailure
from vrooli.steps import Done
from vrooli.workflows.deploys import change
from vrooli.workflows.deploys import run as deploy_run
from vrooli.workflows.options import DeployOptions
from vrooli.workflows.safeguards.consent import CONFIRMED

FAULTS = [
    VrooliError("a pod crashes"),
    RecursionError("maximum recursion depth exceeded"),
    ValueError("no number"),
    OSError(28, "No space left on device"),
    ExceptionGroup("some", [KeyError("metadata"), ValueError("x")]),
]


def _raise(fault: Exception) -> NoReturn:
    raise fault


@pytest.fixture
def rolled_back(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the releases that were rolled back."""
    names: list[str] = []

    @asynccontextmanager
    async def hold(*words: object) -> AsyncIterator[None]:
        yield

    async def nothing(*words: object, **more: object) -> None:
        return None

    async def roll_back(failed: failure_handling.Failed, progress: Progress) -> Done:
        names.append(failed.release.name)
        return Done(changed=True, detail="is healthy again")

    monkeypatch.setattr(change.lease, "hold", hold)
    monkeypatch.setattr(deploy_run.DeployRun, "check_again", nothing)
    monkeypatch.setattr(deploy_run.DeployRun, "before", nothing)
    monkeypatch.setattr(failure_handling.Failed, "roll_back", roll_back)
    missing = VrooliError("no evidence")
    monkeypatch.setattr(failure_report, "examine", lambda *words, **more: _raise(missing))
    return names


async def _deploy(follow: Exception | None = None) -> DeployFailedError:
    """The error of a deploy that fails while it follows the release."""
    run = object.__new__(deploy_run.DeployRun)
    run.options = DeployOptions(ENVIRONMENTS["dev"])
    cluster = SimpleNamespace(kubeconfig=Path("k"))
    run.reached = cast(Any, SimpleNamespace(kube=FakeCluster(), cluster=cluster))
    run.rendering, run.confirmed, run.record = Rendering({}, "dev"), False, None
    run.live = {"Deployment/a": {}}

    async def apply(progress: Progress) -> Done:
        return Done(changed=True)

    async def fail(progress: Progress) -> Done:
        raise follow or VrooliError("a pod crashes")

    object.__setattr__(run, "apply", apply)
    object.__setattr__(run, "follow", fail)
    with pytest.raises(DeployFailedError) as error:
        await run.act(silent, CONFIRMED)
    return error.value


@pytest.mark.anyio
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_any_error_while_the_release_is_followed_rolls_it_back(
    rolled_back: list[str], fault: Exception
) -> None:
    message = (await _deploy(fault)).message
    assert rolled_back == ["vrooli-dev"]
    leaf = fault.exceptions[0] if isinstance(fault, ExceptionGroup) else fault
    assert str(leaf) in message
    assert "vrooli-dev is healthy again." in message


@pytest.mark.anyio
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_a_failure_report_that_breaks_does_not_prevent_the_rollback(
    rolled_back: list[str], fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failure_report, "examine", lambda *words, **more: _raise(fault))
    assert "vrooli-dev is healthy again." in (await _deploy()).message
    assert rolled_back == ["vrooli-dev"]


@pytest.mark.anyio
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_a_revision_that_cannot_be_marked_is_reported_and_rolled_back(
    rolled_back: list[str], fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fetch_revision(*words: object) -> object:
        return SimpleNamespace(number=7)

    async def is_ours(*words: object) -> bool:
        return True

    monkeypatch.setattr(failure_handling.storage, "fetch_revision", fetch_revision)
    monkeypatch.setattr(failure_handling.lease, "is_ours", is_ours)
    monkeypatch.setattr(marks, "mark_failed", lambda *words: _raise(fault))
    message = (await _deploy()).message
    assert rolled_back == ["vrooli-dev"]
    assert "The revision could not be marked as failed: " in message


@pytest.mark.anyio
async def test_a_rollback_that_breaks_is_reported_with_the_first_failure(
    rolled_back: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def roll_back(failed: object, progress: Progress) -> Done:
        raise RecursionError("too deep")

    monkeypatch.setattr(failure_handling.Failed, "roll_back", roll_back)
    message = (await _deploy()).message
    assert message.startswith("a pod crashes\n")
    assert "The rollback failed, too: Internal error: RecursionError: too deep" in message


@pytest.mark.anyio
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_a_log_that_cannot_be_judged_does_not_hide_the_failure(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirmation, "find_cause_line", lambda lines: _raise(fault))
    failure = PodFailure("server-1", "server", "Error", "it crashes")
    first, note = await FailureConfirmer(FakeCluster(), "dev").format_failure(failure)
    assert first == str(failure)
    assert note.startswith("  The log could not be read: ")


@pytest.mark.anyio
async def test_a_redaction_that_breaks_masks_the_line_and_the_deploy_is_rolled_back(
    rolled_back: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redaction.shapes, "mask", lambda text: _raise(RecursionError("deep")))
    message = (await _deploy(VrooliError("password=hunter2 is wrong"))).message
    assert rolled_back == ["vrooli-dev"]
    assert "hunter2" not in message
    assert "masked" in message
