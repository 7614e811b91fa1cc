"""A deploy was killed: Helm's note says that it still works, or its Lease is left."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import age_s
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, Ref, number, ref_of, text
from vrooli.release.lease import DURATION_S
from vrooli.release.model import PENDING, secret_name

LEASE = "-deploy"
# Without a Lease it is another's Helm, which may still be at work: its own usual limit, seconds.
HELM_S = 300.0


def pending(evidence: Evidence) -> Iterator[Symptom]:
    """The release, when Helm's note was never ended and nobody is at work."""
    helm, lease = evidence.helm, _lease(evidence)
    if helm.status not in PENDING or helm.deployed_at is None:
        return
    age = (evidence.now - helm.deployed_at).total_seconds()
    if age < (HELM_S if lease is None else DURATION_S) or (
        lease and _silent_s(evidence, lease) is None
    ):
        return
    name, where = evidence.release, evidence.namespace
    record = f"secret/{secret_name(name, helm.number)} -n {where}"
    yield Symptom(
        resource=Ref("Release", name, where),
        message=f"revision {helm.number} is {helm.status} since {age:.0f} s, and nobody is at "
        "work: its deploy was killed. Helm refuses any other (another operation is in progress).",
        remediation="Deploy again: that clears the note and goes on. Taking the note away has Helm "
        "take the revision before for the last one.",
        command=f"kubectl delete {record}",
        evidence=(f"Helm: revision {helm.number}, {helm.status}, {helm.description}",),
        affects=(_lease_ref(evidence),),
    )


def stale(evidence: Evidence) -> Iterator[Symptom]:
    """The Lease of a deploy that shows no more signs of life."""
    lease = _lease(evidence)
    silent = _silent_s(evidence, lease) if lease else None
    if lease and silent is not None:
        ref = ref_of(lease)
        yield Symptom(
            resource=ref,
            message=f"{text(lease, 'spec', 'holderIdentity') or 'nobody'} took it for a deploy, "
            f"and shows no sign of life since {silent:.0f} s: that deploy was killed",
            remediation="Deploy again, which takes it over; or delete it.",
            command=f"kubectl delete {ref.words}",
            evidence=(
                f"renewTime {text(lease, 'spec', 'renewTime')}, lasts "
                f"{number(lease, 'spec', 'leaseDurationSeconds', default=DURATION_S)} s",
            ),
        )


def _lease_ref(evidence: Evidence) -> Ref:
    return Ref("Lease", f"{evidence.release}{LEASE}", evidence.namespace)


def _lease(evidence: Evidence) -> Body | None:
    return evidence.get(_lease_ref(evidence))


def _silent_s(evidence: Evidence, lease: Body) -> float | None:
    """How long its holder has shown no sign of life, once that is longer than it may be."""
    age = age_s(evidence, text(lease, "spec", "renewTime"))
    duration_s = number(lease, "spec", "leaseDurationSeconds", default=DURATION_S)
    return age if age is not None and age > duration_s else None


HELM_PENDING = Rule(
    rule_id="helm-pending",
    title="another operation (install/upgrade/rollback) is in progress: left by a killed deploy",
    find=pending,
    link="https://helm.sh/docs/helm/helm_history/",
)
LEASE_STALE = Rule(
    rule_id="deploy-lease-stale",
    title="the Lease of a deploy that was killed",
    find=stale,
    link="https://kubernetes.io/docs/concepts/architecture/leases/",
)
