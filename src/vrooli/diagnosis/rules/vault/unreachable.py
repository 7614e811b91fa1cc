"""Vault is unreachable: its Service does not exist, has no pod, or does not respond."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components.vault import vault_service
from vrooli.diagnosis.evidence.components.vso import SETUP
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.probes import vault_health
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import patch, restore_field_command
from vrooli.kube.objects import Body, Ref, dig, items, mapping, ref_of, selects, text
from vrooli.vault.address import PORT


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each address of a Vault in this cluster that is unreachable."""
    for connection in evidence.all("VaultConnection"):
        service = vault_service(connection)
        if service is None:
            continue
        if evidence.get(service) is None:
            if _is_readable(evidence, service):
                yield _wrong_address(evidence, connection, service)
            continue
        answer = evidence.answer(vault_health.NAME, service)
        if answer is not None and not answer.ok:
            workload = _workload(evidence, service)
            yield Symptom(
                resource=service,
                message=f"Vault does not respond at {text(connection, 'spec', 'address')}: "
                f"{answer.text}.",
                remediation="Start it. The Secrets that were synced before remain, but none is "
                "renewed.",
                command=_up(evidence, workload),
                evidence=last_events(evidence, workload) if workload else (),
            )


def _wrong_address(evidence: Evidence, connection: Body, service: Ref) -> Symptom:
    ref = ref_of(connection)
    back = restore_field_command(evidence, ref, "spec", "address")
    candidates = [
        ref_of(item)
        for item in evidence.all("Service", "vault")
        if any(port.get("port") == PORT for port in items(item, "spec", "ports"))
    ]
    if not back and candidates:
        host = f"{candidates[0].name}.{candidates[0].namespace}.svc.cluster.local"
        back = patch(ref, f"http://{host}:{PORT}", "spec", "address")
    return Symptom(
        resource=ref,
        message=f"its address {text(connection, 'spec', 'address')} references the Service "
        f"{service.name} in namespace {service.namespace}, which does not exist.",
        remediation="Set the address of Vault's Service (vso.vaultAddr).",
        command=back or SETUP,
        evidence=last_events(evidence, ref),
    )


def _is_readable(evidence: Evidence, service: Ref) -> bool:
    """Whether the Services of that namespace were read, or the namespace does not exist."""
    if evidence.is_hidden("Service", service.namespace):
        return False
    has_services = any(
        ref_of(item).namespace == service.namespace for item in evidence.all("Service", "")
    )
    names = {ref_of(item).name for item in evidence.all("Namespace")}
    return has_services or (evidence.is_readable("Namespace") and service.namespace not in names)


def _workload(evidence: Evidence, service: Ref) -> Ref | None:
    """The workload that the Service selects, whether it has pods or not."""
    selector = mapping(evidence.get(service), "spec", "selector")
    for kind in ("StatefulSet", "Deployment"):
        for body in evidence.all(kind, service.namespace):
            if selects(selector, mapping(body, "spec", "template", "metadata", "labels")):
                return ref_of(body)
    return None


def _up(evidence: Evidence, workload: Ref | None) -> str:
    if workload is None:
        return SETUP
    if dig(evidence.get(workload), "spec", "replicas") == 0:
        return f"kubectl scale {workload.words} --replicas=1"
    return f"kubectl rollout restart {workload.words}"


RULE = Rule(
    rule_id="vault-unreachable",
    title="Vault does not respond, or its address is wrong",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/api-reference"
    "#vaultconnection",
)
