"""The rule rollout-stuck."""

from __future__ import annotations

from support.diagnosis.evidence import evidence, found
from support.objects.workloads import SERVER, deployment, the_one
from vrooli.diagnosis.rules.workloads import rollout_stuck


def test_a_rollout_that_is_stuck_or_paused_is_told_when_nothing_says_why() -> None:
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    assert the_one(evidence(deployment(late))).rule_id == "rollout-stuck"
    paused = the_one(evidence(deployment(paused=True)))
    assert paused.command == f"kubectl rollout resume deployment/{SERVER} -n dev"
    assert not found(rollout_stuck.RULE, evidence(deployment()))
