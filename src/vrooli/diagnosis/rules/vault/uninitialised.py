"""Vault responds but is not initialized."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.probes import vault_health
from vrooli.diagnosis.interface import Rule, Symptom


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each Vault that is not initialized."""
    for answer, health in vault_health.answers(evidence):
        if health.get("initialized") is False:
            pod = vault_health.running(evidence, answer.about)
            yield Symptom(
                resource=answer.about,
                message="Vault is not initialized: it stores and serves no secrets.",
                remediation="Initialize it once and save the output: the keys are shown only then.",
                command=f"kubectl exec -it {shell.name(pod or 'vault-0')} -n "
                f"{shell.label(answer.about.namespace)} -- "
                "vault operator init",
                evidence=(answer.text.strip(),),
            )


RULE = Rule(
    rule_id="vault-uninitialised",
    title="Vault is not initialized",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/commands/operator/init",
)
