"""The Vault Secrets Operator isn't there, or doesn't run."""

from __future__ import annotations

from functools import partial

from vrooli.diagnosis import keepers
from vrooli.diagnosis.interface import Rule

RULE = Rule(
    name="vso-down",
    title="the Vault Secrets Operator is absent or has no pod: secrets aren't renewed",
    find=partial(keepers.not_running, keeper=keepers.VSO),
    link="https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/installation",
)
