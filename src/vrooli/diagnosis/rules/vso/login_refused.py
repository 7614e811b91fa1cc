"""Vault refuses the login of the Secrets Operator for another reason than a role's bindings."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom

REFUSED = 400
SEALED = 503


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each login that Vault answers with a refusal."""
    for login in vso.logins(evidence):
        if login.status >= REFUSED and login.status != SEALED:
            yield Symptom(
                resource=login.about,
                message=f"Vault refuses the login of account {login.account} by role {login.role} "
                f"({login.status}): {login.words}.",
                remediation="See that Vault can ask this cluster about its tokens (TokenReview): "
                "its address of the API server, its CA, and the right system:auth-delegator.",
                command=f"vault read auth/{login.mount}/config",
                evidence=vso.lines(evidence, login),
            )


RULE = Rule(
    rule_id="vso-login-refused",
    title="`VaultClientConfigError: Failed to get Vault auth login … Code: 403`",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/auth/kubernetes",
)
