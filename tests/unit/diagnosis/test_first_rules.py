"""The first three rules, on recorded objects."""

from __future__ import annotations

import json

from support.evidence import evidence, found, pod_of, rendered
from vrooli.diagnosis.evidence.model import Answer
from vrooli.diagnosis.rules.vault import sealed as vault_sealed
from vrooli.diagnosis.rules.workloads import image_pull, not_ready
from vrooli.kube.objects import Ref

VAULT = Ref("Service", "vault", "vault")


def sealed(value: bool) -> Answer:
    return Answer("vault-health", VAULT, json.dumps({"initialized": True, "sealed": value}))


def test_an_image_that_cannot_be_had_is_found() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}
    sick = pod_of("vrooli-dev-server", state=waiting, ready=False)
    assert found(image_pull.RULE, evidence(sick)) == ["Deployment/vrooli-dev-server"]
    assert found(image_pull.RULE, evidence(pod_of("vrooli-dev-server"))) == []


def test_what_lacks_its_status_is_not_ready() -> None:
    assert "Deployment/vrooli-dev-server" in found(not_ready.RULE, rendered())
    assert found(not_ready.RULE, evidence(pod_of("vrooli-dev-server"))) == []


def test_a_sealed_vault_is_found_and_an_open_one_is_not() -> None:
    assert found(vault_sealed.RULE, evidence(answers=[sealed(True)])) == ["Service/vault"]
    assert found(vault_sealed.RULE, evidence(answers=[sealed(False)])) == []
