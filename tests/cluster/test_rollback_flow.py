"""A rollback on an API server without nodes: as careful as a deploy."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from support.release.artifacts import APPLICATION_ONLY
from vrooli import process
from vrooli.chart import values
from vrooli.checks import catalog
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.preflight import NotDeployableError
from vrooli.environments import ENVIRONMENTS, Environment
from vrooli.errors import InterruptError, UsageError
from vrooli.events import Event, LogLine, Progress, StepEnded, silent
from vrooli.findings import Finding
from vrooli.kube import Kube
from vrooli.release import Release, apply
from vrooli.release.failure_handling import DeployFailedError
from vrooli.release.records import marks, storage
from vrooli.workflows.deploys import history
from vrooli.workflows.deploys.rollback import RollbackOptions, rollback
from vrooli.workflows.safeguards.consent import Consent

# A request that is cancelled while it connects leaves its socket to the garbage collector.
pytestmark = [
    pytest.mark.usefixtures("cut_connections"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]
CONTEXT = "context:bare"
NUMBERS = count()


@pytest.fixture
def place() -> Environment:
    """Staging in a namespace of the test's own."""
    return replace(ENVIRONMENTS["staging"], namespace=f"back-{next(NUMBERS)}")


@pytest.fixture
async def release(
    bare_kube: Kube,
    bare_kubeconfig: Path,
    place: Environment,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> AsyncIterator[Release]:
    """A release of two revisions; the first has one jobs pod, the second two."""
    monkeypatch.setenv("KUBECONFIG", str(bare_kubeconfig))
    monkeypatch.setenv("VROOLI_STATE_DIR", str(tmp_path / "state"))
    found = Release.of(place, bare_kubeconfig)
    for replicas in (1, 2):
        chosen = values.merge(
            values.merge(values.load(ENVIRONMENTS["dev"]), APPLICATION_ONLY),
            {"replicaCount": {"jobs": replicas}},
        )
        await apply.ensure(bare_kube, found, chosen, Progress())
    await marks.mark_ready(bare_kube, found, 1)
    yield found


@pytest.fixture
def options(place: Environment) -> RollbackOptions:
    """Back to the first, given up soon."""
    return RollbackOptions(place, 1, CONTEXT, timeout_s=6.0)


async def _jobs(kube: Kube, release: Release) -> int:
    body = await kube.get("apps/v1", "Deployment", f"{release.name}-jobs", release.namespace)
    assert body is not None
    return int(body["spec"]["replicas"])


async def test_without_a_terminal_and_without_yes_it_shows_the_changes_and_is_refused(
    bare_kube: Kube, release: Release, options: RollbackOptions
) -> None:
    heard: list[Event] = []
    with pytest.raises(UsageError) as refused:
        await rollback(options, heard.append, Consent())
    assert f"roll {release} back to revision 1: change 1 object (" in refused.value.message
    assert "--yes" in refused.value.advice
    shown = [event.text for event in heard if isinstance(event, LogLine)]
    assert shown == [f"~ Deployment/{release.name}-jobs", "    spec.replicas: 2 -> 1"]
    assert await _jobs(bare_kube, release) == 2
    assert [item.number for item in await storage.fetch_revisions(bare_kube, release)] == [1, 2]


@pytest.mark.parametrize(
    "words",
    [
        ("rollback", "1", "-e", "staging"),
        ("uninstall", "-e", "staging"),
        ("uninstall", "-e", "staging", "--delete-data"),
    ],
)
async def test_as_a_process_without_a_terminal_each_ends_with_2_and_changes_nothing(
    bare_kube: Kube, bare_kubeconfig: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    staging = Release.of(ENVIRONMENTS["staging"], bare_kubeconfig)
    if await storage.fetch_revision(bare_kube, staging) is None:
        for replicas in (1, 2):
            count_of = {"replicaCount": {"jobs": replicas}}
            chosen = values.merge(values.load(ENVIRONMENTS["dev"]), APPLICATION_ONLY)
            await apply.ensure(bare_kube, staging, values.merge(chosen, count_of), Progress())
    answer = await process.run(
        [sys.executable, "-m", "vrooli", *words, "--cluster", CONTEXT],
        env={"KUBECONFIG": str(bare_kubeconfig), "VROOLI_STATE_DIR": str(tmp_path)},
        timeout_s=120,
        check=False,
    )
    assert answer.status == UsageError.exit_code, answer.output + answer.log
    assert "vrooli-staging" in answer.log
    assert "--yes" in answer.log
    assert [item.number for item in await storage.fetch_revisions(bare_kube, staging)] == [1, 2]


async def test_a_person_is_asked_and_a_no_changes_nothing(
    bare_kube: Kube, release: Release, options: RollbackOptions
) -> None:
    questions: list[str] = []
    with pytest.raises(InterruptError, match="nothing was changed"):
        await rollback(options, silent, Consent(ask=questions.append))  # type: ignore[arg-type]
    assert questions == [
        f"Roll {release} back to revision 1: change 1 object (Deployment/{release.name}-jobs)?"
    ]
    assert await _jobs(bare_kube, release) == 2


async def test_what_stands_in_the_way_is_found_before_anything_is_touched(
    bare_kube: Kube, release: Release, options: RollbackOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(site: Site) -> CheckResult:
        lack = Finding(
            "image-not-there", "Deployment/x", "its image is gone", remediation="push it"
        )
        return CheckResult("1 of 2 images", (lack,))

    blocked = Check("images", "Images", "looks at images", refuse, stops_deploy=True)
    monkeypatch.setattr(catalog, "STOP_DEPLOYS", (blocked,))
    with pytest.raises(NotDeployableError, match="its image is gone"):
        await rollback(options, silent)
    assert [item.number for item in await storage.fetch_revisions(bare_kube, release)] == [1, 2]


async def test_one_that_does_not_become_ready_keeps_its_evidence_and_stays(
    bare_kube: Kube, release: Release, options: RollbackOptions, tmp_path: Path
) -> None:
    heard: list[Event] = []
    with pytest.raises(DeployFailedError, match="isn't ready after 6 s") as failed:
        await rollback(options, heard.append)
    assert f"{release.name} is left as it is" in failed.value.message
    assert "Roll back to another revision" in failed.value.advice
    (report,) = (tmp_path / "state" / "reports").iterdir()
    assert str(report) in failed.value.message
    steps = [event.step for event in heard if isinstance(event, StepEnded)]
    assert sorted(steps[:2]) == ["changes", "checks"]
    assert steps[2:] == ["release", "healthy", "evidence"]
    assert await _jobs(bare_kube, release) == 1
    told = await history.history(options.environment, CONTEXT, silent)
    assert [item.outcome for item in told.revisions] == ["ready", "unfinished", "failed"]
    assert told.revisions[-1].description.startswith("Rollback to 1; it did not become ready: ")
