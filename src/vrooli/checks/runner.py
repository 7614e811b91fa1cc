"""Run checks all at once, each within its own limit; one that can't look never stops the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from vrooli.checks.interface import Check, Outcome, Seen, Site, State
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.kube import ApiError
from vrooli.steps import first_error

# How long all checks may take together, seconds.
LIMIT_S = 18.0

Told = Callable[[Outcome], None]


def nobody(outcome: Outcome) -> None:
    """Told of each outcome where nobody listens."""


async def run(
    checks: Sequence[Check], site: Site, told: Told = nobody, *, limit_s: float = LIMIT_S
) -> list[Outcome]:
    """Look at everything at once; a check waits only for those that it follows from.

    Args:
        checks: Which checks.
        site: What they look at.
        told: Called with each outcome as it comes.
        limit_s: How long all of them may take together, those that wait for others included.

    Returns:
        The outcomes, in the order of the checks.
    """
    names = {check.name for check in checks}
    deadline = time.monotonic() + limit_s
    ended: dict[str, asyncio.Future[Outcome]] = {
        check.name: asyncio.get_running_loop().create_future() for check in checks
    }

    async def one(check: Check) -> Outcome:
        causes = [await ended[name] for name in check.after if name in names]
        failed = [cause for cause in causes if cause.state is State.FAILED]
        outcome = _follows(check, failed[0]) if failed else await _timed(check, site, deadline)
        ended[check.name].set_result(outcome)
        told(outcome)
        return outcome

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(check), name=check.name) for check in checks]
    finally:
        await site.shared.close()
    return [task.result() for task in tasks]


def _follows(check: Check, cause: Outcome) -> Outcome:
    return Outcome(check, State.UNKNOWN, f"not looked at: it follows from “{cause.check.title}”")


async def _timed(check: Check, site: Site, deadline: float) -> Outcome:
    began = time.monotonic()
    reason = check.needless(site)
    left_s = min(check.limit_s, deadline - began)
    outcome = (
        Outcome(check, State.NOT_NEEDED, reason) if reason else await _look(check, site, left_s)
    )
    return replace(outcome, elapsed_s=time.monotonic() - began)


async def _look(check: Check, site: Site, limit_s: float) -> Outcome:
    """A check's outcome, whatever happens while it looks."""
    try:
        async with asyncio.timeout(limit_s):
            seen = await check.look(site)
    except TimeoutError:
        late = PrerequisiteError(
            f"nothing was known after {max(limit_s, 0):.0f} s (check {check.name}: "
            f"{check.looks_at})",
            "See whether the cluster answers, and whether this kubeconfig may look at it: "
            "`vrooli check` shows each.",
        )
        return Outcome(check, State.UNKNOWN, late.message, error=late)
    except (VrooliError, ExceptionGroup) as raised:
        error = first_error(raised)
        if not isinstance(error, VrooliError):
            raise
        return Outcome(check, State.UNKNOWN, _words(error), error=error)
    return judged(check, seen)


def judged(check: Check, seen: Seen) -> Outcome:
    """The outcome of what a check saw."""
    parts = [
        seen.found,
        *(f"not seen: {what}" for what in seen.unseen),
        *(f"warning: {what}" for what in seen.warnings),
    ]
    found = "; ".join(part for part in parts if part)
    if seen.findings:
        return Outcome(
            check, State.FAILED, found, seen.findings, unseen=seen.unseen, warnings=seen.warnings
        )
    state = State.OK if seen.found or not seen.unseen else State.UNKNOWN
    return Outcome(check, state, found, unseen=seen.unseen, warnings=seen.warnings)


def _words(error: VrooliError) -> str:
    if is_forbidden(error):
        return f"this kubeconfig may not look: {error.message}"
    return error.message


def is_forbidden(error: VrooliError | None) -> bool:
    """Whether it was the API server that didn't let us look."""
    return isinstance(error, ApiError) and error.is_forbidden
