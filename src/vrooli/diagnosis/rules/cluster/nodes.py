"""A node is not ready, or is short of memory, disk or processes."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import MOVING_S, is_older, last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, Ref, condition, creation_time, ref_of, text
from vrooli.kube.status import pod_status

PRESSURES = {
    "MemoryPressure": "memory",
    "DiskPressure": "disk",
    "PIDPressure": "processes",
}
TAINT = "node.kubernetes.io/"
LINK = "https://kubernetes.io/docs/concepts/architecture/nodes/#node-status"


def not_ready(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each node that is not ready, unless it has just joined."""
    for node in evidence.all("Node"):
        state = condition(node, "Ready")
        if state.get("status") == "True" or not is_older(evidence, creation_time(node), MOVING_S):
            continue
        message = text(state, "message") or "no message"
        yield Symptom(
            resource=ref_of(node),
            message=f"the node is not ready ({text(state, 'reason') or 'Unknown'}): {message}",
            remediation="Restart its kubelet and its container runtime, or remove it from the "
            "cluster. For the embedded cluster run `vrooli cluster start`.",
            command=f"kubectl describe {ref_of(node).words}",
            evidence=(
                f"Ready {state.get('status')}: {message}",
                *last_events(evidence, ref_of(node)),
            ),
            affects=_repelled_workloads(evidence),
        )


def pressure(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each node that is under pressure."""
    for node in evidence.all("Node"):
        short = {
            what: text(state, "message")
            for kind, what in PRESSURES.items()
            if (state := condition(node, kind)).get("status") == "True"
        }
        if short:
            yield Symptom(
                resource=ref_of(node),
                message=f"the node is short of {' and '.join(short)}: {'; '.join(short.values())}",
                remediation="Stop the processes that use it, free space, or add a node. Until then "
                "the node evicts pods and accepts no new ones.",
                command=f"kubectl describe {ref_of(node).words}",
                evidence=last_events(evidence, ref_of(node)) or tuple(short.values()),
                affects=_repelled_workloads(evidence),
            )


def _repelled_workloads(evidence: Evidence) -> tuple[Ref, ...]:
    """The workloads with pods that cannot be scheduled because of node condition taints."""
    return tuple(evidence.owner(pod) for pod in evidence.all("Pod") if _is_repelled(pod))


def _is_repelled(pod: Body) -> bool:
    scheduling = pod_status(pod).scheduling
    return scheduling is not None and TAINT in scheduling.message


NOT_READY = Rule(
    rule_id="node-not-ready",
    title="NodeNotReady: a node does not respond or cannot run pods",
    find=not_ready,
    link=LINK,
)
PRESSURE = Rule(
    rule_id="node-pressure",
    title="MemoryPressure, DiskPressure, PIDPressure: a node is short of resources",
    find=pressure,
    link="https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/",
)
