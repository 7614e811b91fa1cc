"""Whether the operators of a release run, and whether their kinds are served. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import ELSEWHERE, Evidence
from vrooli.diagnosis.evidence.workloads import down, last_events, recover_command
from vrooli.diagnosis.interface import Symptom
from vrooli.kube.objects import Body, Ref, items, ref_of
from vrooli.operators import Operator

SETUP = "vrooli setup --target k8s-cluster"


def not_running(evidence: Evidence, operator: Operator) -> Iterator[Symptom]:
    """The operator, if the release needs it and nothing of it runs."""
    dependents = [ref_of(body) for kind in operator.kinds for body in evidence.all(kind)]
    if not dependents:
        return
    bodies = deployments(evidence, operator)
    is_readable = evidence.is_readable("Deployment", operator.namespace)
    if not bodies and is_readable and not evidence.is_hidden("Deployment", ELSEWHERE):
        yield Symptom(
            resource=Ref("Namespace", operator.namespace),
            message=f"{operator.subject} isn't there: {operator.outage}.",
            remediation="Install it.",
            command=SETUP,
            affects=tuple(dependents),
        )
    for ref in map(ref_of, bodies):
        if why := down(evidence, ref):
            yield Symptom(
                resource=ref,
                message=f"{operator.subject} doesn't run ({why}): {operator.outage}.",
                remediation="Bring it up; if it doesn't stay so, its events and its log say why.",
                command=recover_command(evidence, ref),
                evidence=last_events(evidence, ref),
                affects=tuple(dependents),
            )


def not_served(
    evidence: Evidence, operator: Operator, remedy: str, command: str
) -> Iterator[Symptom]:
    """The definitions of an operator's kinds that the release needs and the cluster lacks."""
    for kind, definition in ((item.kind, item.definition) for item in operator.resources):
        manifests = evidence.manifests_of(kind)
        if manifests and not evidence.is_readable(kind) and not evidence.is_hidden(kind):
            yield Symptom(
                resource=Ref("CustomResourceDefinition", definition),
                message=f'no matches for kind "{kind}": the cluster doesn\'t know what '
                f"{operator.subject.rstrip(',')} reads.",
                remediation=remedy,
                command=command,
                affects=tuple(Ref(kind, item.name, evidence.namespace) for item in manifests),
            )


def deployments(evidence: Evidence, operator: Operator) -> list[Body]:
    """The operator's own Deployments: in its own namespace, else in any, as a check finds them.

    None that an operator owns, as far as its name alone would tell.
    """
    bodies = evidence.all("Deployment", operator.namespace)
    own = [body for body in bodies if not items(body, "metadata", "ownerReferences")]
    return own or [body for body in evidence.all("Deployment", "") if operator.is_run_by(body)]
