"""How a diagnosis is shown to people."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from vrooli.cli import diagnose
from vrooli.workflows.results import CauseView, DiagnoseResult, FindingView


def finding(name: str) -> FindingView:
    return FindingView(
        name=name,
        what=f"Deployment/{name}",
        found="found",
        remedy="mend it",
        command=f"kubectl describe {name}",
        link="",
        evidence=(),
    )


@pytest.mark.parametrize("names", [(), ("after",)])
def test_where_something_follows_it_says_how_to_see_its_remedy(names: tuple[str, ...]) -> None:
    cause = CauseView(finding=finding("cause"), follows=tuple(map(finding, names)))
    result = DiagnoseResult(
        ok=False,
        release="vrooli-dev",
        namespace="dev",
        causes=(cause,),
        unseen=(),
        rules=1,
        elapsed_s=0.1,
    )
    out = io.StringIO()
    diagnose.show(result, Console(file=out, width=200))
    assert ("--output json" in out.getvalue()) is bool(names)
    # What machines read has all of it.
    assert [item.command for item in cause.follows] == [f"kubectl describe {it}" for it in names]
