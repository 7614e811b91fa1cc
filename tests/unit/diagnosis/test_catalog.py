"""The order of the catalogue: a warning hides no failure and is reported after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from support.diagnosis.evidence import NOW, START, diagnosed, evidence, pod_of
from vrooli.diagnosis.evidence.model import Evidence, SecretFacts
from vrooli.kube.objects import Ref

SERVER = "vrooli-dev-server"


def crashing(**spec: Any) -> dict[str, Any]:
    """The server's pod, which ends again and again by its own fault."""
    ended = {"exitCode": 1, "reason": "Error", "finishedAt": NOW.isoformat()}
    return pod_of(
        SERVER,
        ready=False,
        state={"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
        last={"terminated": ended},
        restarts=5,
        spec=spec,
    )


def causes_of(collected: Evidence) -> list[tuple[str, list[str]]]:
    """The causes by name, each with the names of what follows from it."""
    causes = diagnosed(collected).causes
    return [
        (cause.finding.rule_id, [item.rule_id for item in cause.consequences]) for cause in causes
    ]


def test_a_certificate_that_ends_soon_hides_no_ingress_without_backend() -> None:
    backend = {"service": {"name": "gone", "port": {"name": "http"}}}
    ingress = {
        "kind": "Ingress",
        "metadata": {"name": "vrooli-dev", "namespace": "dev"},
        "spec": {
            "ingressClassName": "traefik",
            "rules": [{"host": "x", "http": {"paths": [{"path": "/", "backend": backend}]}}],
            "tls": [{"secretName": "web-tls"}],
        },
    }
    ends = {"tls.crt": NOW + timedelta(days=6)}
    facts = SecretFacts("kubernetes.io/tls", {"tls.crt": 9, "tls.key": 9}, expires=ends)
    collected = evidence(
        ingress,
        {"kind": "IngressClass", "metadata": {"name": "traefik"}, "spec": {}},
        {"kind": "Secret", "metadata": {"name": "web-tls", "namespace": "dev"}},
        {"kind": "Service", "metadata": {"name": "other", "namespace": "dev"}, "spec": {}},
        secrets={Ref("Secret", "web-tls", "dev"): facts},
    )
    assert causes_of(collected) == [("ingress-without-backend", []), ("certificate-ends-soon", [])]
    expired = replace(facts, expires={"tls.crt": NOW - timedelta(days=1)})
    ended = replace(collected, secrets={Ref("Secret", "web-tls", "dev"): expired})
    assert sorted(causes_of(ended)) == [
        ("certificate-expired", []),
        ("ingress-without-backend", []),
    ]


def test_a_node_that_cannot_be_emptied_hides_no_crash_loop() -> None:
    ready = [{"type": "Ready", "status": "True"}]
    node = {
        "kind": "Node",
        "metadata": {"name": "one", "creationTimestamp": START},
        "spec": {"unschedulable": True},
        "status": {"conditions": ready},
    }
    component = {"app.kubernetes.io/component": "ui"}
    budget = {
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "ui", "namespace": "dev"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": component}},
        "status": {"disruptionsAllowed": 0, "currentHealthy": 1, "expectedPods": 1},
    }
    ui = pod_of("vrooli-dev-ui", spec={"nodeName": "one"})
    collected = evidence(node, budget, ui, crashing(nodeName="one"))
    assert causes_of(collected) == [("crash-loop", []), ("disruption-budget-blocks", [])]


def test_a_pull_secret_that_is_missing_hides_no_crash_loop() -> None:
    collected = evidence(crashing(imagePullSecrets=[{"name": "hub"}]))
    assert causes_of(collected) == [("crash-loop", []), ("pull-secret-missing", [])]
