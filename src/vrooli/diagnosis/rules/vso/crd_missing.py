"""The cluster doesn't know the Vault Secrets Operator's kinds."""

from __future__ import annotations

from functools import partial

from vrooli.diagnosis.evidence import operators
from vrooli.diagnosis.interface import Rule
from vrooli.operators import VSO

RULE = Rule(
    rule_id="vso-crd-missing",
    title='no matches for kind "VaultStaticSecret" (or VaultAuth, VaultConnection)',
    find=partial(
        operators.not_served,
        operator=VSO,
        remedy="Install the Vault Secrets Operator, which brings it.",
        command=operators.SETUP,
    ),
    link="https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/installation",
)
