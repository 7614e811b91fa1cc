"""Vault's role does not allow service accounts of the release's namespace."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies import vault

WORDS = "namespace not authorized"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each login that is rejected for this reason."""
    for login in vso.logins(evidence):
        if WORDS in login.words:
            ref = login.about
            remedy, command = vault.widen(evidence, login, vault.NAMESPACES)
            yield Symptom(
                resource=ref,
                message=f"Vault's role {login.role} does not allow service accounts of namespace "
                f"{ref.namespace}: {login.words}.",
                remediation="Add the namespace to the role (bound_service_account_namespaces). "
                f"{remedy}".rstrip(),
                command=command,
                evidence=vso.lines(evidence, login),
            )


RULE = Rule(
    rule_id="vso-namespace-refused",
    title="`Failed to get Vault auth login … namespace not authorized`",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/auth/kubernetes#configuration",
)
