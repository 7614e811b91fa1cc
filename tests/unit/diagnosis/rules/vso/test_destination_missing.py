"""The rule vso-destination-missing."""

from __future__ import annotations

from typing import Any

import pytest

from support.diagnosis.healthy_release import PULL, with_changed
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.rules.vso import destination_missing


def destination(of: str, **fields: Any) -> Evidence:
    """The well release with another destination of a secret."""
    return with_changed(
        "VaultStaticSecret", of, lambda body: body["spec"]["destination"].update(fields)
    )


CASES: Cases = {
    "a destination that isn't there": (
        str(PULL),
        destination(PULL.name, create=False, name="nowhere"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(destination_missing.RULE, *CASES[case])


@pytest.mark.parametrize("name", ["(", "[a", "a{1", "*"])
def test_a_name_is_no_pattern(name: str) -> None:
    """Whoever creates the object writes it; a pattern could end the diagnosis or never end."""
    (symptom,) = destination_missing.RULE.find(destination(PULL.name, name=name, create=False))
    assert f"secret {name} does not exist" in symptom.message


def test_a_template_that_somebody_changed_comes_back_with_the_release() -> None:
    """A patch of it would hold parts of what it makes, which are masked."""
    seen = destination(PULL.name, name="no-such-secret", create=False, transformation={})
    (symptom,) = destination_missing.RULE.find(seen)
    assert symptom.command == "vrooli rollback 1 --environment dev"
