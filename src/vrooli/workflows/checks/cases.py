"""The outcomes of checks as test cases. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vrooli.workflows.junit import Case, Outcome
from vrooli.workflows.results.findings import CheckView, FindingView

SUITE = "vrooli check"


def cases(checks: Iterable[CheckView]) -> Iterator[Case]:
    """One case for each check: failures for its findings, skipped if it had no access."""
    for view in checks:
        outcome, message = Outcome.PASSED, view.message
        if view.state == "failed":
            outcome = Outcome.FAILED
            message = "; ".join(f"{item.resource}: {item.message}" for item in view.findings)
        elif view.state != "ok":
            outcome, message = Outcome.SKIPPED, f"{view.state}: {view.message}"
        details = "\n".join(line for item in view.findings for line in _lines(item))
        yield Case(view.name, view.title, outcome, message, details, view.elapsed_s)


def _lines(item: FindingView) -> list[str]:
    return [
        line
        for line in (f"{item.resource}: {item.message}", item.remediation, item.command)
        if line
    ]
