"""The rule oom-killed."""

from __future__ import annotations

from support.diagnosis.evidence import evidence, found, pod_of
from support.objects.workloads import SERVER, ended, the_one
from vrooli.diagnosis.rules.workloads import oom_killed


def test_a_container_killed_for_its_memory_gets_twice_the_limit() -> None:
    limits = {"containers": [{"name": "main", "resources": {"limits": {"memory": "64Mi"}}}]}
    finding = the_one(evidence(ended(137, "OOMKilled", spec=limits)))
    assert finding.rule_id == "oom-killed"
    assert finding.command == (
        f"kubectl set resources deployment/{SERVER} -n dev -c main --limits=memory=128Mi"
    )


def test_one_killed_long_ago_is_well_again() -> None:
    last = {"terminated": {"reason": "OOMKilled", "finishedAt": "2026-06-01T10:00:00+00:00"}}
    assert not found(oom_killed.RULE, evidence(pod_of(SERVER, last=last)))
