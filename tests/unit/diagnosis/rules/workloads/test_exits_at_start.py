"""The rule container-exits-at-start."""

from __future__ import annotations

import pytest

from support.diagnosis.evidence import evidence, found, pod_of
from support.objects.workloads import SERVER, ended, the_one, waiting
from vrooli.diagnosis.rules.workloads import exits_at_start


@pytest.mark.parametrize(("code", "reason"), [(127, "Error"), (126, "Error"), (0, "Completed")])
def test_a_program_that_never_runs_is_not_just_a_crash(code: int, reason: str) -> None:
    assert the_one(evidence(ended(code, reason))).rule_id == "container-exits-at-start"


def test_a_program_that_can_not_be_started_is_told_in_the_runtimes_words() -> None:
    said = 'exec: "no-such": executable file not found in $PATH'
    assert said in the_one(evidence(waiting("RunContainerError", said))).message
    assert not found(exits_at_start.RULE, evidence(pod_of(SERVER)))
