"""Vault does not have the role with which the Secrets Operator logs in."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import restore_field_command

WORDS = "invalid role name"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each login whose role does not exist."""
    for login in vso.logins(evidence):
        if WORDS in login.words:
            ref = login.about
            yield Symptom(
                resource=ref,
                message=f"Vault has no role {login.role} at auth/{login.mount}: {login.words}.",
                remediation="Set a role that exists (vso.k8sAuthRole), or create the role.",
                command=restore_field_command(evidence, ref, "spec", "kubernetes", "role")
                or (vso.SETUP if vso.ours(evidence, ref) else vso.write_role(evidence, login)),
                evidence=vso.lines(evidence, login),
            )


RULE = Rule(
    rule_id="vso-role-missing",
    title="`VaultClientConfigError: Failed to get Vault auth login`: `invalid role name`",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/auth/kubernetes#configuration",
)
