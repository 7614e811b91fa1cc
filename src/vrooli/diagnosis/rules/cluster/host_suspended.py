"""The machine of an embedded cluster was suspended, and the cluster has not recovered yet."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.cluster.embedded.host.suspension import RECOVERY_S
from vrooli.cluster.embedded.supervisor.node_events import SOURCE, SUSPENDED
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import is_older
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.events import Event
from vrooli.kube.objects import Body, Ref, condition, creation_time, ref_of, text
from vrooli.kube.status import pod_status
from vrooli.kube.times import parse_time

# What expired leases and tokens and missed heartbeats cause. Anything else, such as an image that
# does not exist, has a cause of its own.
CONSEQUENCES = (
    *("node-not-ready", "not-ready", "probe-failing", "crash-loop", "unschedulable"),
    *("service-without-endpoints", "dns-failing", "ingress-controller-down", "api-service-down"),
    *("postgres-no-leader", "redis-unreachable", "redis-sentinel-lost-master"),
    *("vault-unreachable", "vso-no-answer", "vso-cached-token", "scaler-without-metrics"),
)


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each recently suspended node that is not ready or has pods that became unready."""
    for node in evidence.all("Node"):
        ref = ref_of(node)
        event = _last_suspension(evidence, ref)
        if event is None:
            continue
        affected = tuple(_unready_workloads(evidence, ref, event))
        if condition(node, "Ready").get("status") == "True" and not affected:
            continue
        yield Symptom(
            resource=ref,
            message=event.message.strip(),
            remediation="Wait: leases and tokens are renewed within "
            f"{RECOVERY_S / 60:.0f} minutes, and `vrooli status --watch` waits for it. If the "
            "release is unhealthy for longer, run `vrooli cluster stop`, then `vrooli cluster "
            "start`.",
            command=f"kubectl describe {ref.words}",
            evidence=(str(event),),
            affects=affected,
            can_explain=CONSEQUENCES,
        )


def _last_suspension(evidence: Evidence, node: Ref) -> Event | None:
    events = [
        event
        for event in evidence.events_of(node, SUSPENDED)
        if event.source == SOURCE and not is_older(evidence, event.last, RECOVERY_S)
    ]
    return events[-1] if events else None


def _unready_workloads(evidence: Evidence, node: Ref, event: Event) -> Iterator[Ref]:
    """The workloads with a pod on the node that existed before and became unready since then."""
    for owner, pod in evidence.current:
        if text(pod, "spec", "nodeName") == node.name and _became_unready(pod, event):
            yield owner


def _became_unready(pod: Body, event: Event) -> bool:
    created, readiness = parse_time(creation_time(pod)), pod_status(pod).readiness
    if event.last is None or created is None or readiness is None or readiness.is_true:
        return False
    changed = readiness.changed_at
    return created < event.last and (changed is None or changed >= event.last)


RULE = Rule(
    rule_id="host-suspended",
    title="The machine was suspended, or its clock was set forward, and the cluster recovers",
    find=find,
    link="https://kubernetes.io/docs/concepts/architecture/nodes/#node-heartbeats",
)
