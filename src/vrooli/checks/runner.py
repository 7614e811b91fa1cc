"""Runs checks all at once, each with its own timeout; one that fails never stops the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from vrooli.checks.interface import Check, CheckResult, Outcome, Site, State
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.kube import ApiError
from vrooli.steps import first_error

# The timeout of all checks together, seconds.
LIMIT_S = 18.0

OnOutcome = Callable[[Outcome], None]


def ignore(outcome: Outcome) -> None:
    """Do nothing with an outcome."""


async def run(
    checks: Sequence[Check],
    site: Site,
    on_outcome: OnOutcome = ignore,
    *,
    limit_s: float = LIMIT_S,
) -> list[Outcome]:
    """Run all checks at once; a check waits only for those that it follows from.

    Args:
        checks: Which checks.
        site: The subject of the checks.
        on_outcome: Called with each outcome at once.
        limit_s: The timeout of all of them together, those that wait for others included.

    Returns:
        The outcomes, in the order of the checks.
    """
    names = {check.name for check in checks}
    deadline = time.monotonic() + limit_s
    ended: dict[str, asyncio.Future[Outcome]] = {
        check.name: asyncio.get_running_loop().create_future() for check in checks
    }

    async def run_one(check: Check) -> Outcome:
        causes = [await ended[name] for name in check.after if name in names]
        failed = [cause for cause in causes if cause.state is State.FAILED]
        outcome = _skipped(check, failed[0]) if failed else await _timed(check, site, deadline)
        ended[check.name].set_result(outcome)
        on_outcome(outcome)
        return outcome

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run_one(check), name=check.name) for check in checks]
    finally:
        await site.shared.close()
    return [task.result() for task in tasks]


def _skipped(check: Check, cause: Outcome) -> Outcome:
    return Outcome(check, State.UNKNOWN, f"skipped: it depends on “{cause.check.title}”")


async def _timed(check: Check, site: Site, deadline: float) -> Outcome:
    start = time.monotonic()
    if reason := check.skip_reason(site):
        outcome = Outcome(check, State.NOT_NEEDED, reason)
    else:
        outcome = await _run(check, site, min(check.limit_s, deadline - start))
    return replace(outcome, elapsed_s=time.monotonic() - start)


async def _run(check: Check, site: Site, limit_s: float) -> Outcome:
    """A check's outcome, whatever it raises."""
    try:
        async with asyncio.timeout(limit_s):
            result = await check.run(site)
    except TimeoutError:
        late = PrerequisiteError(
            f"no result after {max(limit_s, 0):.0f} s (check {check.name}: {check.description})",
            "Check that the cluster responds and that this kubeconfig has permission to read it: "
            "`vrooli check` shows each check.",
        )
        return Outcome(check, State.UNKNOWN, late.message, error=late)
    except (VrooliError, ExceptionGroup) as raised:
        error = first_error(raised)
        if not isinstance(error, VrooliError):
            raise
        return Outcome(check, State.UNKNOWN, _format_error(error), error=error)
    return judged(check, result)


def judged(check: Check, result: CheckResult) -> Outcome:
    """The outcome of a check with this result."""
    parts = [
        result.summary,
        *(f"not checked: {reason}" for reason in result.unavailable),
        *(f"warning: {warning}" for warning in result.warnings),
    ]
    if result.findings:
        state = State.FAILED
    elif result.summary or not result.unavailable:
        state = State.OK
    else:
        state = State.UNKNOWN
    return Outcome(
        check,
        state,
        "; ".join(filter(None, parts)),
        result.findings,
        unavailable=result.unavailable,
        warnings=result.warnings,
    )


def _format_error(error: VrooliError) -> str:
    return f"permission denied: {error.message}" if is_forbidden(error) else error.message


def is_forbidden(error: VrooliError | None) -> bool:
    """Whether the API server denied the permission to read."""
    return isinstance(error, ApiError) and error.is_forbidden
