"""A HorizontalPodAutoscaler can't tell how many pods there should be."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import is_older, told
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, condition, mapping, ref_of, text

# New pods have no metrics yet, seconds.
MEASURED_S = 120.0
YOUNG = "did not receive metrics"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each autoscaler that doesn't work."""
    for scaler in evidence.all("HorizontalPodAutoscaler"):
        ref, target = ref_of(scaler), mapping(scaler, "spec", "scaleTargetRef")
        named = Ref(text(target, "kind"), text(target, "name"), ref.namespace)
        for kind in ("AbleToScale", "ScalingActive"):
            state = condition(scaler, kind)
            reason, said = text(state, "reason"), text(state, "message")
            # One that somebody has scaled to none rests.
            if state.get("status") != "False" or reason == "ScalingDisabled":
                continue
            since = text(state, "lastTransitionTime")
            if YOUNG in said and not is_older(evidence, since, MEASURED_S):
                continue
            remedy, command = _mend(ref, named, said)
            yield Symptom(
                resource=ref,
                message=f"it doesn't scale {named} ({reason}): {said}",
                remediation=remedy,
                command=command,
                evidence=told(evidence, ref) or (f"{kind} False: {said}",),
            )
            break


def _mend(ref: Ref, named: Ref, said: str) -> tuple[str, str]:
    if "missing request for" in said:
        what = said.partition("missing request for ")[2].partition(" ")[0]
        amount = {"cpu": "cpu=50m", "memory": "memory=64Mi"}.get(what, "cpu=50m")
        return (
            "Have each container request what is measured (services.*.resources.requests).",
            f"kubectl set resources {named.words} --requests={amount}",
        )
    if "not found" in said and named.name in said:
        return "Correct its target, or delete it.", f"kubectl delete {ref.words}"
    return (
        "Have metrics-server run and answer.",
        "kubectl get apiservice v1beta1.metrics.k8s.io",
    )


RULE = Rule(
    rule_id="scaler-without-metrics",
    title="FailedGetResourceMetric: an autoscaler has no metrics, or no target",
    find=find,
    link="https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/",
)
