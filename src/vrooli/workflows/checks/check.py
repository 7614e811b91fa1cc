"""Check everything that a release needs in a cluster, concurrently."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from vrooli.chart import engine
from vrooli.chart import values as chart_values
from vrooli.chart.manifest import Manifest
from vrooli.checks import catalog, runner
from vrooli.checks.interface import Check, Outcome, Site, State
from vrooli.environments import Environment, SecretsSource
from vrooli.errors import PrerequisiteError
from vrooli.events import Listener, Progress
from vrooli.findings import Verdict
from vrooli.kube import ApiError
from vrooli.release import Release, overrides
from vrooli.release.overrides import Overrides
from vrooli.secrets.names import Names
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows import junit, packages
from vrooli.workflows.checks import cases as check_cases
from vrooli.workflows.checks import fix as check_fix
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.clusters.selection import choose
from vrooli.workflows.results.base import MissingView, StepResult
from vrooli.workflows.results.findings import CheckResult, CheckView, FindingView

# The timeout of the connection; with the longest check, all takes less than 30 s.
CONNECT_S = 8.0
# The time for a lookup of packages, seconds; it is made once a day at most.
PACKAGES_S = 8.0
# Shows the planned actions and returns whether to run them.
Confirm = Callable[[Sequence[str]], bool]


@dataclass(frozen=True)
class CheckOptions:
    """The options of check.

    Attributes:
        environment: The environment whose values are checked.
        cluster: As ``--cluster`` takes it; None picks one.
        values: More values files, the last one wins.
        secrets_source: Where the release's secrets come from.
        check_only: Create and change nothing; overrides ``fix``.
        operators: Check only what the operators and Vault provide.
        fix: Apply the safe fixes.
        junit: Where to write the outcomes as JUnit XML.
    """

    environment: Environment
    cluster: str | None = None
    values: tuple[Path, ...] = ()
    secrets_source: SecretsSource = SecretsSource.VAULT
    check_only: bool = False
    operators: bool = False
    fix: bool = False
    junit: Path | None = None

    def __post_init__(self) -> None:
        for file in self.values:
            chart_values.read(file)
        if self.junit is not None:
            junit.demand_folder(self.junit)

    @property
    def checks(self) -> tuple[Check, ...]:
        """The selected checks."""
        return catalog.OF_OPERATORS if self.operators else catalog.ALL


async def check(
    options: CheckOptions, listener: Listener, confirm: Confirm | None = None
) -> CheckResult:
    """Run the checks; with ``fix``, apply safe fixes and check again.

    Args:
        options: The options.
        listener: Receives events.
        confirm: Confirms fixes; None applies them without a prompt.

    Raises:
        UsageError: A name or a file is wrong, or the chart refuses the values.
        PrerequisiteError: The cluster doesn't run, or doesn't answer.
    """
    manifests = await asyncio.to_thread(_render, options)
    choice = await choose(options.cluster)
    began = time.monotonic()
    outcomes = await _run_checks(options, manifests, listener)
    fixes: tuple[StepResult, ...] = ()
    fixable = check_fix.of(outcomes)
    may_fix = bool(fixable.steps) and options.fix and not options.check_only
    if may_fix and (confirm is None or confirm(fixable.actions)):
        ended = await check_fix.do(fixable, options.environment, str(choice), listener)
        fixes = tuple(map(StepResult.of, ended))
        began = time.monotonic()
        outcomes = await _run_checks(options, manifests, listener)
    result = _result(options, str(choice), outcomes, fixes, time.monotonic() - began)
    # Afterwards: reading images takes time from checks that have a timeout.
    view_of_packages = await packages.fetch(PACKAGES_S, reads_images=not options.check_only)
    result = result.model_copy(update={"packages": view_of_packages})
    if options.junit is not None:
        cases = check_cases.cases(result.checks)
        document = junit.document(check_cases.SUITE, cases, result.elapsed_s)
        options.junit.write_text(document, encoding="utf-8")
    return result


def _result(
    options: CheckOptions,
    cluster: str,
    outcomes: Sequence[Outcome],
    fixes: tuple[StepResult, ...],
    elapsed_s: float,
) -> CheckResult:
    return CheckResult(
        ok=verdict(outcomes) is Verdict.HEALTHY,
        verdict=verdict(outcomes),
        missing=missing(outcomes),
        environment=options.environment.name,
        cluster=cluster,
        namespace=options.environment.namespace,
        checks=tuple(map(view, outcomes)),
        fixes=fixes,
        fixable=check_fix.of(outcomes).actions,
        elapsed_s=round(elapsed_s, 3),
    )


async def _fetch_overrides(reached: Access, environment: Environment) -> Overrides:
    """The overrides that a deploy would merge; none if they may not be read."""
    release = Release.of(environment, reached.cluster.kubeconfig)
    try:
        return await overrides.fetch(reached.kube, release)
    except ApiError as error:
        if not error.is_forbidden:
            raise
        return overrides.NONE


def _render(options: CheckOptions, stored: Overrides = overrides.NONE) -> tuple[Manifest, ...]:
    """The release's objects with the environment's values and overrides."""
    values = chart_values.load(options.environment, options.values)
    if options.secrets_source is SecretsSource.FILE:
        values = chart_values.merge(values, {"vso": {"enabled": False}})
    environment = options.environment
    values = stored.merge_into(values)
    return engine.render(values, release=environment.release, namespace=environment.namespace)


def _created_secrets(options: CheckOptions) -> frozenset[str]:
    """The Secrets that `develop` creates from a file before it deploys."""
    if options.secrets_source is not SecretsSource.FILE:
        return frozenset()
    values = chart_values.load(options.environment, options.values)
    return frozenset(Names.of(values).secrets.values())


async def _run_checks(
    options: CheckOptions, manifests: tuple[Manifest, ...], listener: Listener
) -> list[Outcome]:
    outcomes: list[Outcome] = []

    async def ensure(progress: Progress) -> Done:
        async with _connected(options.cluster) as reached:
            stored = await _fetch_overrides(reached, options.environment)
            site = Site.of(
                reached.kube,
                options.environment.namespace,
                await asyncio.to_thread(_render, options, stored) if stored else manifests,
                creates=not options.check_only,
                deep=True,
                kind=reached.cluster.kind,
                loaded=await reached.cluster.images(),
                created_secrets=_created_secrets(options),
            )
            waiting = {item.name: item.title for item in options.checks}

            def on_outcome(outcome: Outcome) -> None:
                waiting.pop(outcome.check.name)
                if waiting:
                    progress.report(f"checking {', '.join(waiting.values())}")

            outcomes.extend(await runner.run(options.checks, site, on_outcome))
        return Done(changed=False, detail=summary(outcomes))

    await run_steps([Step("checks", "Checks", ensure)], listener)
    return outcomes


@asynccontextmanager
async def _connected(cluster: str | None) -> AsyncIterator[Access]:
    """Connect to the cluster, with a timeout.

    Raises:
        PrerequisiteError: It doesn't run, or doesn't respond in time.
    """
    connection = access.connect(cluster)
    try:
        async with asyncio.timeout(CONNECT_S):
            reached = await connection.__aenter__()
    except TimeoutError:
        raise PrerequisiteError(
            f"The cluster did not answer within {CONNECT_S:.0f} s.",
            "See whether it runs: `vrooli cluster status`, or name another with --cluster.",
        ) from None
    try:
        yield reached
    finally:
        await connection.__aexit__(None, None, None)


def verdict(outcomes: Sequence[Outcome]) -> Verdict:
    """Whether nothing is wrong, which nobody can say who has seen too little."""
    is_failed = any(outcome.state is State.FAILED for outcome in outcomes)
    return Verdict.of(has_problems=is_failed, is_missing=bool(missing(outcomes)))


def missing(outcomes: Sequence[Outcome]) -> tuple[MissingView, ...]:
    """The checks that must be seen and weren't, each with why."""
    return tuple(
        MissingView(
            resource=outcome.check.title,
            reason=outcome.summary,
            advice=outcome.error.advice if outcome.error is not None else "",
        )
        for outcome in outcomes
        if outcome.state is State.UNKNOWN and outcome.check.name in catalog.REQUIRED
    )


def summary(outcomes: Sequence[Outcome]) -> str:
    """Format the number of outcomes by state."""
    counts = {state: sum(outcome.state is state for outcome in outcomes) for state in State}
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count)


def view(outcome: Outcome) -> CheckView:
    """An outcome as a result model."""
    return CheckView(
        name=outcome.check.name,
        title=outcome.check.title,
        examines=outcome.check.description,
        state=outcome.state.value,
        message=outcome.summary,
        findings=tuple(map(FindingView.of, outcome.findings)),
        elapsed_s=round(outcome.elapsed_s, 3),
    )
