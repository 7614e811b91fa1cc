"""Vault has no authentication method where the VaultAuth looks for it."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies import vault
from vrooli.diagnosis.remedies.kubectl import restore_field_command

ROUTE = "no handler for route"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each login at a mount that isn't there."""
    for login in vso.logins(evidence):
        if not login.mounted or ROUTE in login.words:
            ref = login.about
            remedy, command = vault.enable(evidence, login)
            yield Symptom(
                resource=ref,
                message=f"Vault has no authentication method at auth/{login.mount}; it says no "
                f"more than `{login.words}`.",
                remediation="Name the mount of Vault's Kubernetes authentication "
                "(vso.k8sAuthMount), or " + remedy,
                command=restore_field_command(evidence, ref, "spec", "mount") or command,
                evidence=vso.lines(evidence, login),
            )


RULE = Rule(
    rule_id="vso-auth-mount-missing",
    title="`Failed to get Vault auth login … permission denied`: no such auth mount",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/commands/auth/enable",
)
