"""What a deploy makes of what its checks saw and could not see."""

from __future__ import annotations

from typing import cast

import pytest

from support.fakes.check_site import check
from vrooli.checks import catalog, preflight
from vrooli.checks.images import registry
from vrooli.checks.interface import CheckResult, Outcome, Run, Site, UnavailableError
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.findings import Finding
from vrooli.kube import ApiError, Kube

WRONG = Finding("wrong", "Thing/a", "it is broken.")


def _looks(seen: CheckResult | VrooliError) -> Run:
    async def run(site: Site) -> CheckResult:
        if isinstance(seen, VrooliError):
            raise seen
        return seen

    return run


async def _look(
    monkeypatch: pytest.MonkeyPatch, **seen: CheckResult | VrooliError
) -> tuple[list[Finding], list[Outcome]]:
    checks = tuple(check(name, _looks(what)) for name, what in seen.items())
    monkeypatch.setattr(catalog, "STOP_DEPLOYS", checks)
    outcomes: list[Outcome] = []
    result = await preflight.run(cast(Kube, None), "dev", (), on_outcome=outcomes.append)
    return result, outcomes


async def test_what_could_not_be_seen_is_told_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result, outcomes = await _look(
        monkeypatch,
        storage=ApiError("list StorageClass", 403, "forbidden"),
        fine=CheckResult("is there"),
        images=UnavailableError("from afar"),
        partly=CheckResult(unavailable=("how it is",)),
    )
    assert result == []
    assert preflight.unavailable(outcomes) == (
        "not checked (run `vrooli check` for the reasons): Images, Partly (how it is), Storage"
    )


async def test_what_one_registry_answers_does_not_hide_another_that_could_not_be_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    observed = registry.judge(3, {"r.example/a:1": 200, "away.example/b:1": 0})
    _, outcomes = await _look(monkeypatch, registries=observed)
    assert outcomes[0].summary.startswith("2 of 3 images")
    assert "Registries (away.example/b:1 (no response" in preflight.unavailable(outcomes)


async def test_where_all_was_seen_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    result, outcomes = await _look(
        monkeypatch, wrong=CheckResult("", (WRONG,)), fine=CheckResult("is there")
    )
    assert result == [WRONG]
    assert preflight.unavailable(outcomes) == ""


async def test_a_cluster_that_does_not_answer_still_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(PrerequisiteError, match="no answer"):
        await _look(monkeypatch, cluster=PrerequisiteError("no answer"))
