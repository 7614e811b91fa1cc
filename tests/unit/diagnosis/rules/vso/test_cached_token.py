"""The rule vso-cached-token."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.diagnosis.evidence import NOW, START, found, happening, pod, with_objects
from support.diagnosis.healthy_release import OF_REDIS, VSO_POD, with_events
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.rules.vso import cached_token

TRIES = replace(
    happening(OF_REDIS, "VaultClientError", "Failed to read Vault secret: Code: 403", ago_s=5),
    count=4,
)

CASES: Cases = {
    "a token from before": (
        str(OF_REDIS),
        with_events(TRIES),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(cached_token.RULE, *CASES[case])


def test_an_operator_that_was_started_since_has_another_token() -> None:
    since = pod("vso", namespace=VSO_POD)
    since["metadata"]["creationTimestamp"] = (NOW - timedelta(seconds=2)).isoformat()
    assert found(cached_token.RULE, with_objects(with_events(TRIES), since)) == []
    since["metadata"]["creationTimestamp"] = START
    assert found(cached_token.RULE, with_objects(with_events(TRIES), since)) == [str(OF_REDIS)]
