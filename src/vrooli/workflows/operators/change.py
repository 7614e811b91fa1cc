"""The upgrade of one operator, the proof that it works, and the way back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from vrooli.databases import restarts
from vrooli.databases.restarts import Restart
from vrooli.errors import VrooliError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.operators import Site
from vrooli.operators.installation.install import install
from vrooli.operators.installation.reconciled import wait_reconciled
from vrooli.operators.installation.upgrade import Plan, PreviousOperator
from vrooli.release.rollout import wait
from vrooli.steps import Done, first_error, message_of
from vrooli.workflows.operators.managed import Operated
from vrooli.workflows.results.operators import DatabaseRestartView

# How long the controllers of the cluster may take to observe what an operator has changed, seconds.
OBSERVED_S = 5.0


class UpgradeFailedError(VrooliError):
    """An operator could not be upgraded; the message says what runs now."""


class OperatorChange:
    """The upgrade of one operator.

    Attributes:
        proof: What was proven after it.
        restarts: The pods of databases that were restarted or not ready meanwhile.
    """

    def __init__(
        self,
        name: str,
        plan: Plan,
        site: Site,
        operated: Operated,
        timeout_s: float,
        following: Sequence[str],
    ) -> None:
        self._name, self._plan, self._site = name, plan, site
        self._operated, self._timeout_s, self._following = operated, timeout_s, following
        self.proof = ""
        self.restarts: tuple[DatabaseRestartView, ...] = ()

    async def make(self, progress: Progress) -> Done:
        """Upgrade it and prove that it works, or go back.

        Raises:
            UpgradeFailedError: It does not work.
        """
        previous = await PreviousOperator.read(self._plan.operator, self._site)
        try:
            async with restarts.follow(self._site.kube) as followed:
                await self._upgrade(progress)
        except (VrooliError, ExceptionGroup) as raised:
            await_ready = partial(self._await_ready, progress)
            done = await previous.restore(self._site, await_ready, progress)
            raise self._failure(first_error(raised), done) from raised
        self.restarts = tuple(map(_view, followed.result(time.monotonic())))
        plan, found = self._plan, self.restarts
        detail = "; ".join([f"{plan.installed} → {plan.target}", self.proof, *map(describe, found)])
        return Done(True, detail if found else f"{detail}; no pod of a database was restarted")

    async def _upgrade(self, progress: Progress) -> None:
        plan, since = self._plan, datetime.now(UTC)
        await install(plan.operator, plan.source, self._site, progress)
        await self._await_ready(progress)
        try:
            self.proof = await wait_reconciled(
                plan.operator, self._site.kube, self._operated.is_awaited, progress
            )
        except WaitTimeoutError as error:
            errors = await self._operated.fetch_operator_errors()
            raise WaitTimeoutError("\n".join([error.message, *errors]), error.advice) from error
        await asyncio.sleep(OBSERVED_S)
        await self._operated.await_ready(progress, self._timeout_s, since)
        # It may have crashed on what it met.
        await self._await_ready(progress)

    async def _await_ready(self, progress: Progress) -> None:
        await wait.until_operator_ready(self._plan.operator, self._site.kube, progress)

    def _failure(self, error: BaseException, done: str) -> UpgradeFailedError:
        title, target = self._plan.operator.title, self._plan.target
        lines = [f"{title} could not be upgraded to {target}: {message_of(error)}", f"{done}."]
        if self._following:
            lines.append(f"Not upgraded: {', '.join(self._following)}.")
        return UpgradeFailedError(
            "\n".join(lines),
            "Find the cause with `vrooli diagnose`, then continue: "
            f"`vrooli upgrade operators {' '.join([self._name, *self._following])}`.",
        )


def _view(item: Restart) -> DatabaseRestartView:
    return DatabaseRestartView(
        namespace=item.pod.namespace,
        pod=item.pod.name,
        restarted=item.restarted,
        unready_s=round(item.unready_s, 1),
    )


def describe(item: DatabaseRestartView) -> str:
    """A pod of a database and what happened to it, as a clause."""
    unready = f"not ready for {item.unready_s:.1f} s"
    if not item.restarted:
        return f"{item.pod} was {unready}"
    return f"{item.pod} was restarted" + (f", {unready}" if item.unready_s else "")
