"""The rotator is not running while a password rotation is pending."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import rotation
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import down, last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import recover_command


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield the rotator if it is not running while published Secrets are missing or outdated."""
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
        message=f"the rotator is not running ({why}), and password rotations are pending: {gaps}.",
        remediation="Start it; it continues where it stopped. If it stops again, check its events "
        "and its log.",
        command=recover_command(evidence, rotator) or f"kubectl describe {rotator.words}",
        evidence=last_events(evidence, rotator),
        affects=tuple(ref for item, _ in waiting for ref in (item.published, *item.roles)),
    )


RULE = Rule(
    rule_id="rotator-down",
    title="the rotator is not running: a password that changed in Vault is not put into use",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso",
)
