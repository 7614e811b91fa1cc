"""An Ingress routes to a Service or port that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import restore_field_command
from vrooli.kube.objects import Body, Ref, items, mapping, ref_of, text


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each Ingress with a path whose backend does not exist."""
    if not evidence.is_readable("Service"):
        return
    for ingress in evidence.all("Ingress"):
        ref = ref_of(ingress)
        lost = [
            problem
            for where, backend in _backends(ingress)
            if (problem := _backend_problem(evidence, ref, where, backend))
        ]
        if lost:
            yield Symptom(
                resource=ref,
                message=f"its backend does not exist: {'; '.join(lost)}",
                remediation="Correct the Ingress (ingress.hosts), or create its backend. Deploying "
                "again restores both.",
                command=restore_field_command(evidence, ref, "spec", "rules")
                or f"kubectl describe {ref.words}",
                evidence=last_events(evidence, ref) or tuple(lost),
            )


def _backends(ingress: Body) -> Iterator[tuple[str, Body]]:
    """Each path of the Ingress with its backend Service."""
    if default := mapping(ingress, "spec", "defaultBackend", "service"):
        yield "the default backend", default
    for rule in items(ingress, "spec", "rules"):
        for path in items(rule, "http", "paths"):
            if service := mapping(path, "backend", "service"):
                yield f"{text(rule, 'host') or '*'}{text(path, 'path')}", service


def _backend_problem(evidence: Evidence, ref: Ref, where: str, backend: Body) -> str:
    name = text(backend, "name")
    service = evidence.get(Ref("Service", name, ref.namespace))
    if service is None:
        return f"{where} routes to Service/{name}, which does not exist"
    for key, field in (("name", "name"), ("number", "port")):
        requested = mapping(backend, "port").get(key)
        ports = [port.get(field) for port in items(service, "spec", "ports")]
        if requested is not None and requested not in ports:
            existing = ", ".join(str(port) for port in ports)
            return f"{where} routes to port {requested} of Service/{name}, which has {existing}"
    return ""


RULE = Rule(
    rule_id="ingress-without-backend",
    title="404, 503: an Ingress routes to a Service or port that does not exist",
    find=find,
    link="https://kubernetes.io/docs/concepts/services-networking/ingress/",
)
