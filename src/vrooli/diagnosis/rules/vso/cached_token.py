"""The Secrets Operator is refused what a new login may read: its token is from before."""

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
    """The secrets that the operator is refused and a login of this moment is given."""
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
        message=f"the operator is refused (403) what a login made now may read ({names}): its "
        "token is from before the role got its policies, and lives on.",
        remediation="Have the operator log in again; or wait until its token ends.",
        command=f"kubectl rollout restart {operator.words}" if operator else "",
        evidence=tuple(str(event) for _, event in stale),
        affects=tuple(item.about for item, _ in stale[1:]),
    )


def _operator(evidence: Evidence) -> Ref | None:
    return next(map(ref_of, deployments(evidence, VSO)), None)


def _has_restarted_since(evidence: Evidence, event: Event) -> bool:
    """Whether the operator was started after its last refusal: it has logged in since."""
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
    title="`Failed to read Vault secret` 403 that outlives the mended policy",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/concepts/tokens",
)
