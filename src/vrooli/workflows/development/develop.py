"""Create everything that development needs, from the cluster to a healthy release."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Sequence
from dataclasses import replace

from vrooli.chart import engine as chart_engine
from vrooli.chart import values as chart_values
from vrooli.environments import SecretsSource
from vrooli.errors import PrerequisiteError
from vrooli.events import Listener, Outcome, Progress, StepEnded
from vrooli.release import lease
from vrooli.secrets import env_file
from vrooli.steps import Step, run_steps
from vrooli.workflows.change_view import override_view
from vrooli.workflows.clusters.selection import Choice, choose
from vrooli.workflows.development import edited_pods
from vrooli.workflows.development.run import DevelopRun, secrets_file
from vrooli.workflows.options import DevelopOptions
from vrooli.workflows.results.base import StepResult, StepsResult
from vrooli.workflows.results.releases import DevelopResult
from vrooli.workflows.safeguards import replacement
from vrooli.workflows.safeguards.consent import CONFIRMED, Consent
from vrooli.workflows.urls import release_urls, unresolved_hosts

# The steps that are the release itself, and not what it stands on.
OF_RELEASE = ("release", "healthy")
# Those that run while its Lease is held; the operators' pods start meanwhile.
UNDER_LEASE = ("operators", *OF_RELEASE)


async def develop(
    options: DevelopOptions, listener: Listener, consent: Consent = CONFIRMED
) -> DevelopResult:
    """Do what is missing, and say what was done and where to look.

    Raises:
        UsageError: A name or a file is wrong, or a yes is missing; nothing was touched but, where
            it didn't run, the cluster.
        InterruptError: The person said no.
        PrerequisiteError: The cluster can't take our images, and nothing was touched; or
            somebody else is at work on the release.
        VrooliError: The first step's error.
    """
    began = time.monotonic()
    choice = await checked_choice(options)
    async with contextlib.AsyncExitStack() as exits:
        run = DevelopRun(options, choice, exits)
        ended = await bring_up(run, listener, consent)
        return result_of(run, ended, time.monotonic() - began)


async def checked_choice(options: DevelopOptions) -> Choice:
    """The cluster, after a check of the files that the run is given; nothing is touched.

    Raises:
        UsageError: A name or a file is wrong.
        PrerequisiteError: The cluster can't take our images.
    """
    _check_values(options)
    _check_secrets(options)
    return await _chosen(options)


async def bring_up(run: DevelopRun, listener: Listener, consent: Consent) -> list[StepEnded]:
    """Run all steps: nobody else of this machine is at work on the cluster meanwhile.

    Raises:
        See :func:`develop`.
    """
    await edited_pods.demand_unwatched_early(run.choice, run.options.environment)
    async with run.choice.turn(listener):
        before, under_lease = _split_by_lease(run.steps())
        revision, ended = await _run_before_lease(run, before, consent, listener)
        await edited_pods.demand_unwatched(run.kube, run.release)
        # A deploy from elsewhere, or a rollback, may be at work on the same release.
        async with lease.hold(run.kube, run.release, Progress("release", listener)):
            await replacement.check_again(
                run.kube, run.release, run.options.environment, consent, revision
            )
            return ended + await run.hold(under_lease, listener)


async def _run_before_lease(
    run: DevelopRun, steps: Sequence[Step], consent: Consent, listener: Listener
) -> tuple[int, list[StepEnded]]:
    """Confirm the replacement of the release, and run what the release requires.

    Returns:
        The revision that may be replaced, as `replacement.demand` returns it, and the steps.
    """
    environment = run.options.environment
    ended: list[StepEnded] = []
    revision = await replacement.demand_early(run.choice, environment, consent)
    if revision is None:
        names = _closure(steps, ["cluster"])
        ended += await run_steps([step for step in steps if step.name in names], listener)
        revision = await replacement.demand(run.kube, run.release, environment, consent)
        steps = _after(steps, names)
    ended += await run_steps(steps, listener)
    return revision, ended


def result_of(run: DevelopRun, ended: Sequence[StepEnded], elapsed_s: float) -> DevelopResult:
    """The result of the steps of a run."""
    steps = tuple(StepResult.of(step) for step in ended)
    environment = run.options.environment
    addresses = run.cluster.urls()
    urls = release_urls(addresses, run.manifests)
    return DevelopResult(
        changed=any(step.outcome is Outcome.CHANGED for step in steps),
        elapsed_s=round(elapsed_s, 3),
        steps=steps,
        environment=environment.name,
        release=environment.release,
        namespace=environment.namespace,
        cluster=str(run.choice),
        kubeconfig=str(run.cluster.kubeconfig),
        urls=urls,
        hosts=unresolved_hosts(urls, addresses),
        overrides=tuple(map(override_view, run.overrides.entries)),
    )


async def prepare(options: DevelopOptions, listener: Listener) -> StepsResult:
    """Bring up all that a release stands on: the cluster, the operators, the secrets.

    Raises:
        UsageError: A name or a file is wrong; nothing was touched.
        PrerequisiteError: The cluster can't take our images; nothing was touched.
        VrooliError: The first step's error.
    """
    began = time.monotonic()
    ended = await run_only(options, None, listener)
    return StepsResult.of(ended, time.monotonic() - began)


async def run_only(
    options: DevelopOptions, requested: Collection[str] | None, listener: Listener
) -> list[StepEnded]:
    """Run some steps, with all that they stand on, but never the release itself.

    Args:
        options: What develop would be asked for.
        requested: The names of the steps; None takes all.
        listener: Told what goes on.

    Raises:
        UsageError: A name or a file is wrong; nothing was touched.
        PrerequisiteError: The cluster can't take our images; nothing was touched.
        VrooliError: The first step's error.
    """
    _check_secrets(options)
    choice = await _chosen(options)
    async with choice.turn(listener), contextlib.AsyncExitStack() as exits:
        run = DevelopRun(options, choice, exits)
        steps = [step for step in run.steps() if step.name not in OF_RELEASE]
        names = {step.name for step in steps} if requested is None else _closure(steps, requested)
        return await run_steps([step for step in steps if step.name in names], listener)


def _closure(steps: Sequence[Step], requested: Collection[str]) -> set[str]:
    """The names of steps, and of all that they stand on."""
    names = set(requested)
    for step in reversed(steps):
        if step.name in names:
            names |= set(step.after)
    return names


def _after(steps: Sequence[Step], done: Collection[str]) -> list[Step]:
    """The steps that are left when some were done."""
    return [
        replace(step, after=tuple(name for name in step.after if name not in done))
        for step in steps
        if step.name not in done
    ]


def _split_by_lease(steps: list[Step]) -> tuple[list[Step], list[Step]]:
    """The steps before the release's Lease is taken, and those under it."""
    before = [step for step in steps if step.name not in UNDER_LEASE]
    return before, _after(steps, {step.name for step in before})


def _check_values(options: DevelopOptions) -> None:
    """Let a bad values file, or one that the chart refuses, stop the run before it starts."""
    values = chart_values.load(options.environment, options.values)
    environment = options.environment
    chart_engine.render(values, release=environment.release, namespace=environment.namespace)


def _check_secrets(options: DevelopOptions) -> None:
    """Let a bad secrets file stop the run before it starts; a missing one is made by its step."""
    if options.secrets_source is SecretsSource.FILE and secrets_file(options).exists():
        env_file.read(secrets_file(options))


async def _chosen(options: DevelopOptions) -> Choice:
    """The cluster; one that only pulls images is refused before any are built."""
    choice = await choose(options.cluster)
    if choice.kind == "context":
        raise PrerequisiteError(
            f"{choice} pulls its images, so locally built images cannot be loaded into it.",
            "Use --cluster embedded, minikube or kind. With images in a registry, helm can install "
            "the chart on any cluster; see k8s/README.md.",
        )
    return choice
