"""The rule rotator-down."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.diagnosis.evidence import found, pod_of, with_objects
from support.diagnosis.healthy_release import ROTATOR, RUNNING, with_facts, without
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis import root_cause
from vrooli.diagnosis.evidence.model import SecretFacts
from vrooli.diagnosis.rules.release import rotator_down
from vrooli.diagnosis.rules.workloads import config_missing
from vrooli.kube.objects import Ref
from vrooli.redaction import Redactor

SERVER = "vrooli-dev-server"
NO_SECRET = 'secret "vrooli-redis-creds" not found'


# A password that the rotator hasn't published, and which has no pod.
NEWER = with_facts(
    "vrooli-redis-creds-vault", SecretFacts("Opaque", {"password": 9}, marks={"password": "new"})
)

CASES: Cases = {
    "a rotator without a pod": (
        str(ROTATOR),
        NEWER,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(rotator_down.RULE, *CASES[case])


def test_a_rotator_that_runs_is_not_down_while_a_password_is_on_its_way() -> None:
    seen = replace(RUNNING, secrets=NEWER.secrets)
    assert found(rotator_down.RULE, NEWER) == ["Deployment/vrooli-dev-rotator"]
    assert found(rotator_down.RULE, seen) == []


def test_a_secret_that_the_rotator_has_not_made_is_why_pods_wait() -> None:
    waits = {"waiting": {"reason": "CreateContainerConfigError", "message": NO_SECRET}}
    seen = with_objects(without("Secret", "vrooli-redis-creds"), pod_of(SERVER, state=waits))
    (symptom,) = config_missing.RULE.find(seen)
    assert symptom.resource == Ref("Secret", "vrooli-redis-creds", "dev")
    assert symptom.command == f"kubectl describe deployment/{ROTATOR.name} -n dev"
    rules = [rotator_down.RULE, config_missing.RULE]
    (cause,) = root_cause.diagnose(seen, rules, Redactor()).causes
    assert cause.finding.rule_id == "rotator-down"
    assert [item.rule_id for item in cause.consequences] == ["config-missing"]
