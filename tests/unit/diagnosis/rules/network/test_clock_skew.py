"""The rule clock-skew."""

from __future__ import annotations

from datetime import timedelta

from support.diagnosis.evidence import NOW, evidence, found, pod_of
from support.objects.cluster import node
from vrooli.diagnosis.evidence.model import LogSource
from vrooli.diagnosis.rules.network import clock_skew


def test_a_sign_of_life_from_the_future_is_told() -> None:
    body = node()
    beat = (NOW + timedelta(minutes=3)).isoformat()
    body["status"]["conditions"][0]["lastHeartbeatTime"] = beat
    (symptom,) = clock_skew.RULE.find(evidence(body))
    assert "180 s ahead" in symptom.message
    body["status"]["conditions"][0]["lastHeartbeatTime"] = NOW.isoformat()
    assert not found(clock_skew.RULE, evidence(body))


def test_a_log_that_finds_certificates_not_valid_yet_tells_of_clocks() -> None:
    said = "x509: certificate has expired or is not yet valid: current time 2020-01-01 is before"
    source = LogSource("dev", "vrooli-dev-server-5d9c7b-abcde", "main")
    seen = evidence(pod_of("vrooli-dev-server", ready=False), logs={source: [said]})
    assert found(clock_skew.RULE, seen) == ["Deployment/vrooli-dev-server"]
