"""The rule secret-key-missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.diagnosis.healthy_release import with_facts
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import SecretFacts
from vrooli.diagnosis.rules.workloads import secret_key_missing
from vrooli.kube.objects import Ref
from vrooli.secrets.names import Names

CASES: Cases = {
    "a Secret without a key of the server's": (
        "Secret/vrooli-secrets-shared-server-jobs",
        with_facts(
            "vrooli-secrets-shared-server-jobs", SecretFacts("Opaque", {"OPENAI_API_KEY": 1})
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(secret_key_missing.RULE, *CASES[case])


def test_a_secret_is_found_by_its_name_in_the_values() -> None:
    values = {"vso": {"secrets": {"sharedSecretsServerJobs": {"k8sSecretName": "of-the-site"}}}}
    evidence = with_facts("of-the-site", SecretFacts("Opaque", {"OPENAI_API_KEY": 1}))
    (symptom,) = secret_key_missing.find(replace(evidence, names=Names.of(values)))
    assert symptom.resource == Ref("Secret", "of-the-site", "dev")
