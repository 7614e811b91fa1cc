"""The rule config-missing."""

from __future__ import annotations

import pytest

from support.diagnosis.evidence import DEV, diagnosed, evidence, found, pod_of
from support.objects.workloads import OWNER, SERVER, the_one, waiting
from vrooli.diagnosis.rules.workloads import config_missing, image_pull


@pytest.mark.parametrize(
    ("said", "about"),
    [
        ('secret "creds" not found', "Secret/creds"),
        ('configmap "settings" not found', "ConfigMap/settings"),
        ("couldn't find key URL in Secret dev/creds", "Secret/creds"),
        ("couldn't find key URL in ConfigMap dev/settings", "ConfigMap/settings"),
        ("container has runAsNonRoot and image will run as root", OWNER),
    ],
)
def test_what_a_container_can_not_start_without_is_named(said: str, about: str) -> None:
    finding = the_one(evidence(waiting("CreateContainerConfigError", said)))
    assert (finding.rule_id, finding.resource) == ("config-missing", about)


def test_a_pod_that_is_well_gives_no_workload_rule_anything_to_say() -> None:
    assert DEV.namespace == "dev"
    assert not diagnosed(evidence(pod_of(SERVER))).causes
    assert not found(config_missing.RULE, evidence(pod_of(SERVER)))
    assert not found(image_pull.RULE, evidence(pod_of(SERVER)))
