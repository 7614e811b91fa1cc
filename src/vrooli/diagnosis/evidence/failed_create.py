"""The pods of workloads that the API server rejects. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vrooli.diagnosis.evidence.model import Evidence, is_recent, replicas_of
from vrooli.kube.events import Event
from vrooli.kube.objects import Body, Ref, condition, items, number, ref_of, text

# Controllers retry with a back-off of up to 1000 s and report repeated events less often, so an
# event may be current for this long, seconds.
RECENT_S = 3600.0


@dataclass(frozen=True)
class Refusal:
    """A rejected pod of a workload.

    Attributes:
        workload: The workload.
        message: The rejection of the API server.
    """

    workload: Ref
    message: str


def refusals(evidence: Evidence) -> Iterator[Refusal]:
    """Yield each workload that lacks pods because they are rejected."""
    for body in evidence.all("ReplicaSet"):
        failing = condition(body, "ReplicaFailure")
        is_short = number(body, "status", "replicas") < replicas_of(body)
        if is_short and text(failing, "reason") == "FailedCreate":
            yield Refusal(_owner(body), text(failing, "message"))
    for kind in ("StatefulSet", "Job"):
        for body in evidence.all(kind):
            is_done = number(body, "status", "succeeded") or condition(body, "Complete")
            if is_done or number(body, "status", "replicas") >= replicas_of(body):
                continue
            ref = ref_of(body)
            events = evidence.events_of(ref, "FailedCreate")
            if (
                events
                and len(evidence.pods_of(ref)) < replicas_of(body)
                and _still(evidence, ref, events[-1])
            ):
                yield Refusal(ref, events[-1].message.strip())


def _still(evidence: Evidence, workload: Ref, failed: Event) -> bool:
    """Whether a rejection may be current: it is recent, and no pod was created since."""
    created = evidence.events_of(workload, "SuccessfulCreate")
    since = created[-1].last if created else None
    is_over = since is not None and failed.last is not None and since > failed.last
    return is_recent(failed, evidence.now, RECENT_S) and not is_over


def _owner(replica_set: Body) -> Ref:
    ref = ref_of(replica_set)
    owners = items(replica_set, "metadata", "ownerReferences")
    return Ref(text(owners[0], "kind"), text(owners[0], "name"), ref.namespace) if owners else ref
