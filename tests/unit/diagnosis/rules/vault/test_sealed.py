"""The rule vault-sealed."""

from __future__ import annotations

import json

import pytest

from support.diagnosis.evidence import evidence, found
from support.diagnosis.healthy_release import VAULT, as_json, with_answer
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import Answer
from vrooli.diagnosis.rules.vault import sealed
from vrooli.diagnosis.rules.vault import sealed as vault_sealed
from vrooli.kube.objects import Ref

SEALED = as_json(initialized=True, sealed=True)

CASES: Cases = {
    "Vault is sealed": (
        "Service/vault",
        with_answer("vault-health", VAULT, SEALED),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(sealed.RULE, *CASES[case])


VAULT = Ref("Service", "vault", "vault")


def seal_status(value: bool) -> Answer:
    return Answer("vault-health", VAULT, json.dumps({"initialized": True, "sealed": value}))


def test_a_sealed_vault_is_found_and_an_open_one_is_not() -> None:
    assert found(vault_sealed.RULE, evidence(answers=[seal_status(True)])) == ["Service/vault"]
    assert found(vault_sealed.RULE, evidence(answers=[seal_status(False)])) == []
