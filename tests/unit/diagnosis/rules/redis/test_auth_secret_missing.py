"""The rule redis-auth-secret-missing."""

from __future__ import annotations

import pytest

from support.diagnosis.healthy_release import RF, spec
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.redis import auth_secret_missing

CASES: Cases = {
    "a name of no Secret": (
        str(RF),
        spec("RedisFailover", RF.name, auth={"secretPath": "redis"}),
    ),
}


@pytest.mark.parametrize("name", ["(", "[a", "a{1", "*"])
def test_a_name_is_no_pattern(name: str) -> None:
    """Whoever creates the object writes it; a pattern could end the diagnosis or never end."""
    changed = spec("RedisFailover", RF.name, auth={"secretPath": name})
    (symptom,) = auth_secret_missing.RULE.find(changed)
    assert f'"{name}" not found' in symptom.message


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(auth_secret_missing.RULE, *CASES[case])
