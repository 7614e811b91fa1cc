"""The command's own part: options, outcomes as results, JUnit XML, and what --fix may do."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from support.fakes.check_site import check
from vrooli.checks import catalog, interface
from vrooli.checks.interface import Outcome, Site, State
from vrooli.environments import ENVIRONMENTS, SecretsSource
from vrooli.errors import UsageError
from vrooli.findings import Finding, Verdict
from vrooli.operators.model import INSTALL_COMMAND
from vrooli.steps import Done, Step
from vrooli.workflows import junit
from vrooli.workflows.checks import cases as check_cases
from vrooli.workflows.checks import check as workflow
from vrooli.workflows.checks import fix
from vrooli.workflows.checks.check import CheckOptions, missing, summary, verdict, view
from vrooli.workflows.development import develop
from vrooli.workflows.results.findings import CheckResult

DEV = ENVIRONMENTS["dev"]


async def _run(site: Site) -> interface.CheckResult:
    return interface.CheckResult()


def _outcome(name: str, state: State, *findings: Finding) -> Outcome:
    return Outcome(check(name, _run), state, "what was found", findings, 1.23456)


def _finding(name: str, what: str = "it", command: str = "") -> Finding:
    return Finding(name, what, "is wrong <&>\x00.", "Mend it.", command)


def test_an_outcome_retains_all_in_its_view() -> None:
    snapshot = view(_outcome("storage", State.FAILED, _finding("storage", "StorageClass/x", "do")))
    assert (snapshot.name, snapshot.state, snapshot.elapsed_s) == ("storage", "failed", 1.235)
    assert (snapshot.examines, snapshot.message) == ("looks at storage", "what was found")
    (item,) = snapshot.findings
    assert (item.resource, item.remediation, item.command) == ("StorageClass/x", "Mend it.", "do")


def test_outcomes_are_counted_in_words() -> None:
    result = [_outcome("a", State.OK), _outcome("b", State.OK), _outcome("c", State.UNKNOWN)]
    assert summary(result) == "2 ok, 1 unknown"


@pytest.mark.parametrize(
    ("states", "ok", "code"),
    [
        ({"cluster": State.OK, "permissions": State.OK, "storage": State.OK}, True, 0),
        ({"cluster": State.OK, "permissions": State.OK, "storage": State.UNKNOWN}, True, 0),
        ({"cluster": State.OK, "permissions": State.OK, "gpu": State.NOT_NEEDED}, True, 0),
        ({"cluster": State.OK, "permissions": State.OK, "storage": State.FAILED}, False, 1),
        (
            {
                "cluster": State.UNKNOWN,
                "permissions": State.UNKNOWN,
                "api-resources": State.UNKNOWN,
            },
            False,
            3,
        ),
        ({"cluster": State.OK, "permissions": State.UNKNOWN}, False, 3),
        ({"api-resources": State.UNKNOWN, "vault": State.UNKNOWN}, False, 3),
        ({"cluster": State.UNKNOWN, "tools": State.FAILED}, False, 1),
        ({"cluster": State.OK, "redis-operator": State.UNKNOWN}, False, 3),
    ],
)
def test_who_could_not_read_the_cluster_does_not_report_that_nothing_is_wrong(
    states: dict[str, State], ok: bool, code: int
) -> None:
    outcomes = [_outcome(name, state) for name, state in states.items()]
    assert (verdict(outcomes) is Verdict.HEALTHY) is ok
    unseen = {name for name, state in states.items() if state is State.UNKNOWN}
    assert {item.resource for item in missing(outcomes)} == {
        item.check.title for item in outcomes if item.check.name in unseen & catalog.REQUIRED
    }
    result = CheckResult(
        ok=ok,
        verdict=verdict(outcomes),
        environment="dev",
        cluster="x",
        namespace="dev",
        checks=tuple(map(view, outcomes)),
        elapsed_s=1.0,
    )
    assert result.exit_code == code


def test_what_the_end_is_on_are_checks_that_there_are() -> None:
    assert {item.name for item in catalog.ALL} >= catalog.REQUIRED
    assert any(item.name in catalog.REQUIRED for item in catalog.OF_OPERATORS)


def test_junit_has_a_case_for_each_check_with_failures_and_skips() -> None:
    outcomes = [
        _outcome("fine", State.OK),
        _outcome("bad", State.FAILED, _finding("bad", command="mend"), _finding("bad", "other")),
        _outcome("needless", State.NOT_NEEDED),
        _outcome("unseen", State.UNKNOWN),
    ]
    text = junit.document(check_cases.SUITE, check_cases.cases(map(view, outcomes)), 2.5)
    root = ET.fromstring(text)  # noqa: S314 - our own
    suite = root.find("testsuite")
    assert suite is not None
    for element in (root, suite):
        counts = [element.get(name) for name in ("tests", "failures", "errors", "skipped")]
        assert counts == ["4", "1", "0", "2"]
    cases = {case.get("classname"): case for case in suite.iter("testcase")}
    assert list(cases) == [f"vrooli.check.{outcome.check.name}" for outcome in outcomes]
    failure = cases["vrooli.check.bad"].find("failure")
    assert failure is not None
    assert failure.get("message") == "it: is wrong <&>\N{REPLACEMENT CHARACTER}.; other: " + (
        "is wrong <&>\N{REPLACEMENT CHARACTER}."
    )
    assert "mend" in str(failure.text)
    assert cases["vrooli.check.unseen"].find("skipped") is not None
    assert cases["vrooli.check.fine"].find("failure") is None
    assert cases["vrooli.check.fine"].get("time") == "1.235"


def test_only_what_its_finding_offers_is_fixed() -> None:
    others = [
        _outcome("storage", State.FAILED, _finding("storage")),
        _outcome("redis-operator", State.FAILED, _finding("redis-operator", command="look")),
        _outcome("vault", State.FAILED, _finding("vault")),
    ]
    assert fix.of(others) == fix.NO_FIX


def test_missing_operators_are_installed_and_waited_for() -> None:
    absent = _outcome(
        "redis-operator", State.FAILED, _finding("redis-operator", command=INSTALL_COMMAND)
    )
    result = fix.of([absent])
    assert result.steps == ("redis-operator", "operators")
    assert result.actions == ("install Redis operator (Spotahome)",)
    assert result.anew == ()


def test_an_operator_whose_definitions_are_deleted_is_installed_anew() -> None:
    finding = _finding("api-resources", "VaultAuth", INSTALL_COMMAND)
    unserved = _outcome("api-resources", State.FAILED, finding)
    result = fix.of([unserved])
    assert result.steps == ("vault-secrets-operator", "operators")
    assert result.anew == ("vault-secrets-operator",)


def test_our_own_vault_is_brought_to_what_it_should_hold() -> None:
    for name in ("vault", "vault-policies"):
        result = fix.of([_outcome(name, State.FAILED, _finding(name, command=INSTALL_COMMAND))])
        assert result.steps == ("secrets",)
        assert "initial secrets" in result.actions[0]


def test_a_step_brings_all_that_it_is_on_and_no_other_line() -> None:
    async def ensure(progress: object) -> Done:
        return Done(changed=False)

    steps = [
        Step("a", "A", ensure),
        Step("b", "B", ensure, ("a",)),
        Step("c", "C", ensure, ("a",)),
        Step("d", "D", ensure, ("c",)),
    ]
    assert develop._closure(steps, ["d"]) == {"a", "c", "d"}


def test_a_file_that_can_not_be_written_is_reported_before_any_change_is_read(
    tmp_path: Path,
) -> None:
    with pytest.raises(UsageError, match="not found"):
        CheckOptions(DEV, junit=tmp_path / "no" / "junit.xml")
    assert CheckOptions(DEV, junit=tmp_path / "junit.xml").junit is not None


def test_the_operators_alone_are_fewer_checks() -> None:
    few = {item.name for item in CheckOptions(DEV, operators=True).checks}
    every = {item.name for item in CheckOptions(DEV).checks}
    assert few < every
    assert {"api-resources", "postgres-operator", "vault", "vault-policies"} <= few
    assert "storage" not in few


def test_the_secrets_of_a_file_have_the_names_of_the_values(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("vso: {secrets: {redis: {k8sSecretName: of-the-site}}}\n")
    options = CheckOptions(DEV, values=(file,), secrets_source=SecretsSource.FILE)
    assert workflow._created_secrets(options) >= {"of-the-site", "vrooli-postgres-creds"}
    assert "vrooli-redis-creds" not in workflow._created_secrets(options)
