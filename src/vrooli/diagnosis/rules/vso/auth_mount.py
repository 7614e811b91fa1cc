"""Vault has no auth method at the mount that the VaultAuth references."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies import vault
from vrooli.diagnosis.remedies.kubectl import restore_field_command

ROUTE = "no handler for route"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each login at a mount that does not exist."""
    for login in vso.logins(evidence):
        if not login.mounted or ROUTE in login.words:
            ref = login.about
            remedy, command = vault.enable(evidence, login)
            yield Symptom(
                resource=ref,
                message=f"Vault has no auth method at auth/{login.mount}; its only error is "
                f"`{login.words}`.",
                remediation="Set the mount of Vault's Kubernetes auth method (vso.k8sAuthMount), "
                "or " + remedy,
                command=restore_field_command(evidence, ref, "spec", "mount") or command,
                evidence=vso.lines(evidence, login),
            )


RULE = Rule(
    rule_id="vso-auth-mount-missing",
    title="`Failed to get Vault auth login … permission denied`: no such auth mount",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/commands/auth/enable",
)
