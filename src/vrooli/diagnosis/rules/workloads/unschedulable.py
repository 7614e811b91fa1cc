"""No node takes a pod; the scheduler says why."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import age_s, is_older, last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import REDEPLOY_HINT, rollback_command
from vrooli.kube.events import Event
from vrooli.kube.objects import Body, Ref, containers, items, mapping, ref_of, text
from vrooli.kube.status import pod_status
from vrooli.release.rollout import autoscaling

# The scheduler tries again whenever something changes, seconds.
GRACE_S = 3.0
# Claims have rules of their own.
CLAIMS = re.compile(r"PersistentVolumeClaim|persistentvolumeclaim")
TAINT = re.compile(r"untolerated taint(?:\(s\))? \{([^:}]+)(?:: ?([^}]*))?\}")
# Each of the scheduler's reasons: why, and what to do.
KINDS = (
    (
        r"Insufficient [a-z0-9.-]+/(?:\w*gpu\w*)",
        "no node has a free GPU",
        "Have a node with a GPU and its device plugin, or set services.nsfwDetector.gpu.enabled "
        "to false.",
    ),
    (
        r"Insufficient (?:cpu|memory|ephemeral-storage|pods)|Too many pods",
        "no node has room for what it requests",
        "Request less (services.*.resources.requests), end what else uses the capacity, or add a "
        "node.",
    ),
    (
        r"untolerated taint",
        "it doesn't tolerate the nodes' taints",
        "Take the taint from a node, or have the pods tolerate it (services.*.tolerations).",
    ),
    (
        r"were unschedulable|node\(s\) unschedulable",
        "the nodes are closed to new pods (cordoned)",
        "Open a node again.",
    ),
    (
        r"node affinity/selector|node selector|affinity rules|anti-affinity|topology spread",
        "no node fits its selector or affinity",
        "Label a node as it wants, or correct services.*.nodeSelector and affinity.",
    ),
    (
        r"free ports",
        "the node port that it wants is taken",
        "End the pod that has the port, or use another.",
    ),
    (r"no nodes available", "the cluster has no nodes", "Start a node."),
)
WAIT = "Wait until it has joined; if it doesn't, the autoscaler's log says why."
OTHER = ("", "no node takes it", f"{REDEPLOY_HINT}, or add a node that does.")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each workload with a pod that waits for a node."""
    for owner, pod in evidence.current:
        scheduling = pod_status(pod).scheduling
        if (
            scheduling is None
            or not scheduling.is_false
            or CLAIMS.search(scheduling.message)
            or not is_older(evidence, scheduling.changed_at, GRACE_S)
        ):
            continue
        message = scheduling.message
        _, why, remedy = next((kind for kind in KINDS if re.search(kind[0], message)), OTHER)
        order = _order(evidence, pod)
        if order is not None:
            why, remedy = f"a node is being made for it ({order.message.strip()})", WAIT
        yield Symptom(
            resource=owner,
            message=f"pod {ref_of(pod).name} waits for a node: {why}. The scheduler says: "
            f"{message}",
            remediation=remedy,
            command="kubectl get nodes --watch"
            if order is not None
            else _command(evidence, owner, pod, message),
            evidence=(
                *last_events(
                    evidence, ref_of(pod), "FailedScheduling", *autoscaling.ADDS_NODE, most=2
                ),
                *_requests(pod),
            ),
        )


def _order(evidence: Evidence, pod: Body) -> Event | None:
    """What an autoscaler says of the node that it makes for a pod; None where it makes none."""
    reasons = (*autoscaling.ADDS_NODE, *autoscaling.ADDS_NONE)
    decisions = [
        event
        for event in evidence.events_of(ref_of(pod), *reasons)
        if event.source in autoscaling.AUTOSCALERS
    ]
    if (
        not decisions
        or decisions[-1].reason not in autoscaling.ADDS_NODE
        or decisions[-1].last is None
    ):
        return None
    age = age_s(evidence, decisions[-1].last.isoformat())
    return (
        decisions[-1] if age is not None and age < autoscaling.NODE_LIMIT.total_seconds() else None
    )


def _command(evidence: Evidence, owner: Ref, pod: Body, message: str) -> str:
    """What mends it; what is wrong with nodes is mended there, all else at the workload."""
    taint = TAINT.search(message)
    for node in evidence.all("Node"):
        for item in items(node, "spec", "taints"):
            if taint and text(item, "key") == taint[1] and not taint[1].startswith("node.kube"):
                return f"kubectl taint nodes {ref_of(node).name} {taint[1]}:{item.get('effect')}-"
        if "unschedulable" in message and mapping(node, "spec").get("unschedulable"):
            return f"kubectl uncordon {ref_of(node).name}"
    return rollback_command(evidence, owner, "kubectl describe nodes")


def _requests(pod: Body) -> tuple[str, ...]:
    """What its containers request."""
    return tuple(
        f"container {text(item, 'name')} requests "
        + ", ".join(f"{name} {amount}" for name, amount in requests.items())
        for item in containers(pod)
        if (requests := mapping(item, "resources", "requests"))
    )


RULE = Rule(
    rule_id="unschedulable",
    title="FailedScheduling: no node takes a pod (room, taints, affinity, GPU)",
    find=find,
    link="https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/",
)
