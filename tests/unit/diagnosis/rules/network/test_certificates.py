"""The rules certificate-expired, certificate-ends-soon."""

from __future__ import annotations

from datetime import timedelta

import pytest

from support.diagnosis.evidence import NOW, diagnosed, evidence
from support.objects.network import WHOLE, tls
from vrooli.diagnosis.evidence.model import SecretFacts
from vrooli.diagnosis.rules.network import certificates
from vrooli.kube.objects import Ref


@pytest.mark.parametrize(
    ("days", "rules"), [(-1, ["certificate-expired"]), (3, ["certificate-ends-soon"]), (60, [])]
)
def test_a_certificates_end_is_told_a_week_before(days: int, rules: list[str]) -> None:
    end = {"tls.crt": NOW + timedelta(days=days)}
    seen = tls(exists=True, lengths=WHOLE, expires=end)
    assert [cause.finding.rule_id for cause in diagnosed(seen).causes] == rules


def test_the_databases_own_certificate_is_made_anew_by_its_operator() -> None:
    labels = {"postgres-operator.crunchydata.com/cluster": "vrooli-pg"}
    ref = Ref("Secret", "vrooli-pg-cluster-cert", "dev")
    body = {"kind": "Secret", "metadata": {"name": ref.name, "namespace": "dev", "labels": labels}}
    facts = SecretFacts(expires={"tls.crt": NOW - timedelta(days=1)})
    (symptom,) = certificates.EXPIRED.find(evidence(body, secrets={ref: facts}))
    assert symptom.command == "kubectl delete secret/vrooli-pg-cluster-cert -n dev"
