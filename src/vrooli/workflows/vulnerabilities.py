"""The suite `vulnerabilities`: known vulnerabilities of the packages that this repository pins."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path

from vrooli import vulnerabilities
from vrooli.events import Listener, Outcome, StepEnded, StepStarted
from vrooli.vulnerabilities import inventory, osv
from vrooli.vulnerabilities.osv import Finding
from vrooli.workflows.results.suites import CaseView

NAME = "known vulnerabilities"
ACCEPTED = Path(vulnerabilities.__file__).parent / "accepted.toml"


async def check(listener: Listener) -> CaseView:
    """Look up the pinned packages.

    A database that cannot be asked is no failure, but the case is reported as not checked.
    """
    listener(StepStarted(NAME, NAME))
    began = time.monotonic()
    pins = inventory.read()
    try:
        outcome, text = _judge(await osv.find(pins), len(pins))
    except osv.UncheckedError as error:
        outcome, text = Outcome.CANCELLED, f"could not check: {error}"
    elapsed_s = time.monotonic() - began
    listener(StepEnded(NAME, NAME, outcome, elapsed_s, text))
    return CaseView(
        name=NAME,
        passed=outcome is not Outcome.FAILED,
        checked=outcome is not Outcome.CANCELLED,
        elapsed_s=round(elapsed_s, 3),
        log="" if outcome is Outcome.UNCHANGED else text,
    )


def _judge(findings: list[Finding], count: int) -> tuple[Outcome, str]:
    accepted = tomllib.loads(ACCEPTED.read_text())
    left = [finding for finding in findings if finding.id not in accepted]
    stale = sorted(accepted.keys() - {finding.id for finding in findings})
    lines = [
        *(
            f"{finding.id}: {finding.pin.name} {finding.pin.version} ({finding.pin.source})"
            for finding in left
        ),
        *(f"{entry} is accepted in {ACCEPTED.name}, but no package has it" for entry in stale),
    ]
    if lines:
        return Outcome.FAILED, "\n".join(lines)
    return Outcome.UNCHANGED, f"none in {count} packages"
