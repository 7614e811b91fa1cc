"""The Secrets Operator gets no response from Vault: unreachable, not trusted, or sealed.

The operator's errors count, not a probe's result: the operator uses a different connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import restore_field_command
from vrooli.kube.events import Event
from vrooli.kube.objects import Ref, text

# No response, and the status of a sealed Vault or of a proxy in front of it.
SILENT = (0, 503)
WRONG_SCHEME = "HTTP request to an HTTPS server"
# Error pattern, cause, remediation. The first match counts.
KINDS = (
    (
        r"Vault is sealed",
        "Vault is sealed, as the operator reports",
        "Unseal it with the required number of unseal keys.",
    ),
    (
        r"(?i:secrets?) \"[^\"]+\" not found|not present in the CA secret|"
        r"no valid certificates found",
        "the Secret with the CA of Vault's certificate does not exist, or has no certificate",
        "Put the CA into the key ca.crt of the Secret of the VaultConnection "
        "(vso.caCertSecretName). `vrooli deploy` creates it for the development Vault.",
    ),
    (
        r"x509: certificate has expired",
        "Vault's certificate has expired, or the clock of a node is wrong",
        "Renew the certificate. The operator's message names the current time and the end of the "
        "certificate.",
    ),
    (
        r"x509: certificate signed by unknown authority",
        "Vault's certificate is not signed by the CA that the operator trusts",
        "Put the CA of Vault's certificate into the Secret of the VaultConnection "
        "(caCertSecretRef, vso.caCertSecretName; key ca.crt). For the development Vault, "
        "`vrooli setup --target k8s-cluster` does it.",
    ),
    (
        r"x509: certificate is (?:not )?valid for|x509: cannot validate certificate for",
        "Vault's certificate is for another host name",
        "Set vso.vaultAddr to a host name in the certificate, or issue one for this host name.",
    ),
    (
        r"x509|tls: ",
        "the TLS connection between the operator and Vault fails",
        "Set the CA of Vault's certificate in the VaultConnection (caCertSecretRef), or renew the "
        "certificate.",
    ),
    (
        r"HTTP response to HTTPS client|unsupported protocol|" + WRONG_SCHEME,
        "the scheme of the address differs from Vault's",
        "Correct http or https in the address (vso.vaultAddr).",
    ),
    (
        r"no such host|server misbehaving|dial tcp: lookup",
        "the operator's pod cannot resolve Vault's host name",
        "Set a host that resolves in the cluster (vso.vaultAddr), or fix the DNS.",
    ),
    (
        r"(?i)dial tcp|timeout|deadline exceeded|connection re(?:fused|set)|no route to host|"
        r"network is unreachable|\bEOF\b|proxyconnect|broken pipe|malformed HTTP|Code: 503",
        "the operator gets no response from Vault",
        "Check whether Vault is running, and what is in between: a NetworkPolicy, a firewall, a "
        "proxy.",
    ),
)


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each connection that fails now, with the operator's last error."""
    symptoms: dict[Ref, Symptom] = {}
    for secret, event in vso.current_errors(evidence):
        if vso.status(event.message) not in SILENT and WRONG_SCHEME not in event.message:
            continue  # Vault responds
        kind = next((item for item in KINDS if re.search(item[0], event.message)), None)
        if kind is not None:
            connection = vso.connection(evidence, secret)
            symptoms[connection] = _silent(evidence, connection, event, *kind[1:])
        elif event.reason == vso.LOGIN_EVENT:
            auth = vso.login_of(secret)
            symptoms[auth] = Symptom(
                resource=auth,
                message=f"the operator cannot log in to Vault: {_words(event)}",
                remediation="Fix the reported error.",
                command=f"kubectl describe {auth.words}",
                evidence=(str(event),),
            )
    yield from symptoms.values()


def _silent(evidence: Evidence, about: Ref, event: Event, why: str, remedy: str) -> Symptom:
    address = text(evidence.get(about), "spec", "address")
    otherwise = f"vault status -address={shell.address(address)}" if address else ""
    return Symptom(
        resource=about,
        message=f"{why}{f' ({address})' if address else ''}: {_words(event)}",
        remediation=remedy,
        command=restore_field_command(evidence, about, "spec", "address")
        or otherwise
        or f"kubectl describe {about.words}",
        evidence=(str(event),),
    )


def _words(event: Event) -> str:
    return " ".join(event.message.split())


RULE = Rule(
    rule_id="vso-no-answer",
    title="`VaultClientConfigError`, `VaultClientError`: the operator gets no response from Vault "
    "(503 `Vault is sealed`, `i/o timeout`, `x509`, `no such host`)",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/api-reference"
    "#vaultconnection",
)
