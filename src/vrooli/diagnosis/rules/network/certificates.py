"""A certificate in a Secret has ended, or ends soon."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, items, labels, text
from vrooli.operators.pgo.names import CLUSTER_LABEL

SOON = timedelta(days=7)
LINK = "https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets"


def expired(evidence: Evidence) -> Iterator[Symptom]:
    """Each Secret with a certificate that has ended."""
    for ref, key, end in _certificates(evidence):
        if end <= evidence.now:
            how = "has ended: whoever checks it refuses it"
            # An Ingress leads where it leads, whichever certificate it shows.
            explains = () if _shown_by(evidence, ref) else None
            yield _symptom(evidence, ref, key, end, how, explains)


def soon(evidence: Evidence) -> Iterator[Symptom]:
    """Each Secret with a certificate that ends within a week."""
    for ref, key, end in _certificates(evidence):
        if evidence.now < end <= evidence.now + SOON:
            # Until then all of it works.
            yield _symptom(evidence, ref, key, end, "ends soon, and nobody has renewed it", ())


def _certificates(evidence: Evidence) -> Iterator[tuple[Ref, str, datetime]]:
    for ref, facts in evidence.secrets.items():
        if ref.namespace == evidence.namespace:
            yield from ((ref, key, end) for key, end in facts.expires.items())


def _shown_by(evidence: Evidence, ref: Ref) -> list[str]:
    """The Ingresses that show a Secret's certificate, by name."""
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
    used = f" (Ingress/{', Ingress/'.join(users)} shows it)" if users else ""
    body = evidence.get(ref) or {}
    if text(labels(body), CLUSTER_LABEL):
        remedy = "PGO recreates it when it is deleted."
        command = f"kubectl delete {ref.words}"
    else:
        remedy = "Renew it, and put the new certificate with its key into the Secret."
        command = (
            f"sh -c 'kubectl create secret tls {ref.name} -n {ref.namespace} --cert=tls.crt "
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
    title="a certificate in a Secret of the release ends within a week",
    find=soon,
    link=LINK,
)
