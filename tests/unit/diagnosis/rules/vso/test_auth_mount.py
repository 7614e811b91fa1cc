"""The rule vso-auth-mount-missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.diagnosis.healthy_release import AUTH, as_json, refused_login, spec
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import Answer
from vrooli.diagnosis.rules.vso import auth_mount

CASES: Cases = {
    "no auth mount": (
        str(AUTH),
        refused_login("permission denied", mounted=False),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(auth_mount.RULE, *CASES[case])


def test_a_changed_field_is_put_back_to_what_the_release_noted() -> None:
    seen = spec("VaultAuth", AUTH.name, mount="elsewhere")
    said = as_json(status=403, errors=["permission denied"], mounted=False)
    others = [item for item in seen.answers if item.probe != "vault-login"]
    seen = replace(seen, answers=(*others, Answer("vault-login", AUTH, said)))
    (symptom,) = auth_mount.RULE.find(seen)
    assert '{"spec": {"mount": "kubernetes"}}' in symptom.command
