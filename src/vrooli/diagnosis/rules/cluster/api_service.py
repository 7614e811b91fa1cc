"""An aggregated API is not available."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components.addons import deployments_behind
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import MOVING_S, down, is_older, last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import recover_command
from vrooli.kube.objects import Body, Ref, condition, creation_time, mapping, ref_of, text


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each APIService that is not available."""
    for served in evidence.all("APIService", ""):
        state = condition(served, "Available")
        if state.get("status") != "False" or not _is_settled(evidence, served, state):
            continue
        ref, service = ref_of(served), mapping(served, "spec", "service")
        place = Ref("Service", text(service, "name"), text(service, "namespace"))
        stopped = [backend for backend in _backends(evidence, place) if down(evidence, backend)]
        why = f" ({down(evidence, stopped[0])})" if stopped else ""
        yield Symptom(
            resource=stopped[0] if stopped else ref,
            message=f"{ref} is not available ({text(state, 'reason')}): "
            f"{text(state, 'message')}{why}",
            remediation="Start its backend, or delete the APIService if it is no longer used. "
            "Until then namespaces cannot be deleted either.",
            command=recover_command(evidence, stopped[0])
            if stopped
            else _command(evidence, ref, place),
            evidence=last_events(evidence, ref) or (f"Available False: {text(state, 'message')}",),
            affects=(ref,),
        )


def _is_settled(evidence: Evidence, served: Body, state: Body) -> bool:
    """Whether the state is final: a backend that does not respond may be starting."""
    is_lost = text(state, "reason") in ("ServiceNotFound", "MissingEndpoints", "EndpointsNotFound")
    since = text(state, "lastTransitionTime") or creation_time(served)
    return is_lost or is_older(evidence, since, MOVING_S / 2)


def _backends(evidence: Evidence, place: Ref) -> Iterator[Ref]:
    yield from deployments_behind(evidence, evidence.get(place) or {})


def _command(evidence: Evidence, ref: Ref, place: Ref) -> str:
    """Delete an APIService whose Service does not exist; describe any other."""
    if place.namespace == "kube-system" and evidence.get(place) is None:
        return f"kubectl delete {ref.words}"
    return f"kubectl describe {ref.words}"


RULE = Rule(
    rule_id="api-service-down",
    title="the server is currently unable to handle the request: an APIService is down",
    find=find,
    link="https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/",
)
