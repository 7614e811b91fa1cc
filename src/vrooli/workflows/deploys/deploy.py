"""Deploy an artifact: check, confirm, apply, follow, and roll back if it fails."""

from __future__ import annotations

import asyncio
import time

from vrooli.chart.manifest import Manifest
from vrooli.events import Listener, LogLine, Outcome
from vrooli.release.overrides import Overrides
from vrooli.steps import run_steps
from vrooli.workflows.artifacts import inspection
from vrooli.workflows.change_view import format_change, override_view, view
from vrooli.workflows.clusters import access
from vrooli.workflows.deploys.run import DeployRun
from vrooli.workflows.options import DeployOptions
from vrooli.workflows.results.base import StepResult
from vrooli.workflows.results.releases import DeployResult
from vrooli.workflows.safeguards.consent import CONFIRMED, Action, Consent


async def deploy(
    options: DeployOptions, listener: Listener, consent: Consent = CONFIRMED
) -> DeployResult:
    """Deploy an artifact; nothing is changed before all checks have passed.

    Raises:
        UsageError: The artifact or its values are invalid, or the confirmation is missing.
        PrerequisiteError: The cluster doesn't run, or another deploy does.
        NotDeployableError: The cluster lacks what the release needs; nothing was changed.
        InterruptError: The user declined, or it was cancelled after Helm had started.
        DeployFailedError: It did not become ready; the message says what was done.
    """
    began = time.monotonic()
    run = DeployRun(options, await asyncio.to_thread(inspection.load, options))
    await asyncio.to_thread(run.demand_fitting)
    async with access.connect(options.cluster) as reached:
        run.reached = reached
        await run.read_overrides()
        await asyncio.to_thread(run.pin_images, reached.cluster.kind)
        ended = await run_steps(run.read_steps(), listener)
        for item in run.overrides.entries:
            listener(LogLine("override", item.format()))
        for change in run.changes:
            for line in format_change(view(change)):
                listener(LogLine("change", line))
        # Nothing runs while the user decides.
        if run.change:
            run.confirmed = consent.demand(Action.DEPLOY, options.environment.name, run.change)
        ended += await run.act(listener, consent)
    return DeployResult(
        changed=any(step.outcome is Outcome.CHANGED for step in ended),
        elapsed_s=round(time.monotonic() - began, 3),
        steps=tuple(map(StepResult.of, ended)),
        version=run.artifact.version,
        environment=options.environment.name,
        release=run.release.name,
        namespace=run.release.namespace,
        cluster=str(run.reached.choice),
        revision=run.applied.revision,
        changes=tuple(map(view, run.changes)),
        overrides=tuple(map(override_view, run.overrides.entries)),
    )


def rendered(options: DeployOptions, kind: str, overrides: Overrides) -> tuple[Manifest, ...]:
    """The objects of an artifact's release on a kind of cluster, with its overrides.

    Raises:
        UsageError: The artifact isn't whole, or its chart refuses its values.
    """
    run = DeployRun(options, inspection.load(options))
    run.overrides = overrides
    run.merge_overrides()
    run.pin_images(kind)
    return run.manifests
