"""The rule pull-secret-missing."""

from __future__ import annotations

from support.diagnosis.evidence import diagnosed, evidence, found, pod_of
from support.objects.workloads import SERVER, the_one, waiting
from vrooli.diagnosis.rules.workloads import pull_secret_missing


def test_a_pull_secret_that_is_not_there_or_is_none_is_named() -> None:
    spec = {"imagePullSecrets": [{"name": "pull"}]}
    seen = evidence(pod_of(SERVER, spec=spec))
    assert found(pull_secret_missing.RULE, seen) == ["Secret/pull"]
    assert "--from-file=.dockerconfigjson=" in the_one(seen).command


def test_a_missing_pull_secret_explains_the_image_that_is_refused() -> None:
    seen = waiting("ErrImagePull", "401", spec={"imagePullSecrets": [{"name": "pull"}]})
    (cause,) = diagnosed(evidence(seen)).causes
    assert cause.finding.rule_id == "pull-secret-missing"
    assert [item.rule_id for item in cause.consequences] == ["image-pull"]
