"""The rule crash-loop."""

from __future__ import annotations

from support.diagnosis.evidence import diagnosed, evidence, found, pod_of
from support.objects.workloads import NOW_TEXT, POD, SERVER, deployment, ended, the_one
from vrooli.diagnosis.evidence.model import LogSource
from vrooli.diagnosis.rules.workloads import crash_loop


def test_a_crash_loop_is_told_with_the_last_lines_of_the_log() -> None:
    source = LogSource("dev", POD.name, "main", previous=True)
    logs = {source: ["starting", "KeyError: 'PORT'", ""]}
    finding = the_one(evidence(ended(1), logs=logs))
    assert finding.rule_id == "crash-loop"
    assert "3 times, last with exit code 1" in finding.message
    assert finding.message.endswith("its last message: KeyError: 'PORT'")
    assert finding.command == f"kubectl logs deployment/{SERVER} -n dev -c main --previous"


def test_one_crash_is_no_loop() -> None:
    last = {"terminated": {"exitCode": 1, "finishedAt": NOW_TEXT}}
    assert not found(crash_loop.RULE, evidence(pod_of(SERVER, last=last, restarts=1)))


def test_what_holds_a_rollout_up_is_its_cause() -> None:
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    (cause,) = diagnosed(evidence(deployment(late), ended(1))).causes
    assert cause.finding.rule_id == "crash-loop"
    assert [item.rule_id for item in cause.consequences] == ["rollout-stuck"]
