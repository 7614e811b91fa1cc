"""The rule not-ready."""

from __future__ import annotations

from dataclasses import replace

from support.diagnosis.evidence import evidence, found, pod_of, rendered
from vrooli.diagnosis import root_cause
from vrooli.diagnosis.rules.workloads import not_ready
from vrooli.redaction import Redactor
from vrooli.release.model import Revision


def test_what_lacks_its_status_is_not_ready() -> None:
    assert "Deployment/vrooli-dev-server" in found(not_ready.RULE, rendered())
    assert found(not_ready.RULE, evidence(pod_of("vrooli-dev-server"))) == []


def test_what_a_recent_deploy_explains_is_no_problem_but_not_healthy_either() -> None:
    base = rendered()
    just_deployed = replace(base, helm=Revision(1, "deployed", deployed_at=base.now))
    assert found(not_ready.RULE, just_deployed) == []
    missing = root_cause.diagnose(just_deployed, [not_ready.RULE], Redactor(())).missing
    reasons = {item.resource: item.reason for item in missing}
    assert reasons["Deployment/vrooli-dev-server"].startswith("it is not ready yet: 0 of 1 pods")
    causes = root_cause.diagnose(base, [not_ready.RULE], Redactor(()))
    assert causes.causes
    assert not any("not ready yet" in item.reason for item in causes.missing)
