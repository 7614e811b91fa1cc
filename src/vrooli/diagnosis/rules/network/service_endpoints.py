"""A Service has no endpoints: no pod matches its selector, or no container has its port."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import MOVING_S, is_older
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import restore_field_command
from vrooli.kube.objects import (
    Body,
    Ref,
    containers,
    creation_time,
    items,
    labels,
    mapping,
    ref_of,
    selects,
    text,
)
from vrooli.kube.status import backends_of

REMEDIATION = "Correct the Service, or deploy again to restore it."


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each Service of the namespace that cannot have endpoints, whatever its pods' state."""
    if evidence.is_hidden("Pod") or evidence.is_hidden("Deployment"):
        return
    for service in evidence.all("Service"):
        selector = mapping(service, "spec", "selector")
        # Operators create Services for roles that may have no pod, such as replicas.
        is_own = not items(service, "metadata", "ownerReferences")
        if not selector or not is_own or not is_older(evidence, creation_time(service), MOVING_S):
            continue
        pods = evidence.pods(selector)
        problem = _portless(service, pods) if pods else _podless(evidence, selector)
        if problem:
            ref = ref_of(service)
            at = ("spec", "ports") if pods else ("spec", "selector")
            yield Symptom(
                resource=ref,
                message=f"it has no endpoints: {problem}",
                remediation=REMEDIATION,
                command=_command(evidence, ref, at),
                evidence=_evidence(evidence, service),
                affects=_touched(evidence, ref),
            )


def _podless(evidence: Evidence, selector: Body) -> str:
    chosen = ", ".join(f"{key}={value}" for key, value in selector.items())
    for body in evidence.all("Deployment"):
        if selects(selector, mapping(body, "spec", "template", "metadata", "labels")):
            return ""  # other rules report why it has no pods
    return f"no pod matches its selector {chosen}"


def _portless(service: Body, pods: list[Body]) -> str:
    """The first port that no container declares; undeclared ports are ignored."""
    declared = [port for item in containers(pods[0]) for port in items(item, "ports")]
    offered = {
        value for port in declared for value in (port.get("name"), port.get("containerPort"))
    }
    for port in items(service, "spec", "ports"):
        target = port.get("targetPort", port.get("port"))
        if declared and target not in offered:
            existing = ", ".join(sorted(str(value) for value in offered if value))
            return f"its port {port.get('port')} targets {target}, but its pods expose {existing}"
    return ""


def _command(evidence: Evidence, ref: Ref, at: tuple[str, ...]) -> str:
    return (
        restore_field_command(evidence, ref, *at)
        or f"kubectl get pods -n {shell.label(ref.namespace)} --show-labels"
    )


def _evidence(evidence: Evidence, service: Body) -> tuple[str, ...]:
    name, spec = ref_of(service).name, mapping(service, "spec")
    lines = [f"selector of {name}: {dict(mapping(spec, 'selector'))}"]
    lines += [f"port of {name}: {dict(port)}" for port in items(spec, "ports")]
    for part in evidence.all("EndpointSlice"):
        if text(labels(part), "kubernetes.io/service-name") == name:
            lines.append(f"endpoints of {name}: {len(items(part, 'endpoints'))}")
    return tuple(lines)


def _touched(evidence: Evidence, ref: Ref) -> tuple[Ref, ...]:
    """The Ingresses and HTTPRoutes that route to it."""
    routes = (*evidence.all("Ingress"), *evidence.all("HTTPRoute"))
    return tuple(ref_of(route) for route in routes if ref.name in backends_of(route))


RULE = Rule(
    rule_id="service-without-endpoints",
    title="no endpoints: a Service selects no pods, or targets a port that no pod exposes",
    find=find,
    link="https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/",
)
