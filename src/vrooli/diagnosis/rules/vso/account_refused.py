"""Vault's role does not allow the service account that the operator presents."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies import vault

WORDS = "service account name not authorized"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each login that is rejected for this reason."""
    for login in vso.logins(evidence):
        if WORDS in login.words:
            ref = login.about
            remedy, command = vault.widen(evidence, login, vault.ACCOUNTS)
            yield Symptom(
                resource=ref,
                message=f"Vault's role {login.role} does not allow service account "
                f"{login.account}: {login.words}.",
                remediation="Add the account to the role (bound_service_account_names), or use a "
                f"different account (vso.serviceAccount). {remedy}".rstrip(),
                command=command,
                evidence=vso.lines(evidence, login),
            )


RULE = Rule(
    rule_id="vso-account-refused",
    title="`Failed to get Vault auth login … service account name not authorized`",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/auth/kubernetes#configuration",
)
