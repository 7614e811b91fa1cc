"""The Vault Secrets Operator isn't there, or doesn't run."""

from __future__ import annotations

from functools import partial

from vrooli.diagnosis.evidence import operators
from vrooli.diagnosis.interface import Rule
from vrooli.operators import VSO

RULE = Rule(
    rule_id="vso-down",
    title="the Vault Secrets Operator is absent or has no pod: secrets aren't renewed",
    find=partial(operators.not_running, operator=VSO),
    link="https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/installation",
)
