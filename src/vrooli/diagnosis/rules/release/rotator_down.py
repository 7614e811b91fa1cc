"""The rotator doesn't run, and a password waits for it."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import rotation
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import down, last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import recover_command


def find(evidence: Evidence) -> Iterator[Symptom]:
    """The rotator, if nothing of it runs while Secrets are missing or older than their source."""
    waiting = [
        (item, gap)
        for item in rotation.publications(evidence)
        if (gap := rotation.pending(evidence, item))
    ]
    if not waiting:
        return
    rotator = waiting[0][0].rotator
    why = down(evidence, rotator)
    if not why:
        return
    gaps = "; ".join(f"{item.database}: {gap}" for item, gap in waiting)
    yield Symptom(
        resource=rotator,
        message=f"the rotator doesn't run ({why}), and passwords from Vault wait for it: {gaps}.",
        remediation="Start it: it goes on where it was. If it doesn't stay so, its events and "
        "its log say why.",
        command=recover_command(evidence, rotator) or f"kubectl describe {rotator.words}",
        evidence=last_events(evidence, rotator),
        affects=tuple(ref for item, _ in waiting for ref in (item.published, *item.roles)),
    )


RULE = Rule(
    rule_id="rotator-down",
    title="the rotator has no pod: a password that changed in Vault isn't put into use",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso",
)
