"""An Ingress references a TLS Secret that does not exist or lacks keys."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, annotations_of, items, ref_of, text

KEYS = ("tls.crt", "tls.key")
ISSUERS = ("cert-manager.io/issuer", "cert-manager.io/cluster-issuer")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each TLS Secret of an Ingress that does not exist or lacks keys."""
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
                message=f"{ref_of(ingress)} references it for TLS, but it {problem}: browsers get "
                "a different certificate or none.",
                remediation="Check why cert-manager has not created it."
                if is_issued
                else "Create it from the certificate and its key.",
                command=f"kubectl describe certificates -n {shell.label(ref.namespace)}"
                if is_issued
                else f"kubectl create secret tls {shell.name(ref.name)} -n "
                f"{shell.label(ref.namespace)} --cert=tls.crt "
                "--key=tls.key",
                evidence=last_events(evidence, ref_of(ingress))
                or (f"tls of {ref_of(ingress)}: {dict(entry)}",),
                # A workload may use it too; an Ingress routes requests without it.
                can_explain=("config-missing", "volume-not-mounted"),
            )


def _secret_problem(evidence: Evidence, ref: Ref) -> str:
    if evidence.get(ref) is None:
        return "does not exist"
    facts = evidence.secrets.get(ref)
    missing = [key for key in KEYS if facts is not None and not facts.lengths.get(key)]
    return f"lacks {' and '.join(missing)}" if missing else ""


RULE = Rule(
    rule_id="tls-secret-missing",
    title="an Ingress references a TLS Secret that does not exist",
    find=find,
    link="https://kubernetes.io/docs/concepts/services-networking/ingress/#tls",
)
