"""The scheduler finds no node for a pod."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import age_s, is_older, last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import REDEPLOY_HINT, rollback_command
from vrooli.kube.events import Event
from vrooli.kube.objects import Body, Ref, containers, items, mapping, ref_of, text
from vrooli.kube.status import pod_status
from vrooli.release.rollout import autoscaling

# The scheduler retries whenever the cluster changes, seconds.
GRACE_S = 3.0
# Claims have rules of their own.
CLAIMS = re.compile(r"PersistentVolumeClaim|persistentvolumeclaim")
TAINT = re.compile(r"untolerated taint(?:\(s\))? \{([^:}]+)(?:: ?([^}]*))?\}")
# Each reason of the scheduler: pattern, cause, remediation.
KINDS = (
    (
        r"Insufficient [a-z0-9.-]+/(?:\w*gpu\w*)",
        "no node has a free GPU",
        "Add a node with a GPU and its device plugin, or set services.nsfwDetector.gpu.enabled to "
        "false.",
    ),
    (
        r"Insufficient (?:cpu|memory|ephemeral-storage|pods)|Too many pods",
        "no node has enough capacity for its requests",
        "Lower the requests (services.*.resources.requests), stop other workloads, or add a node.",
    ),
    (
        r"untolerated taint",
        "it does not tolerate the nodes' taints",
        "Remove the taint from a node, or add a toleration to the pods (services.*.tolerations).",
    ),
    (
        r"were unschedulable|node\(s\) unschedulable",
        "the nodes are cordoned",
        "Uncordon a node.",
    ),
    (
        r"node affinity/selector|node selector|affinity rules|anti-affinity|topology spread",
        "no node matches its node selector or affinity",
        "Add the labels to a node, or correct services.*.nodeSelector and affinity.",
    ),
    (
        r"free ports",
        "the host port that it requests is in use",
        "Delete the pod that uses the port, or use a different port.",
    ),
    (r"no nodes available", "the cluster has no nodes", "Add a node."),
)
WAIT = "Wait until the node has joined. If it does not join, check the autoscaler's log."
OTHER = ("", "no node is suitable", f"{REDEPLOY_HINT}, or add a suitable node.")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each workload with a pod that is waiting for a node."""
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
            why, remedy = f"an autoscaler is adding a node ({order.message.strip()})", WAIT
        yield Symptom(
            resource=owner,
            message=f"pod {ref_of(pod).name} is waiting for a node: {why}. Scheduler message: "
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
    """The autoscaler's event about the node that it adds for a pod; None if it adds none."""
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
    """The remedy: at the node for taints and cordons, otherwise at the workload."""
    taint = TAINT.search(message)
    for node in evidence.all("Node"):
        for item in items(node, "spec", "taints"):
            if taint and text(item, "key") == taint[1] and not taint[1].startswith("node.kube"):
                return (
                    f"kubectl taint nodes {shell.name(ref_of(node).name)} "
                    f"{shell.selector(taint[1])}:{shell.segment(item.get('effect'))}-"
                )
        if "unschedulable" in message and mapping(node, "spec").get("unschedulable"):
            return f"kubectl uncordon {shell.name(ref_of(node).name)}"
    return rollback_command(evidence, owner, "kubectl describe nodes")


def _requests(pod: Body) -> tuple[str, ...]:
    """The resource requests of its containers."""
    return tuple(
        f"container {text(item, 'name')} requests "
        + ", ".join(f"{name} {amount}" for name, amount in requests.items())
        for item in containers(pod)
        if (requests := mapping(item, "resources", "requests"))
    )


RULE = Rule(
    rule_id="unschedulable",
    title="FailedScheduling: no node is suitable for a pod (capacity, taints, affinity, GPU)",
    find=find,
    link="https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/",
)
