"""The rule vso-no-answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.diagnosis.evidence import NOW, diagnosed, found, happening, with_objects
from support.diagnosis.healthy_release import (
    AUTH,
    OF_REDIS,
    PULL,
    VAULT,
    VSO_POD,
    healthy,
    spec,
    with_answer,
    with_events,
)
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.model import Evidence, LogSource
from vrooli.diagnosis.rules.vso import no_answer
from vrooli.kube.events import Event
from vrooli.kube.objects import Ref

CONNECTION = "VaultConnection/vrooli-dev-vault"


def unanswered(
    words: str, about: Ref = OF_REDIS, reason: str = "VaultClientConfigError", ago_s: float = 5
) -> Event:
    """What the operator tells of a try that gave nothing."""
    return happening(about, reason, f"Failed to get Vault auth login: {words}", ago_s=ago_s)


CASES: Cases = {
    "a Vault that only the operator finds sealed": (
        CONNECTION,
        with_events(
            unanswered("Error making API request.\n\nCode: 503. Errors:\n\n* Vault is sealed")
        ),
    ),
    "a Vault that only the operator doesn't reach": (
        CONNECTION,
        with_events(
            unanswered("Put: dial tcp 10.0.0.9:8200: i/o timeout"),
            unanswered("Get: dial tcp 10.0.0.9:8200: i/o timeout", PULL, "VaultClientError"),
        ),
    ),
    "a certificate of Vault that the operator doesn't trust": (
        CONNECTION,
        with_events(
            unanswered("Put: tls: failed to verify certificate: x509: certificate has expired")
        ),
    ),
    "a name of Vault that only the operator can't resolve": (
        CONNECTION,
        with_events(unanswered("Put: dial tcp: lookup vault.example.com: no such host")),
    ),
    "an address of Vault with the wrong scheme": (
        CONNECTION,
        with_events(
            unanswered("Code: 400. Raw Message: Client sent an HTTP request to an HTTPS server.")
        ),
    ),
    "a login that fails before it reaches Vault": (
        str(AUTH),
        with_events(unanswered('serviceaccounts "nobody" not found')),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(no_answer.RULE, *CASES[case])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("x509: certificate has expired or is not yet valid: current time", "has expired"),
        ("x509: certificate signed by unknown authority", "not signed by the CA"),
        ("x509: certificate is valid for vault.internal, not vault", "another host name"),
        ("x509: cannot validate certificate for 10.0.0.9", "another host name"),
        ("remote error: tls: handshake failure", "the TLS connection"),
    ],
)
def test_the_reason_why_a_certificate_is_refused_is_named(words: str, message: str) -> None:
    seen = with_events(unanswered(f"Put: tls: failed to verify certificate: {words}"))
    (symptom,) = no_answer.RULE.find(seen)
    assert message in symptom.message


@pytest.mark.parametrize(
    "words",
    [
        'secrets "vrooli-vault-ca" not found',
        'Secret "vrooli-vault-ca" not found',
        '"ca.crt" not present in the CA secret "production/vrooli-vault-ca"',
        'no valid certificates found for key "ca.crt" in CA secret "production/vrooli-vault-ca"',
    ],
)
def test_a_missing_ca_is_named(words: str) -> None:
    (symptom,) = no_answer.RULE.find(with_events(unanswered(words)))
    assert "the Secret with the CA" in symptom.message
    assert "vso.caCertSecretName" in symptom.remediation


@pytest.mark.parametrize(("tries", "ago_s", "still"), [(1, 8, True), (1, 60, False), (9, 60, True)])
def test_the_operator_tries_ever_less_often(tries: int, ago_s: float, still: bool) -> None:
    event = happening(OF_REDIS, "VaultClientError", "Code: 403", ago_s=ago_s)
    seen = with_events(replace(event, count=tries))
    assert (vso.trying(seen, OF_REDIS, "VaultClientError") is not None) is still


@pytest.mark.parametrize(
    "words",
    [
        "Code: 403. Errors: * lookup failed: service account unauthorized",
        "Code: 500. Errors: * Post: dial tcp 10.96.0.1:443: i/o timeout",
    ],
)
def test_a_vault_that_answers_the_operator_is_not_called_silent(words: str) -> None:
    assert found(no_answer.RULE, with_events(unanswered(words))) == []


def test_an_empty_path_is_not_taken_for_a_silent_vault() -> None:
    words = 'empty response from Vault, path="secret/data/x"'
    assert found(no_answer.RULE, with_events(unanswered(words, reason="VaultClientError"))) == []


def test_what_the_operator_met_with_before_it_got_on_is_of_the_past() -> None:
    silent = unanswered("dial tcp 10.0.0.9:8200: i/o timeout")
    synced = Event(OF_REDIS, "Normal", "SecretSynced", "Secret synced", last=NOW)
    assert found(no_answer.RULE, with_events(silent, synced)) == []
    condition = {"conditions": [{"type": "Healthy", "status": "True"}]}
    body = {**(healthy().get(OF_REDIS) or {}), "status": condition}
    assert found(no_answer.RULE, with_objects(with_events(silent), body)) == []


def test_an_old_word_of_the_operator_counts_where_no_probe_got_through_or_its_log_goes_on() -> None:
    words = "dial tcp 10.0.0.9:8200: i/o timeout"
    old = with_events(replace(unanswered(words, ago_s=200), count=30))
    assert found(no_answer.RULE, old) == []
    assert found(no_answer.RULE, replace(old, answers=())) == [CONNECTION]
    line = f'{{"ts":"{NOW.isoformat()}","msg":"Failed to get NewClientWithLogin"}}'
    with_log_line = {LogSource(VSO_POD, "vso", "manager"): [line]}
    assert found(no_answer.RULE, replace(old, logs=with_log_line)) == [CONNECTION]


@pytest.mark.parametrize(
    ("rule", "about", "seen"),
    [
        (
            "vault-unreachable",
            "Service/vault",
            with_answer("vault-health", VAULT, "it has no running pod", ok=False),
        ),
        (
            "vault-sealed",
            "Service/vault",
            with_answer("vault-health", VAULT, '{"initialized": true, "sealed": true}'),
        ),
        (
            "vault-unreachable",
            CONNECTION,
            spec("VaultConnection", AUTH.name, address="http://vualt.vault.svc:8200"),
        ),
    ],
    ids=["no pod", "sealed", "unknown Service"],
)
def test_what_a_probe_knows_of_vault_comes_before_the_operator_s_words(
    rule: str, about: str, seen: Evidence
) -> None:
    said = diagnosed(replace(seen, events=(unanswered("Code: 503. Errors: * Vault is sealed"),)))
    (cause,) = [item for item in said.causes if item.finding.rule_id.startswith("v")]
    assert (cause.finding.rule_id, cause.finding.resource) == (rule, about)
    assert [item.rule_id for item in cause.consequences if item.rule_id.startswith("vso")] == [
        "vso-no-answer"
    ]


def test_a_name_that_the_operator_can_not_resolve_follows_from_the_cluster_s_dns() -> None:
    dns = {
        "kind": "Deployment",
        "metadata": {"name": "coredns", "namespace": "kube-system"},
        "spec": {"replicas": 0},
    }
    words = "dial tcp: lookup vault.vault.svc: i/o timeout"
    said = diagnosed(with_objects(with_events(unanswered(words)), dns))
    (cause,) = [item for item in said.causes if item.finding.rule_id == "dns-failing"]
    assert "vso-no-answer" in {item.rule_id for item in cause.consequences}
