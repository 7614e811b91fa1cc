"""Vault rejects the login of the Secrets Operator for a reason other than the role's bindings."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.components.vso import Login
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom

REFUSED = 400
SEALED = 503


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each login that Vault rejects."""
    for login in vso.logins(evidence):
        if login.status >= REFUSED and login.status != SEALED:
            yield Symptom(
                resource=login.about,
                message=f"Vault rejects the login of service account {login.account} with role "
                f"{login.role} ({login.status}): {login.words}.",
                remediation=f"{_audience(login)} Also check that Vault can review this cluster's "
                "tokens (TokenReview): the address of the API server, its CA, and the cluster role "
                "system:auth-delegator.",
                command=f"vault read auth/{shell.path(login.mount)}/config",
                evidence=vso.lines(evidence, login),
            )


def _audience(login: Login) -> str:
    """What to compare: Vault's message does not say that the audience is the reason."""
    role = f"auth/{shell.path(login.mount)}/role/{shell.key(login.role)}"
    if not login.audiences:
        return f"Check that the role has no audience (`vault read {role}`), like the login."
    names = " or ".join(map(shell.audience, login.audiences))
    return f"Check that the role has the audience {names} (`vault read {role}`; vso.audiences)."


RULE = Rule(
    rule_id="vso-login-refused",
    title="`VaultClientConfigError: Failed to get Vault auth login … Code: 403`",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/auth/kubernetes",
)
