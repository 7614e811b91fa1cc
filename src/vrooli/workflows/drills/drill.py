"""Drill a release: inject faults, measure what each costs, put everything back."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from vrooli.drills.faults.catalog import BY_NAME
from vrooli.drills.http_load import MOST_S
from vrooli.drills.model import RequestedLimits, Scope
from vrooli.environments import Environment
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.events import Listener, Progress
from vrooli.release import lease
from vrooli.release.model import Release
from vrooli.release.records import storage
from vrooli.workflows import advice, junit
from vrooli.workflows.clusters import access
from vrooli.workflows.drills import reports
from vrooli.workflows.drills.restore import RESTORE
from vrooli.workflows.drills.run import DrillRun, scope_of
from vrooli.workflows.results.drills import BAD, DrillResult
from vrooli.workflows.safeguards.consent import CONFIRMED, Action, Consent
from vrooli.workflows.safeguards.shared_cluster import demand_own_cluster

# The environment in which drills need an option of their own.
PRODUCTION = "prod"
NAMES = (*BY_NAME, RESTORE)
# What a fault takes beside its limit: a restart without help, calm, and the removal of writes.
BESIDE_S = 330.0


@dataclass(frozen=True)
class DrillOptions:
    """The options of drill.

    Attributes:
        environment: The environment of the release.
        faults: The names of the faults; empty injects all.
        cluster: As ``--cluster`` takes it; None picks one.
        is_loaded: Whether the release is put under load.
        in_production: Whether faults may affect production.
        in_shared_cluster: Whether faults may affect other releases in the cluster.
        clean_up: Whether only the leftovers of earlier drills are removed.
        limits: The requested limits.
        junit: Where to write the outcomes as JUnit XML.
        page: Where to write them as an HTML page.
    """

    environment: Environment
    faults: tuple[str, ...] = ()
    cluster: str | None = None
    is_loaded: bool = False
    in_production: bool = False
    in_shared_cluster: bool = False
    clean_up: bool = False
    limits: RequestedLimits = field(default_factory=RequestedLimits)
    junit: Path | None = None
    page: Path | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.faults if name not in NAMES]
        if unknown:
            raise UsageError(f"There is no fault {unknown[0]!r}.", f"Faults: {', '.join(NAMES)}.")
        is_production = self.environment.name == PRODUCTION
        if is_production and not self.in_production and not self.clean_up:
            raise UsageError(
                "Faults are not injected into production. Nothing was changed.",
                "Use another environment, or --yes-in-production: requests and writes of users "
                "will fail.",
            )
        for file in filter(None, (self.junit, self.page)):
            junit.demand_folder(file)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the faults, in the order of injection."""
        if self.clean_up:
            return ()
        return tuple(dict.fromkeys(self.faults)) or NAMES

    def of_scope(self, scope: Scope) -> tuple[str, ...]:
        """The names of the faults of a scope."""
        return tuple(name for name in self.names if scope_of(name) is scope)

    @property
    def change(self) -> str:
        """What will be done, for the prompt."""
        places = {Scope.RELEASE: self.environment.release, Scope.CLUSTER: "the whole cluster"}
        parts = ((place, self.of_scope(scope)) for scope, place in places.items())
        return " and ".join(
            f"inject into {place}: {', '.join(names)}" for place, names in parts if names
        )


async def drill(
    options: DrillOptions, listener: Listener, consent: Consent = CONFIRMED
) -> DrillResult:
    """Inject faults into a release one after the other, and judge what each costs.

    Raises:
        UsageError: The confirmation is missing, or others use the cluster of a fault.
        PrerequisiteError: There is no release, a deploy runs, or the release is not healthy.
        VrooliError: The load could not be started.
    """
    began = time.monotonic()
    if options.in_production:
        consent = Consent(yes=True)
    async with access.connect(options.cluster) as reached:
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        await lease.demand_free(reached.kube, release)
        record = await storage.fetch_record(reached.kube, release)
        if record is None:
            raise PrerequisiteError(
                f"There is no release {release}.",
                f"To install it: {advice.install(options.environment)}.",
            )
        if not options.clean_up:
            await demand_own_cluster(
                reached.kube,
                release,
                options.of_scope(Scope.CLUSTER),
                shared=options.in_shared_cluster,
                production=options.in_production,
            )
            consent.demand(Action.DRILL, options.environment.name, options.change)
        run = await DrillRun.prepared(reached, release, record, options.limits)
        run.on_ended = lambda: _write_reports(options, result(options, run, began))
        limit_s = min(MOST_S, len(options.names) * (options.limits.heal_s + BESIDE_S))
        async with lease.hold(reached.kube, release, Progress("health", listener)):
            await run.clean_up(listener)
            if not options.clean_up:
                await run.demand_healthy(listener)
                await run.inject_all(
                    options.names, listener, limit_s if options.is_loaded else None
                )
    return result(options, run, began)


def result(options: DrillOptions, run: DrillRun, began: float) -> DrillResult:
    """The result of the drills that have ended."""
    return DrillResult(
        ok=not any(view.outcome in BAD for view in run.views),
        release=run.site.release.name,
        namespace=run.site.release.namespace,
        loaded=options.is_loaded,
        elapsed_s=round(time.monotonic() - began, 3),
        removed=run.removed,
        drills=tuple(run.views),
    )


def _write_reports(options: DrillOptions, ended: DrillResult) -> None:
    """Write the reports after each fault: an interrupted command leaves those of the others."""
    if options.junit is not None:
        options.junit.write_text(reports.to_junit(ended), encoding="utf-8")
    if options.page is not None:
        options.page.write_text(reports.to_page(ended), encoding="utf-8")
