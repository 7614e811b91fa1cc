"""The drills of one command: one fault after the other, each with its verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from vrooli.cluster.embedded.cluster import StoredCluster
from vrooli.drills import bench, healing, leftovers
from vrooli.drills.bench import Bench
from vrooli.drills.faults.catalog import BY_NAME
from vrooli.drills.model import (
    Injection,
    Limits,
    Measured,
    NotApplicableError,
    RequestedLimits,
    Scope,
)
from vrooli.drills.site import Site
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.events import Listener, Outcome, Progress, StepEnded, StepStarted
from vrooli.release.model import Release
from vrooli.release.records.storage import ReleaseRecord
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.drills import restore
from vrooli.workflows.results.drills import (
    FAILED,
    NOT_APPLICABLE,
    NOT_RUN,
    PASSED,
    DrillView,
    OutageView,
    RequestsView,
)

# How long a release may take to show that it is healthy before the first fault, seconds.
HEALTHY_S = 60.0
_OUTCOMES = {PASSED: Outcome.CHANGED, FAILED: Outcome.FAILED}


@dataclass
class DrillRun:
    """The drills of one command.

    Attributes:
        site: The release.
        urls: The addresses of the cluster's Ingress on 127.0.0.1, by scheme.
        limits: The requested limits.
        removed: What an earlier drill had left, and was removed.
        views: The drills that have ended.
        on_ended: Called after each drill.
    """

    site: Site
    urls: Mapping[str, str]
    limits: RequestedLimits
    removed: tuple[str, ...] = ()
    views: list[DrillView] = field(default_factory=list)
    on_ended: Callable[[], None] = lambda: None

    @classmethod
    async def prepared(
        cls,
        reached: Access,
        release: Release,
        record: ReleaseRecord,
        limits: RequestedLimits,
    ) -> DrillRun:
        """The drills of a release; nothing is changed."""
        cluster = reached.cluster
        processes = cluster if isinstance(cluster, StoredCluster) else None
        site = await Site.of(reached.kube, release, record, processes)
        return cls(site, cluster.urls(), limits)

    async def clean_up(self, listener: Listener) -> None:
        """Remove what a killed drill has left: it may keep the release from being healthy.

        Raises:
            VrooliError: It could not be removed.
        """

        async def clean(progress: Progress) -> Done:
            progress.report("looks for what an earlier drill has left")
            copy = await restore.remove_left(self.site, progress)
            self.removed = (*await leftovers.remove(self.site), *copy)
            removed = bool(self.removed)
            return Done(removed, f"removed {', '.join(self.removed)}" if removed else "none")

        await run_steps([Step("clean-up", "Leftovers of earlier drills", clean)], listener)

    async def demand_healthy(self, listener: Listener) -> None:
        """Refuse a release that is not healthy: a fault would be blamed for it.

        Raises:
            PrerequisiteError: It is not.
        """

        async def check(progress: Progress) -> Done:
            progress.report("checks that the release is healthy")
            try:
                await healing.wait_until_ready(self.site, HEALTHY_S)
            except VrooliError as error:
                raise PrerequisiteError(
                    f"Release {self.site.release} is not healthy: {error.message}",
                    "Run `vrooli diagnose` to find the cause, then the drill again.",
                ) from error
            return Done(False, "is healthy")

        await run_steps([Step("health", "Healthy release", check)], listener)

    async def inject_all(
        self, names: Sequence[str], listener: Listener, limit_s: float | None
    ) -> None:
        """Inject the faults, under load for ``limit_s`` seconds at most; None without load."""
        async with AsyncExitStack() as stack:
            on = Bench(self.site)
            if limit_s is not None:
                loading = bench.loaded(self.site, self.urls, limit_s)
                on = await stack.enter_async_context(loading)
            is_healthy = True
            for name in names:
                if is_healthy:
                    view, is_healthy = await self._drill(on, name, listener)
                else:
                    reason = "the release was not healthy after the fault before it"
                    view = _short(name, NOT_RUN, reason)
                self.views.append(view)
                self.on_ended()

    async def _drill(self, on: Bench, name: str, listener: Listener) -> tuple[DrillView, bool]:
        """One drill, and whether the release is healthy after it."""
        title = title_of(name)
        listener(StepStarted(name, title))
        began = time.monotonic()
        is_healthy = True
        try:
            if name == restore.RESTORE:
                view = await restore.drill(self.site, Progress(name, listener))
            else:
                view = await self._inject(on, name)
        except NotApplicableError as error:
            view = _short(name, NOT_APPLICABLE, error.message)
        except VrooliError as error:
            view, is_healthy = _short(name, FAILED, error.message), False
        elapsed_s = round(time.monotonic() - began, 3)
        outcome = _OUTCOMES.get(view.outcome, Outcome.UNCHANGED)
        listener(StepEnded(name, title, outcome, elapsed_s, summary(view)))
        return view.model_copy(update={"elapsed_s": elapsed_s}), is_healthy

    async def _inject(self, on: Bench, name: str) -> DrillView:
        injection = await BY_NAME[name].plan(self.site)
        limits = self.limits.of(injection)
        measured = await on.measure(injection, limits)
        return to_view(name, injection, measured, limits)


def title_of(name: str) -> str:
    """The title of a fault or of the restore."""
    return BY_NAME[name].title if name in BY_NAME else restore.TITLE


def scope_of(name: str) -> Scope:
    """The scope of a fault or of the restore."""
    return BY_NAME[name].scope if name in BY_NAME else restore.SCOPE


def _short(name: str, outcome: str, reason: str) -> DrillView:
    return DrillView(
        fault=name,
        title=title_of(name),
        scope=scope_of(name),
        outcome=outcome,
        reasons=(reason,),
    )


def to_view(name: str, injection: Injection, measured: Measured, limits: Limits) -> DrillView:
    """A fault and its verdict, as they are shown."""
    problems = measured.problems(limits)
    bounds = {"postgres": limits.postgres_s, "redis": limits.redis_s}
    requests = measured.requests
    return DrillView(
        fault=name,
        title=title_of(name),
        scope=scope_of(name),
        outcome=FAILED if problems else PASSED,
        reasons=problems,
        targets=injection.targets,
        healed_s=measured.healed_s,
        help_needed=measured.healed_s is None,
        diagnoses=measured.diagnosed.count,
        named_s=measured.diagnosed.named_s,
        causes=measured.diagnosed.causes,
        requests=requests
        and RequestsView(
            sent=requests.sent,
            failed_reads=requests.failed_reads,
            failed_writes=requests.failed_writes,
            failed_reads_limit=limits.failed_reads,
            kinds=dict(requests.kinds),
        ),
        outages={
            store: OutageView(
                failed=outage.failed, longest_s=outage.longest_s, limit_s=bounds[store]
            )
            for store, outage in measured.outages.items()
        },
        lost=dict(measured.lost),
    )


def summary(view: DrillView) -> str:
    """A drill in one line."""
    if view.reasons:
        return f"{view.outcome}: {'; '.join(view.reasons)}"
    return f"{view.outcome}, healthy after {view.healed_s:.1f} s" if view.healed_s else view.outcome
