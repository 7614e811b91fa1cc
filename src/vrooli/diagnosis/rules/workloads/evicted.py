"""A node put a pod out, or turned it away."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, ref_of, text

REASONS = {
    "Evicted": "put out by its node",
    "Preempting": "put out for a more important one",
    "Preempted": "put out for a more important one",
    "NodeShutdown": "ended with its node",
    "Terminated": "ended with its node",
    "NodeLost": "lost with its node",
}
# OutOfcpu, OutOfmemory, OutOfpods: the kubelet has no room, whatever the scheduler thought.
REJECTED_BY_NODE = ("OutOf", "UnexpectedAdmissionError", "NodeAffinity", "NodePorts")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each workload with pods that nodes put out; operators may stumble over what is left."""
    evicted: dict[Ref, list[Ref]] = {}
    messages: dict[Ref, str] = {}
    for pod in evidence.all("Pod"):
        reason = text(pod, "status", "reason")
        how = REASONS.get(reason) or (
            "turned away by its node" if reason.startswith(REJECTED_BY_NODE) else ""
        )
        if text(pod, "status", "phase") == "Failed" and how:
            owner = evidence.owner(pod)
            evicted.setdefault(owner, []).append(ref_of(pod))
            messages[owner] = f"was {how} ({reason}): {text(pod, 'status', 'message')}"
    for owner, pods in evicted.items():
        others = f" (and {len(pods) - 1} more)" if len(pods) > 1 else ""
        names = " ".join(ref.name for ref in pods)
        yield Symptom(
            resource=owner,
            message=f"pod {pods[-1].name}{others} {messages[owner]}",
            remediation="Have the node room for it (see what uses it up), or request what it "
            "needs; then delete what is left of it.",
            command=f"kubectl delete pod {names} -n {evidence.namespace}",
            evidence=last_events(evidence, pods[-1]) or (f"{pods[-1]}: {messages[owner]}",),
        )


RULE = Rule(
    rule_id="evicted",
    title="Evicted, OutOfcpu: a node put a pod out, or turned it away",
    find=find,
    link="https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/",
)
