"""A node evicted or rejected a pod."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, ref_of, text

REASONS = {
    "Evicted": "evicted by its node",
    "Preempting": "preempted by a pod with a higher priority",
    "Preempted": "preempted by a pod with a higher priority",
    "NodeShutdown": "terminated at its node's shutdown",
    "Terminated": "terminated at its node's shutdown",
    "NodeLost": "lost with its node",
}
# OutOfcpu, OutOfmemory, OutOfpods: the kubelet lacks capacity, contrary to the scheduler.
REJECTED_BY_NODE = ("OutOf", "UnexpectedAdmissionError", "NodeAffinity", "NodePorts")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each workload with evicted pods; the terminated pods can block operators."""
    evicted: dict[Ref, list[Ref]] = {}
    messages: dict[Ref, str] = {}
    for pod in evidence.all("Pod"):
        reason = text(pod, "status", "reason")
        how = REASONS.get(reason) or (
            "rejected by its node" if reason.startswith(REJECTED_BY_NODE) else ""
        )
        if text(pod, "status", "phase") == "Failed" and how:
            owner = evidence.owner(pod)
            evicted.setdefault(owner, []).append(ref_of(pod))
            messages[owner] = f"was {how} ({reason}): {text(pod, 'status', 'message')}"
    for owner, pods in evicted.items():
        others = f" (and {len(pods) - 1} more)" if len(pods) > 1 else ""
        names = " ".join(shell.name(ref.name) for ref in pods)
        yield Symptom(
            resource=owner,
            message=f"pod {pods[-1].name}{others} {messages[owner]}",
            remediation="Free resources on the node (check what uses them), or set requests that "
            "match the usage. Then delete the failed pods.",
            command=f"kubectl delete pod {names} -n {shell.label(evidence.namespace)}",
            evidence=last_events(evidence, pods[-1]) or (f"{pods[-1]}: {messages[owner]}",),
        )


RULE = Rule(
    rule_id="evicted",
    title="Evicted, OutOfcpu: a node evicted or rejected a pod",
    find=find,
    link="https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/",
)
