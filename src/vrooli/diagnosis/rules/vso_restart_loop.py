"""The Secrets Operator restarts workloads at every refresh: something else changes the Secret."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence import Evidence, is_recent
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.objects import Ref, items, ref_of, text
from vrooli.diagnosis.workloads import patch

REASON = "RolloutRestartTriggered"
# A rotation restarts each target once. So many, the last one just now, are a loop.
MANY, WITHIN_S = 5, 120.0


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each VaultStaticSecret that restarts the same target again and again."""
    for body in evidence.all("VaultStaticSecret"):
        ref = ref_of(body)
        events = [
            event
            for event in evidence.events_of(ref, REASON)
            if event.count >= MANY and is_recent(event, evidence.now, WITHIN_S)
        ]
        if events:
            targets = items(body, "spec", "rolloutRestartTargets")
            yield Symptom(
                about=ref,
                found=f"{REASON} {events[-1].count} times: the Secret "
                f"{text(body, 'spec', 'destination', 'name')} is changed by something else after "
                "each sync, and each sync restarts what reads it.",
                remedy="Let nobody else write that Secret; until then restart nothing because of "
                "it.",
                command=patch(ref, [], "spec", "rolloutRestartTargets"),
                evidence=tuple(str(event) for event in events[-3:]),
                touches=tuple(
                    Ref(text(item, "kind"), text(item, "name"), ref.namespace) for item in targets
                ),
            )


RULE = Rule(
    name="vso-restart-loop",
    title="`RolloutRestartTriggered` at every refresh",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/api-reference"
    "#rolloutrestarttarget",
)
