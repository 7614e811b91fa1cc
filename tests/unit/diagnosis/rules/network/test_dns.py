"""The rule dns-failing."""

from __future__ import annotations

from support.diagnosis.evidence import diagnosed, evidence, found
from support.objects.network import helper
from vrooli.diagnosis.evidence.model import Answer
from vrooli.diagnosis.evidence.probes import resolve
from vrooli.diagnosis.rules.network import dns
from vrooli.kube.objects import Ref

SERVER_POD = Ref("Pod", "vrooli-dev-server-5d9c7b-abcde", "dev")


ASKED = Answer(resolve.NAME, SERVER_POD, "not found")


FINE = Answer(resolve.NAME, SERVER_POD, "10.96.0.1 kubernetes.default.svc.cluster.local")


def test_a_dns_that_does_not_run_or_does_not_answer_is_told() -> None:
    stopped = evidence(helper("coredns", 0, 0), answers=[ASKED])
    (cause,) = diagnosed(stopped).causes
    assert cause.finding.rule_id == "dns-failing"
    assert cause.finding.command == "kubectl scale deployment/coredns -n kube-system --replicas=1"
    (silent,) = dns.RULE.find(evidence(helper("coredns"), answers=[ASKED]))
    assert "does not resolve" in silent.message
    assert not found(dns.RULE, evidence(helper("coredns"), answers=[ASKED, FINE]))
    unasked = Answer(resolve.NAME, SERVER_POD, resolve.NO_ANSWER, ok=False)
    assert not found(dns.RULE, evidence(helper("coredns"), answers=[unasked]))
