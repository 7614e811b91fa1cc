"""Vault responds but is sealed."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.probes import vault_health
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube import common_labels
from vrooli.kube.objects import Ref, labels


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each Vault that is sealed."""
    for answer, health in vault_health.answers(evidence):
        if health.get("sealed") is True and health.get("initialized") is not False:
            pod = vault_health.running(evidence, answer.about)
            yield Symptom(
                resource=answer.about,
                message="Vault is sealed: it serves no secrets until it is unsealed.",
                remediation="Unseal it with the required number of unseal keys. A development "
                "Vault unseals itself when its pod starts.",
                command=_command(evidence, answer.about, pod),
                evidence=(answer.text.strip(),),
            )


def _command(evidence: Evidence, service: Ref, pod: str | None) -> str:
    where = f"{shell.name(pod or 'vault-0')} -n {shell.label(service.namespace)}"
    if labels(evidence.get(service) or {}).get(common_labels.MANAGED_BY) == "vrooli":
        return f"kubectl delete pod {where}"
    return f"kubectl exec -it {where} -- vault operator unseal"


RULE = Rule(
    rule_id="vault-sealed",
    title="503 `Vault is sealed`",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/concepts/seal",
)
