"""Vault can't be asked: no such Service, no pod behind it, or no answer."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.dependency_graph import vault_service
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.probes import vault_health
from vrooli.diagnosis.evidence.vso import SETUP
from vrooli.diagnosis.evidence.workloads import patch, restore, told
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, Ref, dig, items, mapping, ref_of, selects, text


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each address of a Vault in this cluster that leads nowhere."""
    for connection in evidence.all("VaultConnection"):
        service = vault_service(connection)
        if service is None:
            continue
        if evidence.get(service) is None:
            if _can_see(evidence, service):
                yield _wrong_address(evidence, connection, service)
            continue
        answer = evidence.answer(vault_health.NAME, service)
        if answer is not None and not answer.ok:
            keeper = _keeper(evidence, service)
            yield Symptom(
                resource=service,
                message=f"Vault doesn't answer at {text(connection, 'spec', 'address')}: "
                f"{answer.text}.",
                remediation="Bring it up; what it gave before stays in the Secrets, nothing is "
                "renewed.",
                command=_up(evidence, keeper),
                evidence=told(evidence, keeper) if keeper else (),
            )


def _wrong_address(seen: Evidence, connection: Body, service: Ref) -> Symptom:
    ref = ref_of(connection)
    back = restore(seen, ref, "spec", "address")
    others = [
        ref_of(item)
        for item in seen.all("Service", "vault")
        if any(port.get("port") == vault_health.PORT for port in items(item, "spec", "ports"))
    ]
    if not back and others:
        host = f"{others[0].name}.{others[0].namespace}.svc.cluster.local"
        back = patch(ref, f"http://{host}:{vault_health.PORT}", "spec", "address")
    return Symptom(
        resource=ref,
        message=f"its address {text(connection, 'spec', 'address')} names the Service "
        f"{service.name} in namespace {service.namespace}, which doesn't exist.",
        remediation="Name the Service of Vault (vso.vaultAddr).",
        command=back or SETUP,
        evidence=told(seen, ref),
    )


def _can_see(seen: Evidence, service: Ref) -> bool:
    """Whether Services of that namespace were looked at, or the namespace isn't there."""
    if seen.is_hidden("Service", service.namespace):
        return False
    looked = any(ref_of(item).namespace == service.namespace for item in seen.all("Service", ""))
    names = {ref_of(item).name for item in seen.all("Namespace")}
    return looked or (seen.has_seen("Namespace") and service.namespace not in names)


def _keeper(seen: Evidence, service: Ref) -> Ref | None:
    """The workload that the Service selects, whether it has pods or not."""
    selector = mapping(seen.get(service), "spec", "selector")
    for kind in ("StatefulSet", "Deployment"):
        for body in seen.all(kind, service.namespace):
            if selects(selector, mapping(body, "spec", "template", "metadata", "labels")):
                return ref_of(body)
    return None


def _up(seen: Evidence, keeper: Ref | None) -> str:
    if keeper is None:
        return SETUP
    if dig(seen.get(keeper), "spec", "replicas") == 0:
        return f"kubectl scale {keeper.words} --replicas=1"
    return f"kubectl rollout restart {keeper.words}"


RULE = Rule(
    rule_id="vault-unreachable",
    title="Vault doesn't answer, or its address leads nowhere",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/api-reference"
    "#vaultconnection",
)
