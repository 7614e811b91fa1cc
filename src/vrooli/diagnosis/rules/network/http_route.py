"""No Gateway serves an HTTPRoute: its controller does not accept it, or finds no backend."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import age_s, last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import restore_field_command
from vrooli.kube.objects import Body, ref_of, text
from vrooli.kube.status import RouteProblem, route_problems

# A controller reports on a new route within seconds; a younger route is not judged, seconds.
REPORTED_S = 60.0


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each HTTPRoute that one of its Gateways does not serve."""
    for route in evidence.all("HTTPRoute"):
        problems = [item for item in route_problems(route) if _is_certain(evidence, route, item)]
        if not problems:
            continue
        ref = ref_of(route)
        yield Symptom(
            resource=ref,
            message=f"it is not served: {'; '.join(map(str, problems))}",
            remediation="Correct the route (gateway.parentRefs, gateway.hosts) or the Gateway: its "
            "listener must exist, match the host and allow routes from this namespace "
            "(allowedRoutes), and a controller must serve its class.",
            command=restore_field_command(evidence, ref, "spec") or f"kubectl describe {ref.words}",
            evidence=last_events(evidence, ref) or tuple(map(str, problems)),
            can_explain=("not-ready",),
        )


def _is_certain(evidence: Evidence, route: Body, problem: RouteProblem) -> bool:
    """Whether the controller has decided, or has had the time to."""
    age = age_s(evidence, text(route, "metadata", "creationTimestamp"))
    return not problem.is_pending or age is None or age > REPORTED_S


RULE = Rule(
    rule_id="http-route-not-served",
    title="404 from a Gateway: it does not accept an HTTPRoute, or finds no backend for it",
    find=find,
    link="https://gateway-api.sigs.k8s.io/guides/http-routing/",
)
