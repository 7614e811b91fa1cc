"""The suite `vulnerabilities`: known vulnerabilities of the packages that this repository pins."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import httpx

from vrooli.errors import VrooliError
from vrooli.events import Listener, Outcome, Progress, StepEnded, StepStarted
from vrooli.grammar import counted
from vrooli.images.builders.detection import detect
from vrooli.images.updates import find_all
from vrooli.vulnerabilities import accepted, inventory, osv
from vrooli.vulnerabilities.osv import Finding
from vrooli.workflows.results.suites import CaseView

PINS, UPDATES = "known vulnerabilities", "security updates of images"
Verdict = tuple[Outcome, str]


async def check(listener: Listener, *, is_advisory: bool = False) -> list[CaseView]:
    """Look up the pinned packages, and the security updates of this machine's images.

    A service that cannot be asked is no failure, but the case is reported as not checked.

    Args:
        listener: Gets the events.
        is_advisory: Whether known vulnerabilities are reported without a failure. They are
            published without a change of the source, so they fail only a run that asks for them.
    """

    async def check_pins() -> Verdict:
        outcome, text = await _check_pins()
        return (Outcome.CHANGED if is_advisory and outcome is Outcome.FAILED else outcome), text

    return [
        await _case(PINS, check_pins, listener),
        await _case(UPDATES, _check_images, listener),
    ]


async def _case(name: str, work: Callable[[], Awaitable[Verdict]], listener: Listener) -> CaseView:
    listener(StepStarted(name, name))
    began = time.monotonic()
    outcome, text = await work()
    elapsed_s = time.monotonic() - began
    listener(StepEnded(name, name, outcome, elapsed_s, text))
    return CaseView(
        name=name,
        passed=outcome is not Outcome.FAILED,
        checked=outcome is not Outcome.CANCELLED,
        elapsed_s=round(elapsed_s, 3),
        log="" if outcome is Outcome.UNCHANGED else text,
    )


async def _check_pins() -> Verdict:
    pins = inventory.read()
    try:
        return _judge(await osv.find(pins), len(pins))
    except osv.UncheckedError as error:
        return Outcome.CANCELLED, f"could not check: {error}"


async def _check_images() -> Verdict:
    """Report the updates; they are no failure, since they appear without a change of the source."""
    try:
        updates = await find_all(await detect(), Progress())
    except (VrooliError, httpx.HTTPError, ValueError) as error:
        return Outcome.CANCELLED, f"could not check: {error or type(error).__name__}"
    if not updates:
        return Outcome.CANCELLED, "could not check: no images are built on this machine"
    missing = sorted({update for found in updates.values() for update in found})
    if not missing:
        return Outcome.UNCHANGED, f"none in {len(updates)} images"
    return Outcome.CHANGED, (
        f"images lack {counted(len(missing), 'security update')}: "
        + ", ".join(f"{name} {installed} → {new}" for name, installed, new in missing)
        + "; run `vrooli setup --update-images`"
    )


def _judge(findings: list[Finding], count: int) -> Verdict:
    remaining, stale = accepted.split(findings)
    lines = [
        *(
            f"{finding.id}: {finding.pin.name} {finding.pin.version} ({finding.pin.source})"
            for finding in remaining
        ),
        *(f"{entry} is accepted in {accepted.FILE.name}, but no package has it" for entry in stale),
    ]
    if lines:
        return Outcome.FAILED, "\n".join(lines)
    return Outcome.UNCHANGED, f"none in {count} packages"
