"""The rule stuck-terminating."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from support.diagnosis.evidence import NOW, evidence, found
from vrooli.diagnosis.rules.cluster import terminating
from vrooli.operators import VSO

LONG_AGO = (NOW - timedelta(minutes=10)).isoformat()


def going(kind: str, since: str, **metadata: Any) -> dict[str, Any]:
    """An object that was deleted."""
    head = {"name": "old", "namespace": "dev", "deletionTimestamp": since, **metadata}
    return {"kind": kind, "metadata": head}


def test_what_does_not_go_is_told_with_who_keeps_it() -> None:
    finalizers = ["example.com/cleanup"]
    (symptom,) = terminating.RULE.find(
        evidence(going("ConfigMap", LONG_AGO, finalizers=finalizers))
    )
    assert "the finalizer example.com/cleanup blocks the deletion" in symptom.message
    assert symptom.command == (
        'kubectl patch configmap/old -n dev --type=merge -p \'{"metadata":{"finalizers":null}}\''
    )
    (lost,) = terminating.RULE.find(evidence(going("Pod", LONG_AGO)))
    assert lost.command == "kubectl delete pod/old -n dev --grace-period=0 --force"
    assert not found(terminating.RULE, evidence(going("Pod", NOW.isoformat())))


def test_a_volume_that_is_in_use_is_nobodys_to_take_away() -> None:
    seen = going("PersistentVolumeClaim", LONG_AGO, finalizers=["kubernetes.io/pvc-protection"])
    (symptom,) = terminating.RULE.find(evidence(seen))
    assert "Delete the pods that use it" in symptom.remediation
    assert "describe" in symptom.command


def test_the_operator_that_must_remove_a_finalizer_is_named_with_its_state() -> None:
    kept = going("VaultAuth", LONG_AGO, finalizers=["vaultauth.secrets.hashicorp.com/finalizer"])
    (symptom,) = terminating.RULE.find(evidence(kept))
    assert (
        "which the Vault Secrets Operator (vault-secrets-operator) must remove" in symptom.message
    )
    assert "vrooli check --operators --fix" in symptom.remediation
    stopped = {
        "kind": "Deployment",
        "metadata": {"name": "vso", "namespace": VSO.namespace},
        "spec": {"replicas": 0},
    }
    (symptom,) = terminating.RULE.find(evidence(kept, stopped))
    assert "but it does not run: Deployment/vso is scaled to 0 pods" in symptom.message
