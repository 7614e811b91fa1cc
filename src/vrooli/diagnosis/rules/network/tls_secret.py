"""An Ingress names a Secret for TLS that isn't there, or is none."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, annotations_of, items, ref_of, text

KEYS = ("tls.crt", "tls.key")
ISSUERS = ("cert-manager.io/issuer", "cert-manager.io/cluster-issuer")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each Secret that an Ingress needs and doesn't have."""
    if not evidence.is_readable("Secret"):
        return
    for ingress in evidence.all("Ingress"):
        for entry in items(ingress, "spec", "tls"):
            ref = Ref("Secret", text(entry, "secretName"), ref_of(ingress).namespace)
            problem = _secret_problem(evidence, ref)
            if not ref.name or not problem:
                continue
            is_issued = any(name in annotations_of(ingress) for name in ISSUERS)
            yield Symptom(
                resource=ref,
                message=f"{ref_of(ingress)} names it for TLS, and it {problem}: browsers are shown "
                "another certificate, or none.",
                remediation="See why cert-manager hasn't made it."
                if is_issued
                else "Make it from the certificate and its key.",
                command=f"kubectl describe certificates -n {ref.namespace}"
                if is_issued
                else f"kubectl create secret tls {ref.name} -n {ref.namespace} --cert=tls.crt "
                "--key=tls.key",
                evidence=last_events(evidence, ref_of(ingress))
                or (f"tls of {ref_of(ingress)}: {dict(entry)}",),
                # A workload may use it, too; an Ingress leads where it leads without it.
                can_explain=("config-missing", "volume-not-mounted"),
            )


def _secret_problem(evidence: Evidence, ref: Ref) -> str:
    if evidence.get(ref) is None:
        return "doesn't exist"
    facts = evidence.secrets.get(ref)
    missing = [key for key in KEYS if facts is not None and not facts.lengths.get(key)]
    return f"has no {' and no '.join(missing)}" if missing else ""


RULE = Rule(
    rule_id="tls-secret-missing",
    title="the Secret that an Ingress names for TLS isn't there",
    find=find,
    link="https://kubernetes.io/docs/concepts/services-networking/ingress/#tls",
)
