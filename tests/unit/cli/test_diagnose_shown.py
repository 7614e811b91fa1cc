"""How a diagnosis is shown to people."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from vrooli.cli import diagnose
from vrooli.findings import Verdict
from vrooli.workflows.results.base import MissingView
from vrooli.workflows.results.findings import (
    CauseView,
    DiagnoseResult,
    FindingView,
    UnavailableView,
)


def finding(name: str) -> FindingView:
    return FindingView(
        rule_id=name,
        resource=f"Deployment/{name}",
        message="found",
        remediation="mend it",
        command=f"kubectl describe {name}",
        link="",
        evidence=(),
    )


@pytest.mark.parametrize("names", [(), ("after",)])
def test_where_something_follows_it_reports_how_to_read_its_remedy(names: tuple[str, ...]) -> None:
    cause = CauseView(finding=finding("cause"), consequences=tuple(map(finding, names)))
    result = DiagnoseResult(
        ok=False,
        release="vrooli-dev",
        namespace="dev",
        causes=(cause,),
        unavailable=(),
        rule_count=1,
        elapsed_s=0.1,
    )
    out = io.StringIO()
    diagnose.show(result, Console(file=out, width=200))
    assert ("--output json" in out.getvalue()) is bool(names)
    # What machines read has all of it.
    assert [item.command for item in cause.consequences] == [
        f"kubectl describe {it}" for it in names
    ]


def test_what_is_needed_and_was_not_read_is_first_with_what_to_do() -> None:
    missing = MissingView(
        resource="Pod in dev", reason="no answer within 90 s", advice="Wait longer."
    )
    unavailable = (
        UnavailableView(resource=missing.resource, reason=missing.reason),
        UnavailableView(resource="Node", reason="no right to list it"),
    )
    cause = CauseView(finding=finding("cause"), consequences=())
    result = DiagnoseResult(
        ok=False,
        verdict=Verdict.PROBLEMS,
        missing=(missing,),
        release="vrooli-dev",
        namespace="dev",
        causes=(cause,),
        unavailable=unavailable,
        rule_count=1,
        elapsed_s=0.1,
    )
    lines = _shown(result)
    assert lines[:3] == [
        "Result incomplete:",
        "  ? Pod in dev: no answer within 90 s",
        "    Wait longer.",
    ]
    assert lines.index("1. Deployment/cause: found  (cause)") > 2
    assert "Not checked: Node: no right to list it" in lines
    assert sum("Pod in dev" in line for line in lines) == 1
    alone = _shown(result.model_copy(update={"verdict": Verdict.UNKNOWN, "causes": ()}))
    assert "but it is not known whether" in alone[-1]


def _shown(result: DiagnoseResult) -> list[str]:
    out = io.StringIO()
    diagnose.show(result, Console(file=out, width=200))
    return out.getvalue().splitlines()
