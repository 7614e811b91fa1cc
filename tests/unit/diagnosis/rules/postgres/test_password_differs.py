"""The rule postgres-password-differs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.diagnosis.evidence import found
from support.diagnosis.healthy_release import ROTATOR, healthy, with_facts
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import SecretFacts
from vrooli.diagnosis.rules.postgres import password_differs
from vrooli.kube.objects import Ref
from vrooli.secrets.names import Names

CASES: Cases = {
    "two passwords": (
        "Secret/vrooli-pg-pguser-vrooli",
        with_facts(
            "vrooli-pg-pguser-vrooli",
            SecretFacts("Opaque", {"password": 9}, marks={"password": "other"}),
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(password_differs.RULE, *CASES[case])


def test_the_user_that_the_clients_do_not_log_in_as_may_have_another_password() -> None:
    """Two take turns: the one that is not in use has the previous password for a while."""
    clients = SecretFacts(
        "Opaque",
        {"DB_USER": 6, "DB_PASSWORD": 9},
        marks={"DB_USER": "alternate", "DB_PASSWORD": "new"},
    )
    unused = SecretFacts(
        "Opaque", {"user": 6, "password": 9}, marks={"user": "first", "password": "old"}
    )
    facts = {
        Ref("Secret", "vrooli-postgres-creds", "dev"): clients,
        Ref("Secret", "vrooli-pg-pguser-vrooli", "dev"): unused,
    }
    seen = replace(healthy(), secrets={**healthy().secrets, **facts})
    assert found(password_differs.RULE, seen) == []
    used = replace(unused, marks={"user": "alternate", "password": "old"})
    facts[Ref("Secret", "vrooli-pg-pguser-vrooli", "dev")] = used
    seen = replace(seen, secrets={**healthy().secrets, **facts})
    (symptom,) = password_differs.RULE.find(seen)
    assert symptom.command == f"kubectl describe deployment/{ROTATOR.name} -n dev"


def test_the_clients_secret_is_found_by_its_name_in_the_values() -> None:
    values = {"vso": {"secrets": {"postgres": {"k8sSecretName": "of-the-site"}}}}
    facts = SecretFacts("Opaque", {"DB_PASSWORD": 9}, marks={"DB_PASSWORD": "other"})
    evidence = replace(with_facts("of-the-site", facts), names=Names.of(values))
    (symptom,) = password_differs.find(evidence)
    assert "the clients send the password of Secret of-the-site" in symptom.message
