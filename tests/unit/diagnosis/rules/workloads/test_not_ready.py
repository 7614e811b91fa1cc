"""The rule not-ready."""

from __future__ import annotations

from support.diagnosis.evidence import evidence, found, pod_of, rendered
from vrooli.diagnosis.rules.workloads import not_ready


def test_what_lacks_its_status_is_not_ready() -> None:
    assert "Deployment/vrooli-dev-server" in found(not_ready.RULE, rendered())
    assert found(not_ready.RULE, evidence(pod_of("vrooli-dev-server"))) == []
