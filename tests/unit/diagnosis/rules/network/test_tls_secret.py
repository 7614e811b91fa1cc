"""The rule tls-secret-missing."""

from __future__ import annotations

from support.diagnosis.evidence import diagnosed
from support.objects.network import WHOLE, tls
from vrooli.diagnosis.rules.network import tls_secret


def test_a_tls_secret_that_is_missing_or_incomplete_is_told() -> None:
    (cause,) = diagnosed(tls(exists=False)).causes
    assert cause.finding.rule_id == "tls-secret-missing"
    assert cause.finding.command.startswith("kubectl create secret tls cert -n dev")
    (half,) = tls_secret.RULE.find(tls(exists=True, lengths={"tls.crt": 100}))
    assert "lacks tls.key" in half.message
    assert not diagnosed(tls(exists=True, lengths=WHOLE)).causes
