"""The controller of the release's Ingress or HTTPRoute is not running."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components.addons import controllers
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import down, last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import recover_command
from vrooli.kube.objects import Ref, ref_of


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each controller without a running pod, if its namespace is readable."""
    stopped: dict[Ref, list[Ref]] = {}
    for route in (*evidence.all("Ingress"), *evidence.all("HTTPRoute")):
        deployments = list(controllers(evidence, route))
        if any(not down(evidence, controller) for controller in deployments):
            continue  # another controller serves it
        for controller in deployments:
            stopped.setdefault(controller, []).append(ref_of(route))
    for controller, routes in stopped.items():
        if why := down(evidence, controller):
            yield Symptom(
                resource=controller,
                message=f"the Ingress controller is not running: {why}. The release is unreachable "
                "from outside.",
                remediation="Start the controller.",
                command=recover_command(evidence, controller),
                evidence=last_events(evidence, controller),
                affects=tuple(routes),
                can_explain=("not-ready",),
            )


RULE = Rule(
    rule_id="ingress-controller-down",
    title="connection refused from outside: the Ingress controller is not running",
    find=find,
    link="https://kubernetes.io/docs/concepts/services-networking/ingress-controllers/",
)
