"""A deploy was killed: Helm's record is still pending, or its Lease remains."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import age_s
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, Ref, number, ref_of, text
from vrooli.release.lease import DURATION_S
from vrooli.release.model import PENDING, secret_name

LEASE = "-deploy"
# Without a Lease another Helm process may still be running: Helm's default timeout, seconds.
HELM_S = 300.0


def pending(evidence: Evidence) -> Iterator[Symptom]:
    """Yield the release if Helm's record is pending and no deploy is running."""
    helm, lease = evidence.helm, _lease(evidence)
    if helm.status not in PENDING or helm.deployed_at is None:
        return
    age = (evidence.now - helm.deployed_at).total_seconds()
    if age < (HELM_S if lease is None else DURATION_S) or (
        lease and _silent_s(evidence, lease) is None
    ):
        return
    name, where = evidence.release, evidence.namespace
    record = Ref("Secret", secret_name(name, helm.number), where).words
    yield Symptom(
        resource=Ref("Release", name, where),
        message=f"revision {helm.number} has been {helm.status} for {age:.0f} s, and no deploy is "
        "running: the deploy was killed. Helm rejects any other operation (another operation is in "
        "progress).",
        remediation="Deploy again: that clears the pending record. If you delete the record, Helm "
        "uses the previous revision as the latest one.",
        command=f"kubectl delete {record}",
        evidence=(f"Helm: revision {helm.number}, {helm.status}, {helm.description}",),
        affects=(_lease_ref(evidence),),
    )


def stale(evidence: Evidence) -> Iterator[Symptom]:
    """Yield the Lease of a deploy that is no longer renewed."""
    lease = _lease(evidence)
    silent = _silent_s(evidence, lease) if lease else None
    if lease and silent is not None:
        ref = ref_of(lease)
        yield Symptom(
            resource=ref,
            message=f"{text(lease, 'spec', 'holderIdentity') or 'an unknown process'} acquired it "
            f"for a deploy and has not renewed it for {silent:.0f} s: that deploy was killed",
            remediation="Deploy again, which takes over the Lease, or delete it.",
            command=f"kubectl delete {ref.words}",
            evidence=(
                f"renewTime {text(lease, 'spec', 'renewTime')}, duration "
                f"{number(lease, 'spec', 'leaseDurationSeconds', default=DURATION_S)} s",
            ),
        )


def _lease_ref(evidence: Evidence) -> Ref:
    return Ref("Lease", f"{evidence.release}{LEASE}", evidence.namespace)


def _lease(evidence: Evidence) -> Body | None:
    return evidence.get(_lease_ref(evidence))


def _silent_s(evidence: Evidence, lease: Body) -> float | None:
    """Seconds since the Lease was renewed, if it has expired; otherwise None."""
    age = age_s(evidence, text(lease, "spec", "renewTime"))
    duration_s = number(lease, "spec", "leaseDurationSeconds", default=DURATION_S)
    return age if age is not None and age > duration_s else None


HELM_PENDING = Rule(
    rule_id="helm-pending",
    title="another operation (install/upgrade/rollback) is in progress: a deploy was killed",
    find=pending,
    link="https://helm.sh/docs/helm/helm_history/",
)
LEASE_STALE = Rule(
    rule_id="deploy-lease-stale",
    title="the Lease of a deploy that was killed",
    find=stale,
    link="https://kubernetes.io/docs/concepts/architecture/leases/",
)
