"""Upgrade the operators of a cluster: plan, check, confirm, then one after another."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace

from vrooli import images, operators
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.events import Listener, LogLine, Outcome, Progress, StepEnded
from vrooli.grammar import counted
from vrooli.kube import Kube
from vrooli.operators import PGO, REDIS, VSO, Operator, Site, Source
from vrooli.operators.installation import record, upgrade
from vrooli.operators.installation.install import desired_record
from vrooli.operators.installation.reconciled import fetch_resources
from vrooli.operators.installation.upgrade import Plan
from vrooli.operators.model import State
from vrooli.release import Release, lease
from vrooli.release.records.discovery import find_releases
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.host.setup import Machine
from vrooli.workflows.operators.change import OperatorChange
from vrooli.workflows.operators.managed import Operated
from vrooli.workflows.results.base import StepResult
from vrooli.workflows.results.operators import OperatorUpgradeView, UpgradeOperatorsResult
from vrooli.workflows.safeguards.consent import CONFIRMED, Action, Consent

# The operators by the words of the command, in the order of their upgrades.
NAMES: Mapping[str, Operator] = {"postgres": PGO, "redis": REDIS, "vault": VSO}
FORCE = "--force"


@dataclass(frozen=True)
class UpgradeOptions:
    """The options of `upgrade operators`.

    Attributes:
        names: The operators, see NAMES; none means all that vrooli has installed.
        cluster: As ``--cluster`` takes it; None picks one.
        force: Whether an unhealthy release and an unproven upgrade are accepted.
        timeout_s: How long the releases may take to be ready after each operator, seconds.
    """

    names: tuple[str, ...] = ()
    cluster: str | None = None
    force: bool = False
    timeout_s: float = 600.0


async def upgrade_operators(
    options: UpgradeOptions, listener: Listener, consent: Consent = CONFIRMED
) -> UpgradeOperatorsResult:
    """Upgrade operators to the versions that this product installs.

    Raises:
        UsageError: There is no such operator, or the confirmation is missing.
        PrerequisiteError: An operator must not be upgraded, a release is not healthy, or a deploy
            runs; nothing was changed.
        InterruptError: The user declined.
        VrooliError: An upgrade failed; the message says what runs now.
    """
    began = time.monotonic()
    names = _names(options)
    async with access.connect(options.cluster) as reached, reached.choice.turn(listener):
        run = _Run(options, reached, names)
        ended = await run_steps(run.read_steps(), listener)
        ended += await run.prepare(listener)
        for plan in run.plans.values():
            listener(LogLine("operator", run.describe(plan)))
        if run.changes:
            consent.demand(Action.UPGRADE_OPERATORS, None, run.summary)
            async with run.hold_releases(listener):
                ended += await run_steps(run.change_steps(), listener)
    return UpgradeOperatorsResult(
        changed=any(step.outcome is Outcome.CHANGED for step in ended),
        elapsed_s=round(time.monotonic() - began, 3),
        steps=tuple(map(StepResult.of, ended)),
        cluster=str(reached.choice),
        operators=tuple(run.view(name) for name in names),
    )


def _names(options: UpgradeOptions) -> list[str]:
    if unknown := [name for name in options.names if name not in NAMES]:
        raise UsageError(
            f"There is no operator {unknown[0]!r}.", f"Choose one of: {', '.join(NAMES)}."
        )
    return [name for name in NAMES if name in options.names or not options.names]


class _Run:
    """One upgrade of some operators."""

    def __init__(self, options: UpgradeOptions, reached: Access, names: Sequence[str]) -> None:
        self._options, self._reached, self._names = options, reached, names
        self._machine = Machine(runs_clusters=reached.choice.embedded)
        self._site = Site(reached.kube, reached.cluster.kubeconfig)
        self._operated = Operated(reached.kube, reached.cluster.kubeconfig)
        self._changed: dict[str, OperatorChange] = {}
        self.plans: dict[str, Plan] = {}
        self.changes: dict[str, Plan] = {}

    @property
    def _kube(self) -> Kube:
        return self._reached.kube

    def read_steps(self) -> list[Step]:
        """The steps before anything is prepared or changed."""
        return [
            Step("plan", "Installed operators", self._plan),
            Step("health", "Healthy releases", self._check, ("plan",)),
        ]

    async def _plan(self, progress: Progress) -> Done:
        chosen = [NAMES[name] for name in self._names]
        # The pods and containerd of an embedded cluster reach no network outside.
        sources = await operators.choose(
            chosen, self._kube, pulls=not self._reached.choice.embedded
        )
        for name in self._names:
            operator = NAMES[name]
            progress.report(f"reads {operator.title}")
            status = await operators.status(operator, self._kube)
            is_absent = status.state is State.ABSENT
            bodies = [] if is_absent else await fetch_resources(operator, self._kube)
            plan = await upgrade.plan(operator, sources[operator.name], self._site, bodies)
            self.plans[name] = self._refuse_unloadable(plan)
        self._demand_possible()
        present = [plan for plan in self.plans.values() if plan.installed]
        return Done(False, f"{counted(len(present), 'operator')} installed")

    def _refuse_unloadable(self, plan: Plan) -> Plan:
        """Refuse an operator whose image was built here, in a cluster that only pulls images."""
        is_loaded = plan.source is Source.GO_MODULE and not plan.refusal
        if not is_loaded or self._reached.choice.kind != "context":
            return plan
        return replace(
            plan,
            refusal=f"{plan.operator.title} was installed from an image that is built on a machine "
            f"and loaded into its cluster, and {self._reached.choice} pulls its images.",
            advice="Name the cluster by its kind: --cluster embedded, minikube or kind.",
        )

    def _demand_possible(self) -> None:
        """Refuse operators that were named, or that must not be upgraded.

        Raises:
            PrerequisiteError: An operator is refused.
        """
        refused = [
            plan
            for plan in self.plans.values()
            if plan.refusal and (self._options.names or not _is_skipped(plan))
        ]
        if refused:
            message = "\n".join(plan.refusal for plan in refused)
            raise PrerequisiteError(f"{message}\nNothing was changed.", refused[0].advice)
        doubts = [plan.doubt for plan in self.plans.values() if plan.doubt]
        if doubts and not self._options.force:
            raise PrerequisiteError(
                "\n".join([*doubts, "Nothing was changed."]),
                f"Try it on a copy of the cluster first. To upgrade nevertheless, use {FORCE}.",
            )

    async def _check(self, progress: Progress) -> Done:
        """Refuse releases that a deploy changes, or that are not healthy."""
        for release in await self._releases():
            await lease.demand_free(self._kube, release)
        return await self._demand_healthy(progress)

    async def _demand_healthy(self, progress: Progress) -> Done:
        """Refuse releases that are not healthy."""
        chosen = [plan.operator for plan in self.plans.values() if not plan.refusal]
        unready = await self._operated.read(chosen, progress)
        if unready and not self._options.force:
            lines = [f"  {name}: {reason}" for name, reason in unready.items()]
            raise PrerequisiteError(
                "\n".join(["Not everything is ready before the upgrade:", *lines])
                + "\nNothing was changed.",
                "Find the cause with `vrooli diagnose`. To upgrade nevertheless, use "
                f"{FORCE}; what is not ready now is not awaited then.",
            )
        return Done(False, self._operated.summary)

    async def _releases(self) -> list[Release]:
        kubeconfig = self._reached.cluster.kubeconfig
        return [
            Release(name, namespace, kubeconfig)
            for namespace, name in await find_releases(self._kube)
        ]

    async def prepare(self, listener: Listener) -> list[StepEnded]:
        """Build the images of operators that are installed from Go modules; find the changes."""
        possible = {name: plan for name, plan in self.plans.items() if not plan.refusal}
        ended: list[StepEnded] = []
        if any(plan.source is Source.GO_MODULE for plan in possible.values()):
            ended = await run_steps(self._machine.cluster_steps(), listener)
            self._site = replace(self._site, image_hashes=self._machine.hashes())
        for name, plan in possible.items():
            desired = desired_record(plan.operator, plan.source, self._site)
            if await record.read(self._kube, plan.operator.namespace) != desired:
                self.changes[name] = plan
        return ended

    def describe(self, plan: Plan) -> str:
        """What is installed, and what it would become."""
        title = plan.operator.title
        if plan.refusal:
            return f"{plan.refusal} It is skipped."
        change = f" → {plan.target}" if plan.target != plan.installed else ""
        return f"{title} {plan.installed}{change} (installed by {plan.owner})"

    @property
    def summary(self) -> str:
        """The changes, for the prompt."""
        parts = []
        for plan in self.changes.values():
            title, target = plan.operator.title, plan.target
            if plan.installed == target:
                parts.append(f"install {title} {target} again, with its new image and settings")
            else:
                parts.append(f"upgrade {title} from {plan.installed} to {target}")
        place = f"{self._reached.choice}, for all releases in it"
        return f"{', '.join(parts)} in {place}; an operator may restart pods of their databases"

    @contextlib.asynccontextmanager
    async def hold_releases(self, listener: Listener) -> AsyncIterator[None]:
        """Hold the locks of all releases, so that no deploy runs meanwhile."""
        async with contextlib.AsyncExitStack() as held:
            for release in await self._releases():
                progress = Progress("upgrade", listener)
                await held.enter_async_context(lease.hold(self._kube, release, progress))
            yield

    def change_steps(self) -> list[Step]:
        """One step for each operator, and before them the images."""
        # The state may have changed during the builds and the prompt.
        steps = [Step("health-again", "Releases are still healthy", self._demand_healthy)]
        if any(plan.source is Source.GO_MODULE for plan in self.changes.values()):
            after = (steps[-1].name,)
            steps.append(Step("load", "Images into the cluster", self._load, after))
        names = list(self.changes)
        for number, (name, plan) in enumerate(self.changes.items(), 1):
            following = names[number:]
            change = OperatorChange(
                name, plan, self._site, self._operated, self._options.timeout_s, following
            )
            self._changed[name] = change
            title, after = plan.operator.title, (steps[-1].name,)
            steps.append(Step(plan.operator.name, title, change.make, after))
        return steps

    async def _load(self, progress: Progress) -> Done:
        names = [name for image in images.OPERATORS for name in self._machine.images[image].names]
        present = await self._reached.cluster.image_digests(names)
        archive = await self._machine.archive(images.OPERATORS, progress, present)
        return await self._reached.cluster.load_images(archive, progress)

    def view(self, name: str) -> OperatorUpgradeView:
        """What was done with an operator."""
        plan, change = self.plans[name], self._changed.get(name)
        outcome = "skipped" if plan.refusal else "upgraded" if change else "unchanged"
        return OperatorUpgradeView(
            operator=name,
            title=plan.operator.title,
            owner=plan.owner,
            source=plan.source.value,
            before=plan.installed,
            after=plan.target if change else plan.installed,
            outcome=outcome,
            detail=change.proof if change else plan.refusal,
            restarts=change.restarts if change else (),
        )


def _is_skipped(plan: Plan) -> bool:
    """Whether an operator that was not named is left unchanged."""
    return plan.is_foreign or not plan.installed
