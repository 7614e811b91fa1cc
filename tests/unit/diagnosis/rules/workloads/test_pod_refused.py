"""The rule pod-refused."""

from __future__ import annotations

import pytest

from support.diagnosis.evidence import asleep, diagnosed, found, happening
from support.objects.workloads import NO_ROOM, OF_REDIS, OWNER, one_of, refused, the_one
from vrooli.diagnosis.rules.workloads import pod_refused
from vrooli.kube.objects import Ref

CALL = (
    'Internal error occurred: failed calling webhook "x.example.com": failed to call webhook: Post '
    '"https://{}/mutate?timeout=10s": no endpoints available for service "asked"'
)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest": hostPath', "security"),
        ("maximum memory usage per Container is 128Mi, but limit is 512Mi", "LimitRange"),
        ('admission webhook "deny.example.com" denied the request: no', "a webhook forbids"),
        ('failed calling webhook "x": service "y" not found', "does not respond"),
        ('error looking up service account dev/x: serviceaccount "x" not found', "account"),
        ('no PriorityClass with name "urgent" was found', "priority"),
        ("something that nobody has heard of", "the API server forbids it"),
    ],
)
def test_why_pods_are_refused_is_told_apart(said: str, why: str) -> None:
    finding = the_one(refused(said))
    assert (finding.rule_id, finding.resource) == ("pod-refused", OWNER)
    assert why in finding.message
    assert said in finding.message


def test_a_webhook_that_does_not_answer_is_brought_up() -> None:
    seen = refused(CALL.format("asked.tools.svc:443"), 1)
    # No other version of the workload helps.
    assert the_one(seen).command == "kubectl describe service/asked -n tools"
    there = refused(CALL.format("asked.tools.svc:443"), 1, beside=asleep("asked", "tools"))
    assert the_one(there).command == "kubectl scale deployment/asked -n tools --replicas=1"
    outside = refused(CALL.format("asked.example.com"))
    assert the_one(outside).command.startswith("kubectl get validatingwebhookconfigurations")


def test_a_missing_service_account_is_made() -> None:
    finding = the_one(
        refused('error looking up service account dev/x: serviceaccount "x" not found')
    )
    assert finding.command == "kubectl create serviceaccount x -n dev"


@pytest.mark.parametrize("pods", [0, 1, 2])
@pytest.mark.parametrize(
    ("said", "rule"), [(NO_ROOM, "quota-exceeded"), ("denied the request: no", "pod-refused")]
)
def test_a_pod_that_is_refused_beside_others_is_told(pods: int, said: str, rule: str) -> None:
    failed = happening(Ref(*OF_REDIS, "dev"), "FailedCreate", said)
    assert rule in {cause.finding.rule_id for cause in diagnosed(one_of(pods, failed)).causes}
    assert not found(pod_refused.RULE, one_of(3, failed))
