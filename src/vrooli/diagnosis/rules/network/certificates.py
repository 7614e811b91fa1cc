"""A certificate in a Secret has expired or expires soon."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from vrooli import shell
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, items, labels, text
from vrooli.operators.pgo.names import CLUSTER_LABEL

SOON = timedelta(days=7)
LINK = "https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets"


def expired(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each Secret with an expired certificate."""
    for ref, key, end in _certificates(evidence):
        if end <= evidence.now:
            how = "has expired, so clients that verify it reject it"
            # An Ingress routes requests whatever certificate it serves.
            explains = () if _shown_by(evidence, ref) else None
            yield _symptom(evidence, ref, key, end, how, explains)


def soon(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each Secret with a certificate that expires within a week."""
    for ref, key, end in _certificates(evidence):
        if evidence.now < end <= evidence.now + SOON:
            # Everything works until then.
            yield _symptom(evidence, ref, key, end, "expires soon and has not been renewed", ())


def _certificates(evidence: Evidence) -> Iterator[tuple[Ref, str, datetime]]:
    for ref, facts in evidence.secrets.items():
        if ref.namespace == evidence.namespace:
            yield from ((ref, key, end) for key, end in facts.expires.items())


def _shown_by(evidence: Evidence, ref: Ref) -> list[str]:
    """The names of the Ingresses that serve a Secret's certificate."""
    return [
        text(ingress, "metadata", "name")
        for ingress in evidence.all("Ingress")
        for entry in items(ingress, "spec", "tls")
        if text(entry, "secretName") == ref.name
    ]


def _symptom(
    evidence: Evidence,
    ref: Ref,
    key: str,
    end: datetime,
    how: str,
    explains: tuple[str, ...] | None,
) -> Symptom:
    when, users = f"{end:%Y-%m-%d %H:%M} UTC", _shown_by(evidence, ref)
    used = f" (used by Ingress/{', Ingress/'.join(users)})" if users else ""
    body = evidence.get(ref) or {}
    if text(labels(body), CLUSTER_LABEL):
        remedy = "Delete it; PGO recreates it."
        command = f"kubectl delete {ref.words}"
    else:
        remedy = "Renew the certificate, and write it with its key to the Secret."
        command = (
            f"sh -c 'kubectl create secret tls {shell.name(ref.name)} -n "
            f"{shell.label(ref.namespace)} --cert=tls.crt "
            "--key=tls.key --dry-run=client -o yaml | kubectl apply -f -'"
        )
    return Symptom(
        resource=ref,
        message=f"its certificate {key} {how}: {when}{used}",
        remediation=remedy,
        command=command,
        evidence=(f"{ref} {key}: notAfter {when}",),
        can_explain=explains,
    )


EXPIRED = Rule(
    rule_id="certificate-expired",
    title="x509: certificate has expired: one in a Secret of the release",
    find=expired,
    link=LINK,
)
ENDS_SOON = Rule(
    rule_id="certificate-ends-soon",
    title="a certificate in a Secret of the release expires within a week",
    find=soon,
    link=LINK,
)
