"""Vault answers, and says that it was never initialised."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.probes import vault_health
from vrooli.diagnosis.interface import Rule, Symptom


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each Vault that holds nothing yet."""
    for answer, health in vault_health.answers(evidence):
        if health.get("initialized") is False:
            pod = vault_health.running(evidence, answer.about)
            yield Symptom(
                resource=answer.about,
                message="Vault was never initialised: it holds no secrets and gives none.",
                remediation="Initialise it once, and keep what it prints: its keys are shown only "
                "then.",
                command=f"kubectl exec -it {pod or 'vault-0'} -n {answer.about.namespace} -- "
                "vault operator init",
                evidence=(answer.text.strip(),),
            )


RULE = Rule(
    rule_id="vault-uninitialised",
    title="Vault was never initialised",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/commands/operator/init",
)
