"""The causes of a failed deploy come first; bystanders aren't among them."""

from __future__ import annotations

from typing import Any

from support.diagnosis.evidence import diagnosed, evidence, happening, pod_of
from vrooli.diagnosis.attribution import causes_of
from vrooli.diagnosis.evidence.model import Evidence, LogSource
from vrooli.kube.objects import ref_of

PROBED: dict[str, Any] = {
    "containers": [{"name": "main", "readinessProbe": {"httpGet": {"port": 80}}}]
}


def crashed(name: str) -> dict[str, Any]:
    """A pod whose container ended again and again."""
    last = {"terminated": {"exitCode": 1, "reason": "Error"}}
    state = {"waiting": {"reason": "CrashLoopBackOff"}}
    return pod_of(name, ready=False, state=state, last=last, restarts=2)


SERVER = crashed("vrooli-dev-server")
JOBS = pod_of("vrooli-dev-jobs", ready=False, spec=PROBED)
TIMED_OUT = happening(
    ref_of(JOBS), "Unhealthy", "Readiness probe failed: context deadline exceeded"
)
LOG = ["Traceback (most recent call last):", '  File "/a.py", line 3, in <module>', "KeyError: 'a'"]


def seen() -> Evidence:
    """A server that crashes, and jobs whose probe once timed out."""
    source = LogSource("dev", ref_of(SERVER).name, "main", previous=True)
    return evidence(JOBS, SERVER, events=[TIMED_OUT], logs={source: [*LOG, "  ^^^"]})


def test_the_cause_of_the_failure_is_told_first_with_its_own_line_and_no_bystanders() -> None:
    said = diagnosed(seen())
    assert len(said.causes) == 2
    failure = f"The release can't become ready:\n  {ref_of(SERVER).name}/main: CrashLoopBackOff"
    (cause,) = causes_of(failure, said, seen())
    assert cause.finding.resource == "Deployment/vrooli-dev-server"
    assert "its last message: KeyError: 'a'" in cause.finding.message


def test_where_the_failure_names_nobody_all_causes_but_bystanders_are_told() -> None:
    said = diagnosed(seen())
    (cause,) = causes_of("The release isn't ready after 600 s", said, seen())
    assert cause.finding.resource == "Deployment/vrooli-dev-server"


def test_a_probe_of_a_bystander_is_no_cause_of_a_failure_that_no_rule_explains() -> None:
    only = evidence(JOBS, events=[TIMED_OUT])
    said = diagnosed(only)
    assert [cause.finding.rule_id for cause in said.causes] == ["probe-failing"]
    assert causes_of("Helm failed: a hook timed out", said, only) == ()


def test_a_probe_is_the_cause_where_the_failure_names_its_owner() -> None:
    only = evidence(JOBS, events=[TIMED_OUT])
    said = diagnosed(only)
    failure = "The release isn't ready after 600 s:\n  Deployment/vrooli-dev-jobs: 0 of 1 ready"
    assert causes_of(failure, said, only) == said.causes


def test_a_longer_name_in_the_failure_is_another_object() -> None:
    only = evidence(JOBS, events=[TIMED_OUT])
    said = diagnosed(only)
    for name in ("Deployment/vrooli-dev-jobs2", "Deployment/vrooli-dev-jobs-old"):
        assert causes_of(f"The release can't become ready:\n  {name}: failed", said, only) == ()
    longer = f"The release can't become ready:\n  {ref_of(JOBS).name}2/main: failed"
    assert causes_of(longer, said, only) == ()
