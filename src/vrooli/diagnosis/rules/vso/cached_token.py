"""The Secrets Operator uses a token that is older than the role's policies."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.components.operators import deployments
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import is_older
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.events import Event
from vrooli.kube.objects import Ref, creation_time, ref_of, text
from vrooli.operators import VSO

OK = 200
DENIED = "Code: 403"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield the secrets that the operator may not read but a new login may."""
    stale = [
        (item, event)
        for item in vso.readings(evidence)
        if item.is_probed
        and item.status == OK
        and (event := vso.trying(evidence, item.about, vso.READ_EVENT)) is not None
        and DENIED in event.message
        and event.count > 1
        and not _has_restarted_since(evidence, event)
    ]
    if not stale:
        return
    (first, _), names = stale[0], ", ".join(item.about.name for item, _ in stale)
    operator = _operator(evidence)
    yield Symptom(
        resource=first.about,
        message=f"the operator is denied (403) secrets that a new login may read ({names}): its "
        "token was issued before the role got its policies and is still in use.",
        remediation="Restart the operator so that it logs in again, or wait until its token "
        "expires.",
        command=f"kubectl rollout restart {operator.words}" if operator else "",
        evidence=tuple(str(event) for _, event in stale),
        affects=tuple(item.about for item, _ in stale[1:]),
    )


def _operator(evidence: Evidence) -> Ref | None:
    return next(map(ref_of, deployments(evidence, VSO)), None)


def _has_restarted_since(evidence: Evidence, event: Event) -> bool:
    """Whether the operator has restarted, and so logged in, since its last error."""
    if event.last is None:
        return False
    age_s = (evidence.now - event.last).total_seconds()
    pods = [
        pod
        for pod in evidence.all("Pod", VSO.namespace)
        if text(pod, "status", "phase") == "Running"
    ]
    return any(not is_older(evidence, creation_time(pod), age_s) for pod in pods)


RULE = Rule(
    rule_id="vso-cached-token",
    title="`Failed to read Vault secret` 403 that persists after the policy was fixed",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/concepts/tokens",
)
