"""The rule probe-failing."""

from __future__ import annotations

import json

from support.diagnosis.evidence import evidence, found, happening, pod_of
from support.objects.workloads import NOW_TEXT, POD, SERVER, ended, the_one
from vrooli.diagnosis.evidence.model import Answer
from vrooli.diagnosis.evidence.probes import health_answer
from vrooli.diagnosis.rules.workloads import probe_failing

PROBED = {"containers": [{"name": "main", "readinessProbe": {"httpGet": {"port": 80}}}]}


UNHEALTHY = happening(POD, "Unhealthy", "Readiness probe failed: HTTP probe failed: 503")


def test_a_failing_probe_is_told_with_what_the_service_itself_says_is_down() -> None:
    body = {"status": "down", "database": {"status": "up"}}
    body["redis"] = {"status": "down", "error": "no answer within 2.5 s"}
    body["services"] = {"status": "up", "jobs": {"status": "down"}}
    answer = Answer(health_answer.NAME, POD, f"503 {json.dumps(body)}")
    seen = pod_of(SERVER, ready=False, spec=PROBED)
    finding = the_one(evidence(seen, events=[UNHEALTHY], answers=[answer]))
    assert finding.rule_id == "probe-failing"
    assert "redis (no answer within 2.5 s); jobs" in finding.message
    assert "database" not in finding.message


def test_a_container_that_has_just_started_may_fail_its_probe() -> None:
    state = {"running": {"startedAt": NOW_TEXT}}
    seen = pod_of(SERVER, ready=False, spec=PROBED, state=state)
    assert not found(probe_failing.RULE, evidence(seen, events=[UNHEALTHY]))


def test_a_container_that_is_ready_again_has_no_failing_probe() -> None:
    seen = pod_of(SERVER, spec=PROBED)
    assert not found(probe_failing.RULE, evidence(seen, events=[UNHEALTHY]))


def test_a_container_that_its_liveness_probe_ends_is_no_mere_crash() -> None:
    events = [
        happening(POD, "Unhealthy", "Liveness probe failed: connection refused"),
        happening(POD, "Killing", "Container main failed liveness probe, will be restarted"),
    ]
    finding = the_one(evidence(ended(137, spec=PROBED), events=events))
    assert finding.rule_id == "probe-failing"
    assert "Liveness" in finding.message
