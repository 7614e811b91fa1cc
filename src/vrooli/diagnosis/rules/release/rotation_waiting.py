"""The rotator waits for something before it puts a password into use, and says for what."""

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
# The rotator repeats a warning after 600 s while it waits, and takes its time for a pass.
RECENT_S = 700.0


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each database whose rotation waits: the rotator's last word on it is a warning."""
    for item in rotation.publications(evidence):
        last = _last(evidence, item)
        if last is None or last.reason not in WAITING or down(evidence, item.rotator):
            continue
        # Of a wait that has passed the rotator says nothing: the Secrets show it.
        is_over = evidence.is_readable("Secret") and not rotation.pending(evidence, item)
        if is_over or not is_recent(last, evidence.now, RECENT_S):
            continue
        yield Symptom(
            resource=item.rotator,
            message=f"the password of {item.database} isn't in use everywhere yet: "
            f"{last.message.strip().removeprefix(f'{item.database}: ')}.",
            remediation="What was published goes on to work, and the rotator goes on by itself "
            "when that has come: see to it. If it is the new value that can't be used, set another "
            "in Vault.",
            command=f"kubectl logs {item.rotator.words} --tail=20",
            evidence=(str(last),),
            can_explain=(),
        )


def _last(evidence: Evidence, item: Publication) -> Event | None:
    """The rotator's last event about a database, however it is written."""
    events = [
        event
        for event in evidence.events_of(item.rotator, *WAITING, *ENDED)
        if event.message.startswith(f"{item.database}:")
    ]
    return events[-1] if events else None


RULE = Rule(
    rule_id="rotation-waiting",
    title="`RotationWaiting`: a password that changed in Vault isn't in use everywhere",
    find=find,
    link="https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/",
)
