"""A HorizontalPodAutoscaler cannot compute the number of replicas."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import is_older, last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, condition, mapping, ref_of, text

# New pods have no metrics yet, seconds.
MEASURED_S = 120.0
YOUNG = "did not receive metrics"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each autoscaler that does not work."""
    for scaler in evidence.all("HorizontalPodAutoscaler"):
        ref, target = ref_of(scaler), mapping(scaler, "spec", "scaleTargetRef")
        named = Ref(text(target, "kind"), text(target, "name"), ref.namespace)
        for kind in ("AbleToScale", "ScalingActive"):
            state = condition(scaler, kind)
            reason, message = text(state, "reason"), text(state, "message")
            # Autoscaling is disabled while the target is scaled to 0.
            if state.get("status") != "False" or reason == "ScalingDisabled":
                continue
            since = text(state, "lastTransitionTime")
            if YOUNG in message and not is_older(evidence, since, MEASURED_S):
                continue
            remedy, command = _remediation(ref, named, message)
            yield Symptom(
                resource=ref,
                message=f"it does not scale {named} ({reason}): {message}",
                remediation=remedy,
                command=command,
                evidence=last_events(evidence, ref) or (f"{kind} False: {message}",),
            )
            break


def _remediation(ref: Ref, named: Ref, message: str) -> tuple[str, str]:
    if "missing request for" in message:
        what = message.partition("missing request for ")[2].partition(" ")[0]
        amount = {"cpu": "cpu=50m", "memory": "memory=64Mi"}.get(what, "cpu=50m")
        return (
            "Set requests for the measured resource in each container "
            "(services.*.resources.requests).",
            f"kubectl set resources {named.words} --requests={amount}",
        )
    if "not found" in message and named.name in message:
        return "Correct its target, or delete it.", f"kubectl delete {ref.words}"
    return (
        "Make sure that metrics-server is running and responds.",
        "kubectl get apiservice v1beta1.metrics.k8s.io",
    )


RULE = Rule(
    rule_id="scaler-without-metrics",
    title="FailedGetResourceMetric: an autoscaler has no metrics, or no target",
    find=find,
    link="https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/",
)
