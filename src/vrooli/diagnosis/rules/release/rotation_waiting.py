"""The rotator waits for a condition before it can complete a password rotation."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import rotation
from vrooli.diagnosis.evidence.components.rotation import Publication
from vrooli.diagnosis.evidence.model import Evidence, is_recent
from vrooli.diagnosis.evidence.workloads import down
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.events import Event

WAITING = ("RotationWaiting", "RotationFailed")
ENDED = ("CredentialsPublished", "RotationCompleted")
# The rotator repeats a warning every 600 s while it waits, plus the duration of one pass.
RECENT_S = 700.0


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield the rotator for each database whose latest rotation event is a warning."""
    for item in rotation.publications(evidence):
        last = _last(evidence, item)
        if last is None or last.reason not in WAITING or down(evidence, item.rotator):
            continue
        # The rotator sends no event when a wait is over; the Secrets show it.
        is_over = evidence.is_readable("Secret") and not rotation.pending(evidence, item)
        if is_over or not is_recent(last, evidence.now, RECENT_S):
            continue
        yield Symptom(
            resource=item.rotator,
            message=f"the new password of {item.database} is not in use everywhere yet: "
            f"{last.message.strip().removeprefix(f'{item.database}: ')}.",
            remediation="Resolve the condition in the message: the published password keeps "
            "working, and the rotator continues automatically. If the new value cannot be used, "
            "set another one in Vault.",
            command=f"kubectl logs {item.rotator.words} --tail=20",
            evidence=(str(last),),
            can_explain=(),
        )


def _last(evidence: Evidence, item: Publication) -> Event | None:
    """The rotator's last event about a database."""
    events = [
        event
        for event in evidence.events_of(item.rotator, *WAITING, *ENDED)
        if event.message.startswith(f"{item.database}:")
    ]
    return events[-1] if events else None


RULE = Rule(
    rule_id="rotation-waiting",
    title="`RotationWaiting`: a password that changed in Vault is not in use everywhere",
    find=find,
    link="https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/",
)
