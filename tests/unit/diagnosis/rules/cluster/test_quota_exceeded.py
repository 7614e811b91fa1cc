"""The rule quota-exceeded."""

from __future__ import annotations

import json

import pytest

from support.diagnosis.evidence import evidence, found, happening
from support.objects.workloads import NO_ROOM, OF_REDIS, one_of, refused, the_one
from vrooli.diagnosis.rules.cluster import quota_exceeded
from vrooli.diagnosis.rules.workloads import pod_refused
from vrooli.kube.objects import Ref


@pytest.mark.parametrize(
    ("amounts", "hard"),
    [
        ("requested: pods=1, used: pods=7, limited: pods=7", {"pods": "8"}),
        (
            "requested: requests.cpu=500m, used: requests.cpu=2, limited: requests.cpu=2",
            {"requests.cpu": "2500m"},
        ),
        (
            "requested: limits.memory=64Mi, used: limits.memory=1Gi, limited: limits.memory=1Gi",
            {"limits.memory": "1088Mi"},
        ),
    ],
)
def test_a_quota_without_room_is_raised_by_what_is_asked_for(
    amounts: str, hard: dict[str, str]
) -> None:
    finding = the_one(refused(f'pods "x" is forbidden: exceeded quota: small, {amounts}'))
    assert (finding.rule_id, finding.resource) == ("quota-exceeded", "ResourceQuota/small")
    assert json.loads(finding.command.split("'")[1]) == {"spec": {"hard": hard}}
    assert not found(quota_exceeded.RULE, evidence())
    assert not found(pod_refused.RULE, evidence())


def test_a_pod_that_was_made_since_ends_a_refusal() -> None:
    about = Ref(*OF_REDIS, "dev")
    failed = happening(about, "FailedCreate", NO_ROOM, ago_s=60)
    made = happening(about, "SuccessfulCreate", "create Pod rfr-vrooli-rf-1 successful", ago_s=9)
    assert not found(quota_exceeded.RULE, one_of(2, failed, made))
    assert found(
        quota_exceeded.RULE, one_of(2, made, happening(about, "FailedCreate", NO_ROOM, ago_s=5))
    )
