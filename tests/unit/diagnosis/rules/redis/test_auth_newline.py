"""The rule redis-auth-newline."""

from __future__ import annotations

import copy

import pytest

from support.diagnosis.healthy_release import with_facts
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import SecretFacts
from vrooli.diagnosis.rules.redis import auth_newline
from vrooli.findings import Finding
from vrooli.secrets import usable

CASES: Cases = {
    "a new line after the password": (
        "Secret/vrooli-redis-creds",
        with_facts(
            "vrooli-redis-creds",
            SecretFacts(
                "Opaque", {"REDIS_PASSWORD": 9, "password": 9}, trimmed=frozenset({"password"})
            ),
        ),
    ),
    "a quote in the password": (
        "Secret/vrooli-redis-creds",
        with_facts(
            "vrooli-redis-creds",
            SecretFacts(
                "Opaque",
                {"REDIS_PASSWORD": 9, "password": 9},
                problems={"REDIS_PASSWORD": usable.problem("REDIS_PASSWORD", "a'hunter2")},
            ),
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(auth_newline.RULE, *CASES[case])


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("field", ["mount", "path"])
def test_a_place_in_vault_that_is_no_path_is_not_printed_in_a_command(
    case: str, field: str
) -> None:
    evidence = copy.deepcopy(CASES[case][1])
    for body in evidence.all("VaultStaticSecret"):
        body["spec"][field] = "a; touch X #"
    (symptom,) = auth_newline.RULE.find(evidence)
    finding = Finding("x", "y", "z", symptom.remediation, symptom.command)
    assert not finding.command
    assert "is not a valid name" in finding.remediation
